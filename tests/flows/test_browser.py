"""Signing in with a browser: what the address holds, which callback counts, and how the wait ends."""

import hashlib
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.support.broker import sign_in
from tests.support.commandline import LONG
from tests.support.demo_server import Make
from tests.support.desk import Desk, at_desk
from tests.support.fetch import fetch
from tests.support.flows import Person, Screen, always, change_metadata, profile_of, rewritten
from tokenctl.adapters import callback_page
from tokenctl.demo.registry import CLIENTS
from tokenctl.demo.signing import base64url
from tokenctl.errors import LoginRequired, Refused, TokenctlError, Unreachable, UsageError

OPENID = "/.well-known/openid-configuration"


def query(url: str) -> dict[str, str]:
    """Read an address's parameters."""
    return dict(parse_qsl(urlsplit(url).query, strict_parsing=True))


def calling_back(**parameters: str) -> Callable[[str], int]:
    """Be a server that sends the browser back with these parameters; `{state}` and `{iss}` stand for the right ones."""

    def visit(url: str) -> int:
        asked = query(url) | {"iss": url.partition("/authorize?")[0]}
        answer = {name: value.format(**asked) for name, value in parameters.items()}
        return fetch(f"{asked['redirect_uri']}?{urlencode(answer)}")

    return visit


def test_a_session_has_all_that_the_server_said(demo_server: FaultyServer) -> None:
    """Tokens, scope, person and endpoints are in the session, each where it belongs."""
    before = int(time.time())
    session = sign_in(Person(), profile_of(demo_server))
    assert (session.flow, session.issuer, session.client_id) == ("browser", demo_server.issuer, "tokenctl-demo")
    assert (session.subject, session.account) == ("user-ada", "ada")
    assert session.access_token and session.refresh_token and session.id_token
    assert session.scope == "openid offline_access api"
    assert session.token_endpoint == f"{demo_server.issuer}/token"
    assert session.revocation_endpoint == f"{demo_server.issuer}/revoke"
    assert session.lifetime == 900
    assert session.obtained_at in range(before, before + 10)
    assert session.generation == 1


def test_the_address_holds_the_protections_and_no_secret(demo_server: FaultyServer) -> None:
    """PKCE S256, state and nonce are there, each of 256 bits, and nothing that has to stay here."""
    person = Person()
    sign_in(
        person, profile_of(demo_server, resource=["https://a.example", "https://b.example"], params={"hint": "x y"})
    )
    pairs = parse_qsl(urlsplit(person.opened[0]).query)
    assert [value for name, value in pairs if name == "resource"] == ["https://a.example", "https://b.example"]
    asked = dict(pairs)
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["prompt"] == "consent"
    assert asked["hint"] == "x y"
    assert len(asked["state"]) == len(asked["nonce"]) == len(asked["code_challenge"]) == 43
    exchange = next(each for each in demo_server.requests if each.path == "/token")
    verifier = exchange.form["code_verifier"]
    assert base64url(hashlib.sha256(verifier.encode()).digest()) == asked["code_challenge"]
    assert verifier not in person.opened[0]
    assert exchange.form["redirect_uri"] == asked["redirect_uri"]
    assert "?" not in exchange.target


def test_every_attempt_is_another(demo_server: FaultyServer) -> None:
    """State, nonce and challenge are fresh each time."""
    person = Person()
    for _ in range(3):
        sign_in(person, profile_of(demo_server))
    for name in ("state", "nonce", "code_challenge"):
        assert len({query(url)[name] for url in person.opened}) == 3


@pytest.mark.parametrize(
    ("members", "prompt"),
    [
        ({}, "consent"),
        ({"scope": "openid"}, None),
        ({"params": {"prompt": ""}}, None),
        ({"params": {"prompt": "login consent"}}, "login consent"),
    ],
)
def test_offline_access_asks_for_consent(
    demo_server: FaultyServer, members: dict[str, Any], prompt: str | None
) -> None:
    """`prompt=consent` goes with offline_access, unless the profile says otherwise."""
    person = Person()
    sign_in(person, profile_of(demo_server, **members))
    assert query(person.opened[0]).get("prompt") == prompt


@pytest.mark.parametrize("name", ["state", "redirect_uri", "code_challenge", "client_id", "response_type", "nonce"])
def test_the_protections_cannot_be_set_by_hand(demo_server: FaultyServer, name: str) -> None:
    """No parameter of the profile's replaces one of ours."""
    person = Person()
    with pytest.raises(UsageError, match=name):
        sign_in(person, profile_of(demo_server, params={name: "x"}))
    assert person.opened == []


def test_the_address_is_one_line_of_stderr(demo_server: FaultyServer, capsys: pytest.CaptureFixture[str]) -> None:
    """The address stands alone and unwrapped, however long it is, and stdout stays empty."""
    person = Person()
    sign_in(person, profile_of(demo_server, params={"long": "x" * 3000}))
    told = capsys.readouterr()
    assert told.out == ""
    assert person.opened[0] in told.err.splitlines()


# -- callbacks -------------------------------------------------------------------------------------


def test_a_wrong_callback_does_not_end_the_wait(demo_server: FaultyServer) -> None:
    """Callbacks without our state get a 4xx page; the right one still signs in, and one code is exchanged."""
    statuses: list[int] = []

    def visit(url: str) -> None:
        wrong = ({"code": "evil", "state": "bad"}, {"code": "evil"}, {"error": "access_denied"})
        statuses.extend(calling_back(**each)(url) for each in wrong)
        fetch(url)

    session = sign_in(Person(visit=visit), profile_of(demo_server))
    assert statuses == [400, 400, 400]
    assert session.subject == "user-ada"
    assert demo_server.count("/token") == 1


def test_an_error_without_state_does_not_end_the_wait(demo_server: FaultyServer) -> None:
    """Anybody can send it: the sign-in can still succeed."""

    def visit(url: str) -> None:
        calling_back(error="access_denied", iss=demo_server.issuer)(url)
        fetch(url)

    assert sign_in(Person(visit=visit), profile_of(demo_server)).subject == "user-ada"


def test_the_progress_line_ends_when_nobody_comes(demo_server: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes the error begins on a line of its own; a sign-in that succeeds leaves no line."""
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    with pytest.raises(LoginRequired):
        sign_in(Person(visit=lambda url: None), profile_of(demo_server), timeout=1)
    assert screen.getvalue().endswith("0:01 left \n")
    sign_in(Person(), profile_of(demo_server))
    assert screen.getvalue().count("left \n") == 1


def test_an_error_without_state_is_told(demo_server: FaultyServer, capsys: pytest.CaptureFixture[str]) -> None:
    """The person sees once what the server seems to have said, and again when the wait is over."""

    def visit(url: str) -> None:
        for _ in range(3):
            calling_back(error="server_error", error_description="not\x1b[2J today")(url)

    with pytest.raises(LoginRequired, match=r"within 2 s; the browser came back with an error: server_error: not"):
        sign_in(Person(visit=visit), profile_of(demo_server), timeout=2)
    said = capsys.readouterr().err
    assert said.count("server_error: not") == 1 and "\x1b" not in said and "goes on waiting" in said


def test_a_refusal_ends_the_wait(demo_server: FaultyServer) -> None:
    """`access_denied` with our state is told in the server's words, made harmless later."""
    visit = calling_back(error="access_denied", error_description="not today", state="{state}", iss=demo_server.issuer)
    with pytest.raises(Refused, match="access_denied: not today") as caught:
        sign_in(Person(visit=visit), profile_of(demo_server))
    assert caught.value.error == "access_denied"
    assert demo_server.count("/token") == 0


@pytest.mark.parametrize("iss", [{}, {"iss": "https://evil.example"}, {"iss": ""}])
@pytest.mark.parametrize("rest", [{"code": "c"}, {"error": "access_denied"}])
def test_an_answer_of_another_issuer_is_refused(
    demo_server: FaultyServer, iss: dict[str, str], rest: dict[str, str]
) -> None:
    """RFC 9207: where the server promises `iss`, an answer without it or with another goes nowhere."""
    with pytest.raises(Refused, match="issuer"):
        sign_in(Person(visit=calling_back(state="{state}", **rest, **iss)), profile_of(demo_server))
    assert demo_server.count("/token") == 0


def test_a_server_without_iss_is_lived_with(demo_server: FaultyServer) -> None:
    """Where the server promises no `iss`, none is asked for; a wrong one is still refused."""
    demo_server.overrides[OPENID] = rewritten(demo_server, authorization_response_iss_parameter_supported=None)

    def without_iss(request: Received) -> Reply:
        location = demo_server.answer(request).headers["Location"].partition("&iss=")[0]
        return Reply(status=302, headers={"Location": location})

    demo_server.overrides["/authorize"] = without_iss
    assert sign_in(Person(), profile_of(demo_server)).subject == "user-ada"
    with pytest.raises(Refused, match="issuer"):
        sign_in(
            Person(visit=calling_back(code="c", state="{state}", iss="https://evil.example")), profile_of(demo_server)
        )


def test_nobody_comes(demo_server: FaultyServer) -> None:
    """Past the deadline the sign-in ends as login required, and the port is closed."""
    person = Person(visit=lambda url: None)
    with pytest.raises(LoginRequired, match="within 1 s"):
        sign_in(person, profile_of(demo_server), timeout=1)
    redirect = urlsplit(query(person.opened[0])["redirect_uri"])
    with pytest.raises(OSError, match="refused"):
        fetch(redirect.geturl())
    assert demo_server.count("/token") == 0


def test_the_exact_port_is_used(demo_server: FaultyServer, unused_port: int) -> None:
    """`port` and a registered redirect URI decide where the browser comes back."""
    person = Person()
    sign_in(person, profile_of(demo_server, port=unused_port))
    assert query(person.opened[0])["redirect_uri"] == f"http://127.0.0.1:{unused_port}/callback"


@pytest.fixture
def unused_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


WRONG = "", "what?", "http://[", "{redirect_uri}?code=x&state=wrong"
PASTES: dict[str, tuple[str, ...]] = {
    "after wrong lines": (*WRONG, "{landed}"),
    "in quotation marks": ("'{landed}'",),
    "in angle brackets": (" <{landed}> ",),
    "with a Windows line end": ("{landed}\r",),
    "broken by a mail program": ("{start}", "{middle}", "  {end}"),
    "broken, in marks of a paste": ("\x1b[200~<{start}\r\n{middle}\r\n{end}>\r\n\x1b[201~",),
    "above a signature": ("{landed}", "Sent from my phone"),
}


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A terminal that is this process's stdin."""
    with at_desk(monkeypatch) as desk:
        yield desk


@pytest.mark.parametrize("lines", PASTES.values(), ids=PASTES)
@pytest.mark.parametrize("length", [0, 20_000])
def test_a_pasted_address_signs_in(
    demo_server: FaultyServer, desk: Desk, capsys: pytest.CaptureFixture[str], lines: tuple[str, ...], length: int
) -> None:
    """Over SSH the person pastes the address that their browser could not open, of any length; other lines change nothing."""

    def visit(url: str) -> None:
        asked = dict(parse_qsl(urlsplit(url).query))
        reply = demo_server.answer(Received(method="GET", target=f"/authorize?{urlsplit(url).query}"))
        landed = f"{reply.headers['Location']}&session_state={'x' * length}"
        third = len(landed) // 3
        parts = {"start": landed[:third], "middle": landed[third : 2 * third], "end": landed[2 * third :]}
        typed = "".join(f"{each}\n" for each in lines).format(landed=landed, **parts, **asked)
        desk.type(typed.encode())

    assert sign_in(Person(visit=visit), profile_of(demo_server)).subject == "user-ada"
    said = capsys.readouterr().err
    assert said.count("still waiting") == (3 if lines[: len(WRONG)] == WRONG else 0)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({}, "register http://127.0.0.1:8400/callback there, and run the same command again with --port 8400"),
        (
            {"redirect_uri": "http://localhost/cb"},
            "register http://localhost:8400/cb there, and run the same command again with --port 8400",
        ),
        ({"redirect_uri": "http://[::1]/cb"}, "register http://[::1]:8400/cb there, and run the same"),
        ({"port": 0}, "register exactly this one there: http://127.0.0.1:{port}/callback"),
        ({"redirect_uri": "http://localhost:{port}/cb"}, "register exactly this one there: http://localhost:{port}/cb"),
        ({"redirect_uri": "http://[::1]:{port}/cb"}, "register exactly this one there: http://[::1]:{port}/cb"),
    ],
)
def test_what_to_register_is_said_once(
    make_server: Make, unused_port: int, capsys: pytest.CaptureFixture[str], members: dict[str, Any], words: str
) -> None:
    """Many servers want the redirect URI to the character: the line to register, and what to pass then."""
    uris = ("http://127.0.0.1/callback", "http://localhost/cb", "http://[::1]/cb")
    server = make_server(clients=(replace(CLIENTS[0], redirect_uris=uris),))
    named = {name: value.format(port=unused_port) if value else unused_port for name, value in members.items()}
    person = Person()
    assert sign_in(person, profile_of(server, **named), timeout=60).subject == "user-ada"
    said = capsys.readouterr().err
    assert said.count(words.format(port=unused_port)) == 1
    assert f"an error about the client, check the client ID {profile_of(server).client_id!r};" in said
    if "port}" in words:
        assert query(person.opened[0])["redirect_uri"] in words.format(port=unused_port)


@pytest.mark.parametrize("name", ["port", "redirect_uri"])
def test_a_taken_port_is_named_with_the_next_step(demo_server: FaultyServer, unused_port: int, name: str) -> None:
    """Before the browser opens."""
    person = Person()
    with socket.create_server(("127.0.0.1", unused_port)):
        value = unused_port if name == "port" else f"http://localhost:{unused_port}/cb"
        with pytest.raises(UsageError, match=f"port {unused_port}") as caught:
            sign_in(person, profile_of(demo_server, **{name: value}))
    assert "--port" in (caught.value.hint or "") and person.opened == []


@pytest.mark.parametrize("offered", [True, False])
def test_the_device_flow_is_offered_where_no_browser_opens(
    demo_server: FaultyServer, desk: Desk, capsys: pytest.CaptureFixture[str], offered: bool
) -> None:
    """If the server has it; the address stands alone all the same."""
    if not offered:
        change_metadata(demo_server, device_authorization_endpoint=None)
    with pytest.raises(LoginRequired):
        sign_in(Person(), profile_of(demo_server), no_browser=True, timeout=1)
    said = capsys.readouterr().err
    assert ("again with --flow device" in said) is offered
    assert any(line.startswith(f"{demo_server.issuer}/authorize?") for line in said.splitlines())


# -- a sign-in that fails --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "visit",
    [
        calling_back(error="access_denied", state="{state}", iss="{iss}"),
        calling_back(code="c", state="{state}", iss="https://evil.example"),
        calling_back(code="wrong", state="{state}", iss="{iss}"),
        lambda url: None,
    ],
    ids=["refused", "another issuer", "a wrong code", "nobody"],
)
def test_the_browser_and_the_terminal_say_the_same_next_step(
    demo_server: FaultyServer, visit: Callable[[str], object]
) -> None:
    """Whatever the reason was."""
    with pytest.raises(TokenctlError) as caught:
        sign_in(Person(visit=visit), profile_of(demo_server), timeout=2)
    assert callback_page.NEXT_STEP in (caught.value.hint or "")
    assert callback_page.NEXT_STEP.encode() in callback_page.FAILED


# -- the exchange ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(drop_before=True), Unreachable),
        (Reply(drop_after=True), Unreachable),
        (Reply(status=503), Unreachable),
        (json_reply({"error": "invalid_grant"}, 400), LoginRequired),
        (json_reply({"error": "invalid_client"}, 401), Refused),
    ],
)
def test_a_code_is_exchanged_once(demo_server: FaultyServer, reply: Reply, error: type[Exception]) -> None:
    """A code has one use: whatever becomes of the exchange, it is not tried again, and the browser hears of it."""
    demo_server.overrides["/token"] = always(reply)
    pages: list[str] = []
    came = threading.Event()

    def visit(url: str) -> None:
        from urllib.request import ProxyHandler, build_opener

        with build_opener(ProxyHandler({})).open(url, timeout=LONG) as answer:
            pages.append(answer.read().decode())
        came.set()

    with pytest.raises(error):
        sign_in(Person(visit=visit), profile_of(demo_server))
    assert demo_server.count("/token") == 1
    assert came.wait(LONG) and "did not finish" in pages[0]


def test_a_pushed_request_hides_the_parameters(demo_server: FaultyServer) -> None:
    """Where the server wants the request pushed (RFC 9126), the address holds only its reference."""
    demo_server.overrides[OPENID] = rewritten(
        demo_server,
        require_pushed_authorization_requests=True,
        pushed_authorization_request_endpoint=f"{demo_server.issuer}/par",
    )
    pushed: dict[str, str] = {}

    def par(request: Received) -> Reply:
        pushed.update(request.form)
        return json_reply({"request_uri": "urn:example:1", "expires_in": 60}, 201)

    demo_server.overrides["/par"] = par
    person = Person(visit=lambda url: fetch(f"{demo_server.issuer}/authorize?{urlencode(pushed)}"))
    assert sign_in(person, profile_of(demo_server)).subject == "user-ada"
    assert query(person.opened[0]) == {"client_id": "tokenctl-demo", "request_uri": "urn:example:1"}
    assert pushed["code_challenge_method"] == "S256"


def test_a_server_that_wants_pushed_requests_and_names_no_endpoint_is_told(demo_server: FaultyServer) -> None:
    """No setting of the profile has that endpoint, so that the hint names none."""
    change_metadata(demo_server, require_pushed_authorization_requests=True, pushed_authorization_request_endpoint=None)
    with pytest.raises(Refused, match="pushed authorization requests") as caught:
        sign_in(Person(), profile_of(demo_server))
    assert "in the profile" not in (caught.value.hint or "")
