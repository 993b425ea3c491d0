"""What a login may replace, what becomes of tokens that nobody keeps, and of a refresh token that is not given twice."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.servers.faulty_server import FaultyServer, Reply, json_reply
from tests.support import broker
from tests.support.commandline import Home
from tests.support.demo_server import Make
from tests.support.flows import Failing, Person, always, here, machine_profile, profile_of, refreshes, rewritten
from tokenctl import flows
from tokenctl.adapters.clock import Clock
from tokenctl.broker import kept
from tokenctl.broker import login as logins
from tokenctl.demo.registry import CLIENTS
from tokenctl.errors import StoreError, UsageError
from tokenctl.flows import sign_in as sign_ins
from tokenctl.model.profile import Profile
from tokenctl.model.session import DEFAULT_LIFETIME, Session
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults
from tokenctl.storage.memory_store import MemoryStore


def login(runtime: Runtime, profile: Profile, secret: str | None = None, *, switch: bool = False) -> Session:
    """Do what the command does once the profile is found."""
    start = sign_ins.prepare(runtime, profile, secret)
    return logins.login(runtime, vaults.open_for_login(runtime, profile), start, switch_account=switch)


# -- what is replaced ------------------------------------------------------------------------------


@pytest.mark.parametrize("other", ["server", "client", "machine"])
def test_another_account_is_not_replaced_unasked(
    demo_server: FaultyServer, make_server: Make, store: MemoryStore, session: Session, other: str
) -> None:
    """Another server, another client, or a machine in a person's place: refused before any secret is sent."""
    second = make_server()
    profile, secret = {
        "server": (profile_of(second), None),
        "client": (machine_profile(demo_server), "demo-ci-secret"),
        "machine": (machine_profile(demo_server, client_id="tokenctl-demo"), "demo-ci-secret"),
    }[other]
    before = demo_server.count("/token")
    with pytest.raises(UsageError, match="'t' is signed in as ada") as caught:
        login(Person(store=store), profile, secret)
    assert "--switch-account" in (caught.value.hint or "")
    assert store.read("t") == session
    assert demo_server.count("/token") == before and second.count("/token") == second.count("/authorize") == 0


def test_a_replaced_session_of_another_server_ends_there(
    demo_server: FaultyServer, make_server: Make, store: MemoryStore, session: Session
) -> None:
    """With --switch-account the newer session is kept, and then the older one is revoked at its own server."""
    second = make_server()
    newer = login(Person(store=store), profile_of(second), switch=True)
    assert store.read("t") == newer and newer.issuer == second.issuer
    assert demo_server.count("/revoke") > 0 and second.count("/revoke") == 0


def test_the_secret_of_the_newer_client_does_not_go_to_the_older_server(
    demo_server: FaultyServer, make_server: Make
) -> None:
    """A machine's session that is replaced is revoked with the secret that was kept for it, or not at all."""
    ci = next(each for each in CLIENTS if each.secret)
    second, store = make_server(clients=(replace(ci, secret="newer-secret"),)), MemoryStore()
    login(Runtime(here({}), store=store), machine_profile(demo_server), "demo-ci-secret")
    environ = {"TOKENCTL_CLIENT_SECRET": "newer-secret"}
    login(Runtime(here(environ), store=store), machine_profile(second), "newer-secret", switch=True)
    sent = [each.headers["authorization"] for each in demo_server.requests if each.path == "/revoke"]
    assert sent and not set(sent) & {each.headers.get("authorization") for each in second.requests}


def test_the_identity_of_a_job_does_not_go_to_the_older_server(
    demo_server: FaultyServer, make_server: Make, session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is for the newer server, where the older one could present it. Neither a login nor `revoke` sends it."""
    older = replace(session, flow="workload", token_endpoint_auth_method="workload")
    profile = profile_of(make_server(), flow="workload", source="env")
    runtime = Person({"TOKENCTL_ID_TOKEN": "the.job.identity"})
    kept.end(runtime, profile, older, None)
    assert "could not be revoked (the job's identity is for" in capsys.readouterr().err
    with pytest.raises(UsageError, match="is not sent to"):
        flows.of("workload").revoke(runtime, vaults.open(runtime, profile), older)
    assert demo_server.count("/revoke") == 0


def test_the_same_person_again_revokes_nothing(demo_server: FaultyServer, store: MemoryStore) -> None:
    """Some servers would end every grant of that person and client, the newer one too."""
    login(Person(store=store), profile_of(demo_server))
    assert demo_server.count("/revoke") == 0


def test_another_person_on_purpose_ends_the_older_session(demo_server: FaultyServer, store: MemoryStore) -> None:
    """What nobody has any more does not stay alive."""
    login(Person(store=store), profile_of(demo_server, params={"login_hint": "grace"}), switch=True)
    assert demo_server.count("/revoke") > 0


def test_a_failing_revocation_is_told_and_costs_nothing(
    demo_server: FaultyServer, make_server: Make, store: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """The newer session is kept, and a warning says what stays valid."""
    second = make_server()
    demo_server.stop()
    newer = login(Person(store=store), profile_of(second), switch=True)
    assert store.read("t") == newer
    said = capsys.readouterr().err
    assert f"tokens of ada at {demo_server.issuer} stay valid" in said


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (json_reply({"error": "invalid_client"}), True),
        (json_reply({"ok": False}), True),
        (json_reply({"error": "invalid_token"}, 401), False),
        (json_reply({"error": "invalid_grant"}, 400), False),
    ],
)
def test_a_replaced_session_that_may_live_on_is_told(
    demo_server: FaultyServer,
    make_server: Make,
    store: MemoryStore,
    capsys: pytest.CaptureFixture[str],
    reply: Reply,
    told: bool,
) -> None:
    """A 200 that names an error revoked nothing; a token that is dead already needs no word."""
    second = make_server()
    demo_server.overrides["/revoke"] = always(reply)
    login(Person(store=store), profile_of(second), switch=True)
    assert ("stay valid" in capsys.readouterr().err) is told


class LateClock(Clock):
    """A clock by which 19 seconds pass between two looks at the time since boot."""

    looks = 0

    def since_boot(self) -> float:
        """Tell the time."""
        self.looks += 1
        return 19.0 * self.looks


def test_the_end_of_a_replaced_session_has_a_deadline(
    demo_server: FaultyServer, session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is 20 seconds for all requests together, since other processes wait for the lock meanwhile."""
    demo_server.overrides["/revoke"] = always(Reply(status=200, delay=5))
    kept.end(Person(clock=LateClock()), profile_of(demo_server), session, None)
    assert "could not be revoked" in capsys.readouterr().err


# -- what cannot be kept ---------------------------------------------------------------------------


class Unwritable(Failing):
    """A keyring that cannot be written from the start."""

    broken = True


@pytest.mark.parametrize("machine", [False, True])
def test_tokens_that_nobody_keeps_are_revoked(demo_server: FaultyServer, machine: bool) -> None:
    """The keyring went away during the sign-in, and there is no older session: nothing stays alive at the server."""
    store = Unwritable()
    profile = machine_profile(demo_server) if machine else profile_of(demo_server)
    with pytest.raises(StoreError):
        login(Person(store=store), profile, "demo-ci-secret" if machine else None)
    assert demo_server.count("/revoke") > 0 and store.read("t") is None


def test_a_machine_that_begins_by_itself_ends_what_it_cannot_keep(demo_server: FaultyServer) -> None:
    """The first command of a job is a login too."""
    runtime = Runtime(here({"TOKENCTL_CLIENT_SECRET": "demo-ci-secret"}), store=Unwritable())
    with pytest.raises(StoreError):
        broker.current(runtime, machine_profile(demo_server))
    assert demo_server.count("/token") == 1 and demo_server.count("/revoke") > 0


def test_an_older_session_of_the_account_is_not_put_at_risk(demo_server: FaultyServer, session: Session) -> None:
    """Where the same person is signed in already, the newer tokens are not revoked: that could end the older ones."""
    store = Failing()
    store.write("t", session)
    store.broken = True
    with pytest.raises(StoreError):
        login(Person(store=store), profile_of(demo_server))
    assert demo_server.count("/revoke") == 0 and store.read("t") == session


@pytest.mark.parametrize("mistake", ["", "port = 0", "="], ids=["no mistake", "setting", "TOML"])
def test_another_profile_of_that_client_is_not_put_at_risk(
    demo_server: FaultyServer, tmp_path: Path, mistake: str
) -> None:
    """The account may be signed in there, so nothing is revoked; a table with a mistake may be of that client."""
    config = tmp_path / "config.toml"
    config.write_text(f'[profiles.other]\nissuer = "{demo_server.issuer}"\nclient_id = "tokenctl-demo"\n{mistake}\n')
    with pytest.raises(StoreError):
        login(Person(store=Unwritable(), config_file=str(config)), profile_of(demo_server))
    assert demo_server.count("/revoke") == 0


# -- no refresh token the second time --------------------------------------------------------------


def without_refresh_token(server: FaultyServer) -> None:
    """Let the server give a refresh token to nobody from now on, as some do after the first consent."""
    server.overrides["/token"] = rewritten(server, refresh_token=None)


def test_a_second_login_keeps_the_good_refresh_token(
    demo_server: FaultyServer, store: MemoryStore, session: Session
) -> None:
    """The access token is the newer one, the refresh token the older one, and it renews."""
    runtime, profile = Person(store=store), profile_of(demo_server)
    journal = broker.vault(runtime, profile).journal
    journal.write(replace(journal.read(session), tries=1))
    without_refresh_token(demo_server)
    again = login(runtime, profile)
    assert again.access_token != session.access_token and again.refresh_token == session.refresh_token
    assert journal.read(again).tries == 1  # what is known about that token is still known
    del demo_server.overrides["/token"]
    assert broker.renew(Runtime(store=store), profile).generation == 3 and refreshes(demo_server) == 1


@pytest.mark.parametrize("change", [{"scope": "openid api"}, {"resource": ["https://api.example"]}, {"dead": True}])
def test_a_refresh_token_for_something_else_or_a_dead_one_is_not_kept(
    demo_server: FaultyServer, store: MemoryStore, session: Session, change: dict[str, Any]
) -> None:
    """It would renew for the older target, which nobody asks for any more, or not at all."""
    runtime = Person(store=store)
    if change.pop("dead", False):
        journal = broker.vault(runtime, profile_of(demo_server)).journal
        journal.write(replace(journal.read(session), dead=True))
    without_refresh_token(demo_server)
    assert login(runtime, profile_of(demo_server, **change)).refresh_token is None


def test_another_persons_refresh_token_is_not_kept(demo_server: FaultyServer, store: MemoryStore) -> None:
    """Grace never gets a token of Ada."""
    without_refresh_token(demo_server)
    profile = profile_of(demo_server, params={"login_hint": "grace"})
    assert login(Person(store=store), profile, switch=True).refresh_token is None


def test_a_refresh_token_of_somebody_unknown_is_not_kept(demo_server: FaultyServer, store: MemoryStore) -> None:
    """Without ID tokens nobody knows whether it is the same person: their tokens must not become another one's."""
    profile = profile_of(demo_server, scope="api offline_access")
    login(Person(store=store), profile, switch=True)
    without_refresh_token(demo_server)
    assert login(Person(store=store), profile).refresh_token is None


def test_a_kept_refresh_token_renews_a_token_of_unknown_life(demo_server: FaultyServer, store: MemoryStore) -> None:
    """An access token that can be renewed does not count as good for ever."""
    demo_server.signing_key.opaque_access_tokens = True
    demo_server.overrides["/token"] = rewritten(demo_server, refresh_token=None, expires_in=None)
    again = login(Person(store=store), profile_of(demo_server))
    assert again.refresh_token is not None and again.lifetime == DEFAULT_LIFETIME


# -- by command ------------------------------------------------------------------------------------


@pytest.mark.quick
def test_a_passphrase_is_checked_before_a_machine_asks_for_a_token(home: Home, demo_server: FaultyServer) -> None:
    """An unreadable file is 2, a failing command 3, and the token endpoint is not asked."""
    config = (
        f'[profiles.t]\nissuer = "{demo_server.issuer}"\nclient_id = "tokenctl-demo-ci"\nflow = "client-credentials"\n'
    )
    environ = {"TOKENCTL_CLIENT_SECRET": "demo-ci-secret"}
    home.write_config(config)
    missing = home.run("token", environ=environ | {"TOKENCTL_PASSPHRASE_FILE": "/no/such/file"})
    assert missing.status == 2 and "/no/such/file cannot be read" in missing.stderr
    empty = home.run("token", environ=environ | {"TOKENCTL_PASSPHRASE_FILE": ""})
    assert empty.status == 2 and "TOKENCTL_PASSPHRASE_FILE is set and empty" in empty.stderr
    home.environ.pop("TOKENCTL_PASSPHRASE_FILE")
    home.write_config(config + 'passphrase_command = ["false"]\n')
    failing = home.run("token", environ=environ)
    assert failing.status == 3 and "passphrase command" in failing.stderr
    assert demo_server.count("/token") == 0
