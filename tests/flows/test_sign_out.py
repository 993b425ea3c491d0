"""Signing out: what is revoked, in which order, and that no more is claimed than was done."""

from pathlib import Path
from typing import Any

import pytest

from tests.servers.faulty_server import FaultyServer, Override, Reply, json_reply
from tests.support.broker import revoke_session, sign_in
from tests.support.fetch import fetch
from tests.support.flows import Person, SetClock, always, change_metadata, machine_profile, profile_of, renew, signed_in
from tokenctl.cli import main as cli
from tokenctl.errors import LoginRequired, Refused, TokenctlError, Unreachable
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage.memory_store import MemoryStore


def end(server: FaultyServer, session: Session, now: float | None = None, **members: Any) -> None:
    """Sign out of the session."""
    runtime = Runtime(store=MemoryStore(), clock=SetClock(lambda: now or session.obtained_at))
    revoke_session(runtime, profile_of(server, **members), session)


def hints(server: FaultyServer) -> list[str]:
    """What kinds of token were presented for revocation, in order."""
    return [each.form["token_type_hint"] for each in server.requests if each.path == "/revoke"]


def for_hint(hint: str, reply: Reply) -> Override:
    """Answer only the revocation of one kind of token."""
    return lambda request: reply if request.form["token_type_hint"] == hint else None


def test_both_tokens_are_revoked_the_refresh_token_first(demo_server: FaultyServer, session: Session) -> None:
    """At the server nothing is left, and here neither."""
    end(demo_server, session)
    assert hints(demo_server) == ["refresh_token", "access_token"]
    assert fetch(f"{demo_server.issuer}/api/hello", session.access_token) == 401
    with pytest.raises(LoginRequired):
        renew(Runtime(), profile_of(demo_server), session)


def test_an_expired_access_token_needs_no_revocation(demo_server: FaultyServer, session: Session) -> None:
    """What is dead by itself is not presented."""
    end(demo_server, session, session.expires_at)
    assert hints(demo_server) == ["refresh_token"]


def test_tokens_go_to_the_pinned_endpoint_only(demo_server: FaultyServer, session: Session) -> None:
    """A profile that names another endpoint today does not get the tokens."""
    end(demo_server, session, revocation_endpoint="https://evil.example/r")
    assert demo_server.count("/revoke") == 2


@pytest.mark.parametrize(
    "reply",
    [
        json_reply({"error": "unsupported_token_type"}, 400),
        json_reply({"error": "invalid_client"}, 401),
        json_reply({"error": "unauthorized_client"}, 403),
        Reply(status=401),
        Reply(status=404),
        Reply(status=400, headers={"Content-Type": "text/html"}, body=b"<h1>No</h1>"),
        Reply(status=302, headers={"Location": "/jwks"}),
        Reply(status=501),
        json_reply({"error": "invalid_client"}),
        json_reply({"error": "invalid_token"}),
        json_reply({"ok": False, "error": "invalid_auth"}),
        json_reply({"ok": False}),
        Reply(status=200, headers={"Content-Type": "text/plain"}, body=b"error=incorrect_client_credentials"),
        Reply(status=200, headers={"Content-Type": "text/html"}, body=b"<h1>Wi-Fi</h1>"),
    ],
)
def test_a_refresh_token_that_is_not_revoked_keeps_the_session(
    demo_server: FaultyServer, session: Session, reply: Reply
) -> None:
    """A refusal is told, and the session stays, so that nothing lives on unseen."""
    demo_server.overrides["/revoke"] = always(reply)
    with pytest.raises(Refused) as caught:
        end(demo_server, session)
    assert caught.value.exit_status == 5 and "--local" in (caught.value.hint or "")
    assert hints(demo_server) == ["refresh_token"]


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize("error", ["invalid_token", "invalid_grant", "token_revoked"])
def test_tokens_that_are_dead_are_revoked(
    demo_server: FaultyServer, session: Session, status: int, error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The server does not know them, or ended them: nothing is left alive, and nobody is bothered."""
    demo_server.overrides["/revoke"] = always(json_reply({"error": error}, status))
    end(demo_server, session)
    assert hints(demo_server) == ["refresh_token", "access_token"]
    assert "stays valid" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "reply", [Reply(status=503), Reply(status=500), Reply(status=429), Reply(drop_before=True), Reply(drop_after=True)]
)
@pytest.mark.parametrize("hint", ["refresh_token", "access_token"])
def test_a_server_that_cannot_be_asked_keeps_the_session(
    demo_server: FaultyServer, session: Session, reply: Reply, hint: str
) -> None:
    """After a 503 a token must be taken for alive (RFC 7009 section 2.2.1): exit 6, and try again."""
    demo_server.overrides["/revoke"] = for_hint(hint, reply)
    with pytest.raises(Unreachable):
        end(demo_server, session)
    del demo_server.overrides["/revoke"]
    end(demo_server, session)


@pytest.mark.parametrize("reply", [json_reply({"error": "unsupported_token_type"}, 400), Reply(status=401)])
def test_an_access_token_that_lives_on_is_told(
    demo_server: FaultyServer, session: Session, reply: Reply, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the refresh token gone the session is over; that the access token still lives is said."""
    demo_server.overrides["/revoke"] = for_hint("access_token", reply)
    end(demo_server, session)
    told = capsys.readouterr().err
    assert "cannot revoke this access token" in told and "it stays valid for" in told


def test_a_server_without_revocation_keeps_the_session(demo_server: FaultyServer) -> None:
    """No endpoint: nothing was revoked, and `--local` is the way out."""
    change_metadata(demo_server, revocation_endpoint=None)
    session = signed_in(demo_server)
    with pytest.raises(Refused, match="no revocation") as caught:
        end(demo_server, session)
    assert "--local" in (caught.value.hint or "")


def test_a_token_in_the_servers_words_is_redacted(demo_server: FaultyServer, session: Session) -> None:
    """A refusal that quotes the token does not reach the terminal with it."""
    demo_server.overrides["/revoke"] = always(json_reply({"error": f"no {session.refresh_token}"}, 400))
    with pytest.raises(TokenctlError) as caught:
        end(demo_server, session)
    assert (session.refresh_token or "") not in caught.value.message


# -- by command ------------------------------------------------------------------------------------


def revoke(tmp_path: Path, store: MemoryStore, server: FaultyServer, client_id: str, *words: str) -> int:
    """Run `tokenctl revoke` in this process."""
    config = tmp_path / ".config" / "tokenctl" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'[profiles.t]\nissuer = "{server.issuer}"\nclient_id = "{client_id}"\n')
    return cli.run(["revoke", "-p", "t", *words], obj=Runtime(store=store))


def holding(session: Session) -> MemoryStore:
    """A store that has the session."""
    store = MemoryStore()
    store.write("t", session)
    return store


def machine(server: FaultyServer) -> MemoryStore:
    """A store with a machine's session: an access token and a secret, no refresh token."""
    store = holding(sign_in(Person(), machine_profile(server), client_secret="demo-ci-secret"))
    store.write_secret("t", "demo-ci-secret")
    return store


def test_revoke_says_what_was_done(
    demo_server: FaultyServer, session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command ends with 0 and one line."""
    assert revoke(tmp_path, holding(session), demo_server, "tokenctl-demo") == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "tokenctl: t: the session is revoked at the server, and forgotten here\n")


def test_revoke_local_claims_no_revocation(
    demo_server: FaultyServer, session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What only happened here is said to have happened here."""
    assert revoke(tmp_path, holding(session), demo_server, "tokenctl-demo", "--local") == 0
    assert "nothing was revoked at the server" in capsys.readouterr().err


def test_a_machines_token_is_revoked(demo_server: FaultyServer, tmp_path: Path) -> None:
    """A session without a refresh token is revoked by its access token, and its secret goes too."""
    store = machine(demo_server)
    session: Any = store.read("t")
    assert revoke(tmp_path, store, demo_server, "tokenctl-demo-ci") == 0
    assert hints(demo_server) == ["access_token"]
    assert fetch(f"{demo_server.issuer}/api/hello", session.access_token) == 401
    assert store.read("t") is None and store.read_secret("t") is None


@pytest.mark.parametrize("status", [400, 401])
def test_revoke_never_claims_more_than_was_done(
    demo_server: FaultyServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    """A machine's access token that cannot be revoked was not revoked, and the last line does not say so."""
    store = machine(demo_server)
    demo_server.overrides["/revoke"] = always(json_reply({"error": "unsupported_token_type"}, status))
    assert revoke(tmp_path, store, demo_server, "tokenctl-demo-ci") in (0, 5)
    assert "the session is revoked" not in capsys.readouterr().err
