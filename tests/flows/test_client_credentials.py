"""Client credentials: each way to present the secret, and every kind of answer a token endpoint may give."""

import base64
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.support import broker
from tests.support.broker import sign_in
from tests.support.demo_server import Make
from tests.support.flows import Person, always, at, machine_profile, rewritten
from tests.support.sessions import end_of
from tokenctl.demo.registry import CLIENTS
from tokenctl.errors import Refused, TokenctlError, Unreachable, UsageError
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage.memory_store import MemoryStore

SECRET = "demo-ci-secret"
ODD = "a b:+%&=é"


def run(server: FaultyServer, secret: str | None = SECRET, **members: Any) -> Session:
    """Sign in as the machine."""
    return sign_in(Person(), machine_profile(server, **members), client_secret=secret)


def credentials(request: Received) -> str:
    """Read what a Basic header holds."""
    return base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()


def test_a_machine_signs_in(demo_server: FaultyServer) -> None:
    """The session is the client's own: no person, no refresh token."""
    session = run(demo_server, resource=["https://api.example"])
    assert (session.flow, session.client_id, session.subject) == ("client-credentials", "tokenctl-demo-ci", None)
    assert session.refresh_token is None and session.scope == "api"
    assert demo_server.requests[-1].form["resource"] == "https://api.example"
    assert "secret" not in repr(session).lower().replace("client_secret", "")


@pytest.mark.parametrize(
    ("method", "shown"),
    [
        (None, f"tokenctl-demo-ci:{quote(ODD, safe='')}"),
        ("client_secret_basic", f"tokenctl-demo-ci:{quote(ODD, safe='')}"),
        ("client_secret_basic_raw", f"tokenctl-demo-ci:{ODD}"),
    ],
)
def test_basic_credentials_are_encoded_unless_the_profile_says_raw(
    make_server: Make, method: str | None, shown: str
) -> None:
    """RFC 6749 section 2.3.1 form-encodes both halves; many servers forgot, so the profile may say so."""
    server = make_server(clients=(CLIENTS[0], replace(CLIENTS[1], secret=ODD)))
    if method == "client_secret_basic_raw":
        server.overrides["/token"] = always(json_reply({"access_token": "t", "token_type": "bearer", "expires_in": 9}))
    session = run(server, ODD, token_endpoint_auth_method=method)
    assert credentials(server.requests[-1]) == shown
    assert not {"client_id", "client_secret"} & set(server.requests[-1].form)
    assert session.token_endpoint_auth_method == (method or "client_secret_basic")


def test_the_secret_goes_into_the_body_where_the_profile_says(make_server: Make) -> None:
    """With client_secret_post there is no header, and with one way there is not the other."""
    server = make_server(clients=(replace(CLIENTS[1], secret=ODD),))
    run(server, ODD, token_endpoint_auth_method="client_secret_post")
    assert server.requests[-1].form["client_secret"] == ODD
    assert "authorization" not in server.requests[-1].headers


def test_the_secret_goes_where_the_metadata_says(demo_server: FaultyServer) -> None:
    """A server that lists only the body gets it there."""
    path = "/.well-known/openid-configuration"
    demo_server.overrides[path] = rewritten(demo_server, token_endpoint_auth_methods_supported=["client_secret_post"])
    assert run(demo_server).token_endpoint_auth_method == "client_secret_post"


@pytest.mark.parametrize("method", [None, "none", "client_secret_basic", "client_secret_post"])
def test_without_a_secret_nothing_is_presented(demo_server: FaultyServer, method: str | None) -> None:
    """The missing secret is the person's to give, and the server is not bothered."""
    with pytest.raises(UsageError, match="needs a client secret"):
        run(demo_server, None, token_endpoint_auth_method=method)
    assert demo_server.count("/token") == 0


def test_a_secret_that_the_profile_does_not_send_is_named(demo_server: FaultyServer) -> None:
    """The setting is the cause, and to give the secret once more would not help."""
    with pytest.raises(UsageError, match='token_endpoint_auth_method = "none"'):
        run(demo_server, token_endpoint_auth_method="none")
    assert demo_server.count("/token") == 0


def test_a_wrong_secret_is_refused(demo_server: FaultyServer) -> None:
    """The refusal names the settings to look at, and not the secret."""
    with pytest.raises(Refused, match="does not accept the client's credentials: invalid_client") as caught:
        run(demo_server, "PRIVATE")
    assert "client_id" in (caught.value.hint or "")
    assert "PRIVATE" not in f"{caught.value.message}{caught.value.hint}"


GOOD = {"access_token": "t", "token_type": "Bearer", "expires_in": 900}
HTML = {"Content-Type": "text/html"}


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=400), Refused),
        (Reply(status=401), Refused),
        (Reply(status=403), Refused),
        (Reply(status=404), Refused),
        (Reply(status=200), Refused),
        (Reply(status=400, headers=HTML, body=b"<h1>Bad</h1>"), Refused),
        (Reply(status=200, headers=HTML, body=b"<h1>Welcome</h1>"), Refused),
        (Reply(status=403, headers=HTML, body=b"<h1>Forbidden</h1>"), Refused),
        (Reply(status=500, headers=HTML, body=b"<h1>Oops</h1>"), Unreachable),
        (Reply(status=500), Unreachable),
        (Reply(status=502), Unreachable),
        (Reply(status=503), Unreachable),
        (Reply(status=429), Unreachable),
        (json_reply({"error": "temporarily_unavailable"}, 503), Unreachable),
        (json_reply({"error": "server_error"}, 500), Unreachable),
        (json_reply({"error": "invalid_grant"}, 400), Refused),
        (json_reply({"error": "invalid_grant"}, 401), Refused),
        (json_reply({"error": "invalid_grant"}, 403), Refused),
        (json_reply({"error": "invalid_grant"}, 500), Unreachable),
        (json_reply({"error": "invalid_grant"}, 200), Refused),
        (json_reply({"error": "invalid_request"}, 400), Refused),
        (json_reply({"error": "invalid_client"}, 401), Refused),
        (json_reply({"error": {"code": 7}}, 400), Refused),
        (json_reply({"error": "invalid_client"} | GOOD, 200), Refused),
        (json_reply([GOOD]), Refused),
        (json_reply("token"), Refused),
        (json_reply(None), Refused),
        (Reply(body=b'{"access_token": "t", "access_token": "u", "token_type": "Bearer"}'), Refused),
        (Reply(body=b"[" * 100_000), Refused),
        (Reply(body=b"\xff\xfe{}"), Refused),
    ],
)
def test_every_failure_has_its_kind(demo_server: FaultyServer, reply: Reply, error: type[TokenctlError]) -> None:
    """Empty, HTML, 401, 403 and 500: each answer is what it means, and asked for once but where the client is refused."""
    demo_server.overrides["/token"] = always(reply)
    with pytest.raises(error) as caught:
        run(demo_server)
    assert type(caught.value) is error
    refused = b"invalid_client" in reply.body or (not reply.body and reply.status in (401, 403))
    assert demo_server.count("/token") == (2 if refused else 1)
    assert ("check client_id and the client secret" in (caught.value.hint or "")) == refused
    assert SECRET not in f"{caught.value.message}{caught.value.hint}"


@pytest.mark.parametrize("refresh_token", [None, "of-yesterday"])
def test_credentials_that_are_refused_at_a_renewal_are_5(demo_server: FaultyServer, refresh_token: str | None) -> None:
    """A machine whose own credentials are refused is told what to check; no sign-in would help it."""
    session = replace(run(demo_server), refresh_token=refresh_token)
    store = MemoryStore()
    store.write("t", session)
    store.write_secret("t", SECRET)
    demo_server.overrides["/token"] = always(json_reply({"error": "invalid_grant", "error_description": "gone"}, 400))
    works: tuple[Callable[[Runtime, Profile], Session], ...] = (broker.renew, broker.current)
    for later, work in enumerate(works):
        with pytest.raises(Refused, match="the client's credentials: invalid_grant: gone") as caught:
            work(at(end_of(session) + later, store), machine_profile(demo_server))
        assert "client secret" in (caught.value.hint or "") and "login" not in (caught.value.hint or "")
    assert store.read("t") == session


def test_a_secret_that_the_server_echoes_is_redacted(demo_server: FaultyServer) -> None:
    """What we sent is not told again in the server's words."""
    document = {"error": f"bad {SECRET}", "error_description": f"{SECRET} is wrong"}
    demo_server.overrides["/token"] = always(json_reply(document, 400))
    with pytest.raises(Refused, match=r"bad \*\*\*: \*\*\* is wrong"):
        run(demo_server)


@pytest.mark.parametrize(
    "changes",
    [
        {"access_token": None},
        {"access_token": ""},
        {"access_token": ["t"]},
        {"access_token": "a\nb"},
        {"access_token": "a\r\nX: y"},
        {"access_token": "a b"},
        {"access_token": "a\0"},
        {"access_token": "é"},
        {"access_token": "x" * 300_000},
        {"refresh_token": "a\nb"},
        {"refresh_token": {"a": "b"}},
        {"token_type": "mac"},
        {"token_type": "DPoP"},
        {"token_type": ["Bearer"]},
        {"expires_in": -1},
        {"expires_in": "-1"},
        {"expires_in": "soon"},
        {"expires_in": True},
        {"expires_in": 10**400},
        {"expires_in": "9" * 400},
        {"expires_in": [900]},
    ],
)
def test_an_answer_that_cannot_be_trusted_is_refused(demo_server: FaultyServer, changes: dict[str, Any]) -> None:
    """Tokens that could forge a header, types we cannot use and lives that make no sense are refused."""
    document = {name: value for name, value in (GOOD | changes).items() if value is not None}
    demo_server.overrides["/token"] = always(json_reply(document))
    with pytest.raises(Refused):
        run(demo_server)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_a_life_that_is_no_number_is_refused(demo_server: FaultyServer, number: bytes) -> None:
    """What JSON does not know, and what floats cannot hold, is refused."""
    body = b'{"access_token": "t", "token_type": "Bearer", "expires_in": ' + number + b"}"
    demo_server.overrides["/token"] = always(Reply(body=body))
    with pytest.raises(Refused):
        run(demo_server)


@pytest.mark.parametrize("token_type", ["bearer", "BEARER", "bEaReR"])
def test_the_token_type_may_be_in_any_case(demo_server: FaultyServer, token_type: str) -> None:
    """RFC 6749 section 7.1 compares it without case; we write it as the header wants it."""
    demo_server.overrides["/token"] = rewritten(demo_server, token_type=token_type)
    assert run(demo_server).token_type == "Bearer"


@pytest.mark.parametrize(("expires_in", "life"), [("900", 900), (900.9, 900), (315360000, 315360000)])
def test_the_life_may_be_a_text_or_a_fraction(demo_server: FaultyServer, expires_in: object, life: int) -> None:
    """Servers write seconds in several ways."""
    demo_server.overrides["/token"] = rewritten(demo_server, expires_in=expires_in, access_token="opaque")
    assert run(demo_server).lifetime == life


@pytest.mark.parametrize("expires_in", [None, 0])
def test_without_expires_in_the_tokens_own_exp_counts(demo_server: FaultyServer, expires_in: int | None) -> None:
    """A missing life, or none, is the JWT's own, and never endless."""
    demo_server.overrides["/token"] = rewritten(demo_server, expires_in=expires_in)
    assert abs(end_of(run(demo_server)) - int(time.time()) - 900) < 120


@pytest.mark.parametrize("token", ["opaque", "a.b.c"])
def test_a_machines_token_without_expiry_lives_until_it_is_refused(demo_server: FaultyServer, token: str) -> None:
    """Where nobody says how long, nothing is guessed: `refresh` gets another one."""
    demo_server.overrides["/token"] = rewritten(demo_server, expires_in=None, access_token=token)
    assert run(demo_server).lifetime is None
