"""An access token that an API refused: another one is returned, however long it lives, after one renewal."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.servers.faulty_server import FaultyServer, Reply, json_reply
from tests.support.flows import always, machine_profile, profile_of, refreshes
from tokenctl.broker import asked
from tokenctl.errors import LoginRequired, TokenctlError, Unreachable
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults
from tokenctl.storage.memory_store import MemoryStore

NARROW = {"scope": "api"}


def ask(runtime: Runtime, profile: Profile, refused: str | None, target: dict[str, str] | None = None) -> str:
    """Ask as another process would; return the access token."""
    found = asked.token(runtime, vaults.open(runtime, profile), target or {}, None, refused)
    return found.access_token


def test_a_refused_token_is_renewed(demo_server: FaultyServer, session: Session, store: MemoryStore) -> None:
    """The stored one is fresh, and was refused."""
    runtime, profile = Runtime(store=store), profile_of(demo_server)
    renewed = ask(runtime, profile, session.access_token)
    assert renewed != session.access_token and refreshes(demo_server) == 1


def test_a_token_that_is_no_longer_stored_changes_nothing(
    demo_server: FaultyServer, session: Session, store: MemoryStore
) -> None:
    """Somebody has renewed meanwhile, or the text is none of our tokens."""
    runtime, profile = Runtime(store=store), profile_of(demo_server)
    assert ask(runtime, profile, "another") == session.access_token
    renewed = ask(runtime, profile, session.access_token)
    assert ask(runtime, profile, session.access_token) == renewed and refreshes(demo_server) == 1


def test_many_who_report_one_token_make_one_renewal(
    demo_server: FaultyServer, session: Session, store: MemoryStore
) -> None:
    """Each of them waits for the lock, and then finds another token."""
    profile = profile_of(demo_server)
    with ThreadPoolExecutor(12) as pool:
        each = pool.map(lambda _: ask(Runtime(store=store), profile, session.access_token), range(12))
        assert len({*each, session.access_token}) == 2
    assert (refreshes(demo_server), demo_server.reuse_detections) == (1, 0)


@pytest.mark.parametrize(
    ("reply", "kind"), [(json_reply({"error": "invalid_grant"}, 400), LoginRequired), (Reply(status=503), Unreachable)]
)
def test_a_refused_token_is_not_handed_out_when_the_renewal_fails(
    demo_server: FaultyServer, session: Session, store: MemoryStore, reply: Reply, kind: type[TokenctlError]
) -> None:
    """It still lives, but not for the one who reports it; others get it with a warning, as ever."""
    runtime, profile = Runtime(store=store), profile_of(demo_server)
    demo_server.overrides["/token"] = always(reply)
    with pytest.raises(kind):
        ask(runtime, profile, session.access_token)


def test_a_refused_narrower_token_is_replaced(demo_server: FaultyServer, session: Session, store: MemoryStore) -> None:
    """Only the one that was refused: the session's own token stays, and the others get the new narrower one."""
    runtime, profile = Runtime(store=store), profile_of(demo_server)
    narrow = ask(runtime, profile, None, NARROW)
    other = ask(runtime, profile, narrow, NARROW)
    assert other not in (narrow, session.access_token) and refreshes(demo_server) == 2
    assert ask(runtime, profile, narrow, NARROW) == other == ask(runtime, profile, None, NARROW)
    assert refreshes(demo_server) == 2


def test_a_machine_signs_in_again_for_a_refused_token(demo_server: FaultyServer) -> None:
    """Once, however often the old token is reported."""
    runtime = Runtime({"TOKENCTL_CLIENT_SECRET": "demo-ci-secret"}, store=MemoryStore())
    vault = vaults.open(runtime, machine_profile(demo_server, store="memory"))
    first = asked.token(runtime, vault, {}).access_token
    second = asked.token(runtime, vault, {}, None, first).access_token
    assert second != first and asked.token(runtime, vault, {}, None, first).access_token == second
    assert demo_server.count("/token", "client_credentials") == 2
