"""What login and revoke move: the older session stays until the newer one is kept, and goes when the server says so."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.servers.faulty_server import FaultyServer, Reply
from tests.support import broker
from tests.support.broker import sign_in
from tests.support.commandline import Home
from tests.support.flows import Failing, Person, always, change_metadata, profile_of, rewritten
from tokenctl.errors import Refused, StoreError, TokenctlError, UsageError
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage.memory_store import MemoryStore

# -- login -----------------------------------------------------------------------------------------


def test_a_login_that_cannot_be_kept_leaves_the_older_session(demo_server: FaultyServer, session: Session) -> None:
    """A keyring that fails at the end of a sign-in costs the new session, not the old one."""
    store = Failing()
    store.write("t", session)
    store.broken = True
    with pytest.raises(StoreError):
        sign_in(Person(), profile_of(demo_server), keep=_keeping(store, demo_server))
    assert store.read("t") == session
    store.broken = False
    assert broker.renew(Runtime(store=store), profile_of(demo_server)).generation == 2


def test_a_refused_login_leaves_the_older_session(
    demo_server: FaultyServer, store: MemoryStore, session: Session
) -> None:
    """A sign-in that does not end well changes nothing."""
    demo_server.overrides["/token"] = rewritten(demo_server, id_token="a.b.c")
    with pytest.raises(Refused):
        sign_in(Person(), profile_of(demo_server), keep=_keeping(store, demo_server))
    assert store.read("t") == session


def test_a_second_login_is_the_next_generation(demo_server: FaultyServer, store: MemoryStore) -> None:
    """Generations count on, so that nobody takes the older session for the newer one."""
    again = sign_in(Person(), profile_of(demo_server), keep=_keeping(store, demo_server))
    assert again.generation == 2 and store.read("t") == again


def test_a_login_as_another_person_is_refused(demo_server: FaultyServer, store: MemoryStore, session: Session) -> None:
    """Where nobody can be asked, the older session stays; the new one is not revoked, which could end others of that person."""
    with pytest.raises(UsageError, match="signed in as ada, and this sign-in was as grace") as caught:
        sign_in(Person(), _of_grace(demo_server), keep=_keeping(store, demo_server))
    assert "--switch-account" in (caught.value.hint or "")
    assert store.read("t") == session
    assert demo_server.count("/revoke") == 0
    assert broker.renew(Runtime(store=store), profile_of(demo_server)).account == "ada"


def test_a_login_as_another_person_on_purpose_is_told(
    demo_server: FaultyServer, store: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """A profile that changes hands with --switch-account says so."""
    again = sign_in(Person(), _of_grace(demo_server), keep=_keeping(store, demo_server, switch=True))
    assert store.read("t") == again and again.account == "grace"
    assert "was signed in as ada, and is now grace" in capsys.readouterr().err


def test_accounts_of_one_name_are_told_apart(demo_server: FaultyServer, store: MemoryStore, session: Session) -> None:
    """Two people of the same name are two people, and the error says which is which."""
    other = replace(session, subject="another")
    with pytest.raises(UsageError, match=r"ada \(user-ada at http.*ada \(another at http"):
        _keeping(store, demo_server)(other)


def test_an_account_that_changes_meanwhile_is_seen(demo_server: FaultyServer, session: Session) -> None:
    """What counts is whose session is there under the lock, not a moment before it."""

    class Changing(MemoryStore):
        def read(self, profile: str) -> Session | None:
            found = super().read(profile)
            self.write(profile, replace(session, subject="user-grace", account="grace"))
            return found

    store = Changing()
    store.write("t", session)
    with pytest.raises(UsageError, match="signed in as grace, and this sign-in was as ada"):
        _keeping(store, demo_server)(session)


def _of_grace(server: FaultyServer) -> Profile:
    return profile_of(server, params={"login_hint": "grace"})


def _keeping(store: MemoryStore, server: FaultyServer, *, switch: bool = False) -> Callable[[Session], Session]:
    return lambda session: broker.keep(Runtime(store=store), profile_of(server), session, switch=switch)


# -- revoke, by command ----------------------------------------------------------------------------


def test_revoke_keeps_what_the_server_did_not_revoke(home: Home, demo_server: FaultyServer) -> None:
    """Overloaded is 6, refused 5, and the session works on; revoked is 0, and then there is none."""
    assert home.login(demo_server.issuer).status == 0
    before = home.snapshot()
    for reply, status in ((Reply(status=503), 6), (Reply(drop_before=True), 6), (Reply(status=401), 5)):
        demo_server.overrides["/revoke"] = always(reply)
        result = home.run("revoke")
        assert (result.status, result.stdout) == (status, "")
        assert home.snapshot() == before
    demo_server.overrides.clear()
    assert home.run("revoke").status == 0
    assert home.run("revoke").status == 4


def test_without_revocation_only_local_forgets(home: Home, demo_server: FaultyServer) -> None:
    """A server without the endpoint: exit 5 and kept, and `--local` is the way out."""
    change_metadata(demo_server, revocation_endpoint=None)
    assert home.login(demo_server.issuer).status == 0
    result = home.run("revoke")
    assert result.status == 5 and "--local" in result.stderr
    assert home.run("token").status == 0
    assert home.run("revoke", "--local").status == 0
    assert home.run("token").status == 4


def test_every_session_is_revoked(home: Home, demo_server: FaultyServer) -> None:
    """`--all` signs out of one profile after the other."""
    for name in ("a", "b"):
        assert home.login(demo_server.issuer, profile=name).status == 0
    assert home.run("revoke", "--all").status == 0


@pytest.mark.parametrize(("reply", "status"), [(Reply(status=503), 6), (Reply(status=401), 5)])
def test_revoke_deletes_only_what_was_revoked(
    demo_server: FaultyServer, session: Session, store: MemoryStore, reply: Reply, status: int
) -> None:
    """In one process too: a revocation that fails leaves the session as it was."""
    demo_server.overrides["/revoke"] = always(reply)
    with pytest.raises(TokenctlError) as caught:
        broker.revoke(Runtime(store=store), profile_of(demo_server))
    assert caught.value.exit_status == status
    assert store.read("t") == session
