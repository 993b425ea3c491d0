"""Signing in on another screen: when it polls, how it slows down, and how it ends."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.support.broker import sign_in
from tests.support.demo_server import Make
from tests.support.flows import SCOPE, PassingClock, Screen, always, change_metadata, profile_of, rewritten
from tokenctl.demo.registry import CLIENTS
from tokenctl.errors import LoginRequired, Refused, TokenctlError, Unreachable
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage.memory_store import MemoryStore

# No openid: the clock here is not the one that ID tokens are verified by.
WITHOUT_ID_TOKEN = SCOPE.removeprefix("openid ")
PENDING = json_reply({"error": "authorization_pending"}, 400)
SLOW_DOWN = json_reply({"error": "slow_down"}, 400)
DROPPED = Reply(drop_before=True)


@pytest.fixture
def clock() -> PassingClock:
    """The clock of server and client."""
    return PassingClock()


@pytest.fixture
def server(make_server: Make, clock: PassingClock) -> FaultyServer:
    """A server by that clock, with an interval of five seconds."""
    return make_server(clock=clock.now, device_interval=5)


def run(server: FaultyServer, clock: PassingClock, timeout: int = 900, **members: Any) -> Session:
    """Sign in by device code."""
    runtime = Runtime({}, send=clock.send, clock=clock, store=MemoryStore())
    profile = profile_of(server, **{"flow": "device", "scope": WITHOUT_ID_TOKEN, **members})
    return sign_in(runtime, profile, timeout=timeout)


class Polls:
    """Answers polls one after the other, then as usual, and remembers when they came."""

    def __init__(self, server: FaultyServer, clock: PassingClock, *replies: Reply) -> None:
        self.times: list[float] = []
        self._replies: Iterator[Reply] = iter(replies)
        self._start = clock.now()
        self._clock = clock
        self._server = server
        server.overrides["/token"] = self
        server.overrides["/device_authorization"] = self._approving

    def _approving(self, request: Received) -> Reply:
        reply = self._server.answer(request)
        self._server.approve_device(reply.document["user_code"])
        return reply

    def __call__(self, request: Received) -> Reply | None:
        self.times.append(self._clock.now() - self._start)
        return next(self._replies, None)


def test_an_approved_device_is_signed_in(server: FaultyServer, clock: PassingClock) -> None:
    """The first poll comes after one interval, and brings the tokens."""
    polls = Polls(server, clock)
    session = run(server, clock)
    assert session.flow == "device" and session.refresh_token
    assert polls.times == [5]
    assert session.expires_at == int(clock.now()) + 900


def test_resources_are_asked_for_in_both_requests(server: FaultyServer, clock: PassingClock) -> None:
    """The code is for these APIs, and so is the token (RFC 8707 section 2.2)."""
    wanted = ("https://a.example", "https://b.example")
    Polls(server, clock, PENDING)
    run(server, clock, resource=list(wanted))
    sent = [each.resources for each in server.requests if each.path in ("/device_authorization", "/token")]
    assert sent == [wanted] * 3


def test_the_id_token_is_verified_without_a_nonce(demo_server: FaultyServer) -> None:
    """The device flow sends no nonce; everything else of the ID token is checked."""

    def approving(request: Received) -> Reply:
        reply = demo_server.answer(request)
        demo_server.approve_device(reply.document["user_code"], "grace")
        return reply

    demo_server.overrides["/device_authorization"] = approving
    session = sign_in(Runtime({}, store=MemoryStore()), profile_of(demo_server, flow="device"))
    assert (session.subject, session.account) == ("user-grace", "grace")


def test_code_and_page_are_shown(server: FaultyServer, clock: PassingClock, capsys: pytest.CaptureFixture[str]) -> None:
    """The address and the code stand alone on their lines, and stdout stays empty."""
    Polls(server, clock)
    seen: dict[str, str] = {}
    approving: Callable[[Received], Reply | None] = server.overrides["/device_authorization"]

    def looking(request: Received) -> Reply | None:
        reply = approving(request)
        seen.update(server.answer(request).document)
        return reply

    server.overrides["/device_authorization"] = looking
    run(server, clock)
    told = capsys.readouterr()
    lines = [line.strip() for line in told.err.splitlines()]
    assert told.out == ""
    for name in ("verification_uri", "verification_uri_complete", "user_code"):
        assert seen[name] in lines
    assert seen["device_code"] not in told.err


def test_while_nobody_decides_it_polls_each_interval(server: FaultyServer, clock: PassingClock) -> None:
    """Pending means the same interval again."""
    polls = Polls(server, clock, PENDING, PENDING, PENDING)
    run(server, clock)
    assert polls.times == [5, 10, 15, 20]


def test_slow_down_adds_up(server: FaultyServer, clock: PassingClock) -> None:
    """Each slow_down adds five seconds for all later polls (RFC 8628 section 3.5)."""
    polls = Polls(server, clock, SLOW_DOWN, PENDING, SLOW_DOWN, PENDING)
    run(server, clock)
    assert polls.times == [5, 15, 25, 40, 55]


def test_a_slow_down_with_429_is_a_slow_down(server: FaultyServer, clock: PassingClock) -> None:
    """The error code counts, not the status it comes with."""
    polls = Polls(server, clock, json_reply({"error": "slow_down"}, 429))
    run(server, clock)
    assert polls.times == [5, 15]


HTML = {"Content-Type": "text/html"}
NO_ANSWERS = (
    DROPPED,
    *(Reply(status=status) for status in (200, 400, 401, 403, 404, 407, 429, 500, 502, 503)),
    *(Reply(status=status, headers=HTML, body=b"<h1>No</h1>") for status in (200, 400, 401, 403, 404, 503)),
    json_reply({"message": "Unauthorized"}, 401),
    json_reply({"error": "Unauthorized", "status": 401, "path": "/token"}, 401),
    Reply(status=302, headers={"Location": "http://portal.example/sign-in"}),
    Reply(status=307, headers={"Location": "/elsewhere"}),
    json_reply({"message": "Forbidden"}, 403),
    json_reply({"error": "Not Found", "status": 404}, 404),
    json_reply({}),
)
"""What comes from a firewall, a gateway or a captive portal in the place of the server's answer."""


@pytest.mark.parametrize("reply", NO_ANSWERS)
def test_what_is_not_the_servers_answer_ends_nothing(server: FaultyServer, clock: PassingClock, reply: Reply) -> None:
    """A page, a redirect or a connection that breaks doubles the interval; the sign-in goes on."""
    polls = Polls(server, clock, reply, reply, PENDING)
    run(server, clock)
    assert polls.times == [5, 15, 35, 55]


@pytest.mark.parametrize("reply", NO_ANSWERS)
def test_what_is_not_the_servers_answer_does_not_refuse_the_client(
    make_server: Make, clock: PassingClock, reply: Reply
) -> None:
    """With a secret, too: all ways to send it are tried, and as long as a status alone refuses them it goes on."""
    server = make_server(clock=clock.now, clients=tuple(replace(each, secret="a secret") for each in CLIENTS))
    Polls(server, clock)
    began = clock.now()
    server.overrides["/token"] = lambda request: reply if clock.now() < began + 30 else None
    runtime = Runtime({}, send=clock.send, clock=clock, store=MemoryStore())
    profile = profile_of(server, flow="device", scope=WITHOUT_ID_TOKEN)
    assert sign_in(runtime, profile, client_secret="a secret").refresh_token


def test_slow_down_can_name_the_new_interval(server: FaultyServer, clock: PassingClock) -> None:
    """GitHub does, with the status 200 and a form."""
    polls = Polls(server, clock, Reply(status=200, body=b"error=slow_down&interval=20"), PENDING)
    run(server, clock)
    assert polls.times == [5, 25, 45]


def test_the_progress_line_ends_when_the_wait_does(
    server: FaultyServer, clock: PassingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever writes the error, or whatever comes next, begins on an empty line."""
    for reply in (PENDING, json_reply({"error": "access_denied"}, 400), DROPPED):
        screen = Screen()
        monkeypatch.setattr(sys, "stderr", screen)
        server.overrides["/token"] = always(reply)
        with pytest.raises(TokenctlError):
            run(server, clock, timeout=12)
        assert screen.getvalue().endswith("left \n")


def test_retry_after_is_waited_for(server: FaultyServer, clock: PassingClock) -> None:
    """A server that says when to come back is not asked earlier."""
    polls = Polls(server, clock, Reply(status=503, headers={"Retry-After": "60"}))
    run(server, clock)
    assert polls.times == [5, 65]


@pytest.mark.parametrize(
    ("interval", "first"),
    [(None, 5), (7, 7), ("8", 8), (0, 1), (-3, 5), ("soon", 5), (2.9, 3), (" 6", 6), (10**8, 300), (True, 5)],
)
def test_an_interval_may_be_absent_or_odd(
    server: FaultyServer, clock: PassingClock, interval: object, first: int
) -> None:
    """Without a usable interval it is five seconds; never none, never hours."""
    polls = Polls(server, clock)
    usual = rewritten(server, interval=interval)
    approving: Callable[[Received], Reply | None] = server.overrides["/device_authorization"]

    def changed(request: Received) -> Reply | None:
        approving(request)
        return usual(request)

    server.overrides["/device_authorization"] = changed
    run(server, clock)
    assert polls.times[0] == first


def test_an_expired_code_ends_the_wait(server: FaultyServer, clock: PassingClock) -> None:
    """Past the code's life nothing is asked any more."""
    server.overrides["/device_authorization"] = rewritten(server, expires_in=12)
    began = clock.now()
    with pytest.raises(LoginRequired, match="in time") as caught:
        run(server, clock)
    assert caught.value.hint == "run the same command again"
    assert clock.now() - began == 12
    assert server.count("/token") == 2


def test_the_deadline_ends_the_wait(server: FaultyServer, clock: PassingClock) -> None:
    """`--timeout` counts where it is shorter than the code's life."""
    began = clock.now()
    with pytest.raises(LoginRequired):
        run(server, clock, timeout=23)
    assert clock.now() - began == 23


def test_a_server_that_always_fails_ends_at_the_deadline(server: FaultyServer, clock: PassingClock) -> None:
    """Doubling the interval does not carry the wait past its end."""
    server.overrides["/token"] = always(DROPPED)
    began = clock.now()
    with pytest.raises(LoginRequired, match=r"at last, .* broke the connection"):
        run(server, clock)
    assert clock.now() - began == 600
    assert server.count("/token") < 15


@pytest.mark.parametrize(
    ("reply", "error", "reason"),
    [
        (json_reply({"error": "expired_token"}, 400), LoginRequired, "expired"),
        (json_reply({"error": "access_denied"}, 400), Refused, "refused on the other device"),
        (json_reply({"error": "access_denied"}, 403), Refused, "refused on the other device"),
        (json_reply({"error": "invalid_grant"}, 400), LoginRequired, "invalid_grant"),
        (json_reply({"error": "invalid_client"}, 401), Refused, "invalid_client"),
        (json_reply({"error": "authorization_declined"}, 400), Refused, "refused on the other device"),
        (json_reply({"error": "incorrect_device_code"}), Refused, "incorrect_device_code"),
        (Reply(status=200, body=b"error=expired_token&error_description=x"), LoginRequired, "expired"),
        (json_reply({"access_token": "a", "token_type": "DPoP"}), Refused, "token_type"),
    ],
)
def test_a_final_answer_ends_the_wait(
    server: FaultyServer, clock: PassingClock, reply: Reply, error: type[Exception], reason: str
) -> None:
    """A no is a no: it is told in its own words, and not asked again."""
    polls = Polls(server, clock, PENDING, reply)
    with pytest.raises(error, match=reason):
        run(server, clock)
    assert polls.times == [5, 10]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (json_reply({"error": "invalid_scope"}, 400), Refused),
        (json_reply({"error": "unauthorized_client"}, 401), Refused),
        (Reply(status=404), Refused),
        (Reply(status=200, headers={"Content-Type": "text/html"}, body=b"<h1>"), Refused),
        (Reply(status=503), Unreachable),
        (DROPPED, Unreachable),
    ],
)
def test_a_refused_start_is_told(
    server: FaultyServer, clock: PassingClock, reply: Reply, error: type[Exception]
) -> None:
    """Without a code there is nothing to wait for."""
    server.overrides["/device_authorization"] = always(reply)
    with pytest.raises(error):
        run(server, clock)
    assert clock.slept == []


@pytest.mark.parametrize(
    "changes",
    [
        {"device_code": None},
        {"user_code": None},
        {"user_code": "\x1b[31mX"},
        {"user_code": 7},
        {"verification_uri": None},
        {"verification_uri": "javascript:alert(1)"},
        {"verification_uri": "http://evil.example/"},
        {"verification_uri_complete": "file:///etc/passwd"},
    ],
)
def test_an_unsafe_start_is_refused(server: FaultyServer, clock: PassingClock, changes: dict[str, Any]) -> None:
    """What a person would read or open must be fit for that."""
    server.overrides["/device_authorization"] = rewritten(server, **changes)
    with pytest.raises(Refused):
        run(server, clock)


def test_a_server_without_device_codes_is_named(server: FaultyServer, clock: PassingClock) -> None:
    """`--flow device` at a server that has none says so."""
    change_metadata(server, device_authorization_endpoint=None)
    with pytest.raises(Refused, match="no device authorization endpoint"):
        run(server, clock)
