"""A stored session answers only for what it was made for: another one is made, or the reason is told."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.support import broker
from tests.support.demo_server import Make
from tests.support.flows import Person, at, here, machine_profile, profile_of
from tests.support.job_identity import identity
from tests.support.sessions import end_of
from tokenctl.errors import LoginRequired, Refused, UsageError
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.model.session_state import OtherSession
from tokenctl.runtime import Runtime
from tokenctl.storage.memory_store import MemoryStore

SECRET = {"TOKENCTL_CLIENT_SECRET": "demo-ci-secret"}


def begun(server: FaultyServer, store: MemoryStore, **members: Any) -> Session:
    """Begin the session of a machine, as its first command does."""
    return broker.current(Runtime(here(SECRET), store=store), machine_profile(server, **members))


# -- the target ------------------------------------------------------------------------------------

CHANGES: list[dict[str, Any]] = [
    {"scope": "api read"},
    {"scope": None},
    {"resource": ["https://api.example"]},
    {"audience": "https://api.example"},
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("work", [broker.current, broker.renew])
def test_a_changed_target_of_a_machine_takes_effect_at_once(
    demo_server: FaultyServer, change: dict[str, Any], work: Any
) -> None:
    """The token of the older target is not handed out, and the request asks for the newer one."""
    store = MemoryStore()
    first = begun(demo_server, store)
    second = work(Runtime(here(SECRET), store=store), machine_profile(demo_server, **change))
    assert second.access_token != first.access_token and second.generation == 2
    form = demo_server.requests[-1].form
    wanted = machine_profile(demo_server, **change)
    assert (form.get("scope"), form.get("audience")) == (wanted.scope, wanted.audience)
    assert form.get("resource", "") == "".join(wanted.resource)
    assert broker.current(Runtime(here(SECRET), store=store), wanted) == second == store.read("t")


def test_the_same_target_in_another_order_is_the_same(demo_server: FaultyServer) -> None:
    """Scopes and resources are sets."""
    store = MemoryStore()
    two = {"scope": "api read", "resource": ["urn:a", "urn:b"]}
    first = begun(demo_server, store, **two)
    assert begun(demo_server, store, scope="read  api", resource=["urn:b", "urn:a"]) == first


def test_the_secret_in_the_store_begins_again_with_another_target(demo_server: FaultyServer) -> None:
    """A machine that was signed in once needs nobody for a changed scope."""
    store = MemoryStore()
    first = begun(demo_server, store)
    store.write_secret("t", "demo-ci-secret")
    second = broker.current(Runtime(store=store), machine_profile(demo_server, scope="api read"))
    assert second.access_token != first.access_token


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("work", [broker.current, broker.renew])
def test_a_changed_target_of_a_person_needs_a_sign_in(
    demo_server: FaultyServer, store: MemoryStore, session: Session, change: dict[str, Any], work: Any
) -> None:
    """Exit 4 with what changed; nothing is sent, and the session is not changed."""
    before = len(demo_server.requests)
    with pytest.raises(LoginRequired, match=r"was made for the .* and the profile now asks for") as caught:
        work(Runtime(store=store), profile_of(demo_server, **change))
    assert "tokenctl login -p t" in (caught.value.hint or "")
    assert len(demo_server.requests) == before and store.read("t") == session


# -- the flow --------------------------------------------------------------------------------------


@pytest.mark.parametrize("work", [broker.current, broker.renew])
def test_a_machine_gets_no_persons_token_and_takes_no_persons_place(
    demo_server: FaultyServer, store: MemoryStore, session: Session, work: Any
) -> None:
    """Also with its credentials at hand; and no hint tells a person to replace their session by a machine's."""
    profile = machine_profile(demo_server, client_id="tokenctl-demo")
    with pytest.raises(LoginRequired, match="begun by the flow browser") as caught:
        work(Runtime(here(SECRET), store=store), profile)
    assert "tokenctl login" not in (caught.value.hint or "")
    assert store.read("t") == session and demo_server.count("/token", "client_credentials") == 0


def test_a_person_gets_no_machines_token(demo_server: FaultyServer) -> None:
    """The profile says browser, and the session is a machine's: a person has to sign in."""
    store = MemoryStore()
    begun(demo_server, store)
    with pytest.raises(LoginRequired, match="begun by the flow client-credentials"):
        broker.current(Runtime(store=store), profile_of(demo_server, client_id="tokenctl-demo-ci", scope="api"))


@pytest.mark.parametrize("flow", ["auto", "device"])
def test_a_person_may_have_come_another_way(
    store: MemoryStore, session: Session, flow: str, demo_server: FaultyServer
) -> None:
    """Browser and device code are ways to the same session."""
    assert broker.current(Runtime(store=store), profile_of(demo_server, flow=flow)) == session


# -- who presents it -------------------------------------------------------------------------------


def test_another_client_secret_gets_no_token_of_the_first(demo_server: FaultyServer) -> None:
    """It is for the server to say whether it is right; the first session stays until then."""
    store = MemoryStore()
    first = begun(demo_server, store)
    with pytest.raises(Refused):
        broker.current(Runtime(here({"TOKENCTL_CLIENT_SECRET": "another"}), store=store), machine_profile(demo_server))
    assert store.read("t") == first and "demo-ci-secret" not in str(first.identity)


def test_a_private_key_is_compared_too(demo_server: FaultyServer, tmp_path: Path) -> None:
    """Another key file is another machine; the same one is not read into any message."""
    key = tmp_path / "key.pem"
    key.write_text("one")
    key.chmod(0o600)
    store, profile = MemoryStore(), machine_profile(demo_server, client_key_file=str(key))
    store.write("t", replace(begun(demo_server, MemoryStore()), identity=None))
    for text in ("one", "two"):
        key.write_text(text)
        with pytest.raises(UsageError, match="key"):  # it is no key, and it would be presented
            broker.current(Runtime(store=store), profile)


TOKENS = {
    "access_token": "a",
    "token_type": "Bearer",
    "expires_in": 900,
    "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
}


@pytest.fixture
def exchanged(demo_server: FaultyServer) -> FaultyServer:
    """A server that gives each identity an access token of its own."""

    def give(request: Received) -> Reply:
        return json_reply(TOKENS | {"access_token": f"for-{request.form['subject_token']}"})

    demo_server.overrides["/token"] = give
    return demo_server


def job(server: FaultyServer, **members: Any) -> Profile:
    """Make the profile of a job."""
    return profile_of(server, **{"client_id": "job", "flow": "workload", "source": "env", "scope": "api", **members})


def works(server: FaultyServer, store: MemoryStore, environ: Mapping[str, str], **members: Any) -> str:
    """Run a command of a job, and return its token."""
    return broker.current(Runtime(here(environ), store=store), job(server, **members)).access_token


@pytest.mark.parametrize("source", ["env", "auto", "gitlab", "file", "command"])
@pytest.mark.parametrize("other", [{"sub": "repo:eve/engine"}, {"iss": "https://other.example"}])
def test_a_second_job_never_gets_the_first_jobs_token(
    exchanged: FaultyServer, tmp_path: Path, source: str, other: dict[str, str]
) -> None:
    """Another subject or issuer begins its own session; a new token of the same job does not."""
    store, file = MemoryStore(), tmp_path / "token"
    members = {"source": source, "source_file": str(file), "source_command": ["cat", str(file)]}

    def run(token: str) -> str:
        file.write_text(token)
        environ = {"PATH": os.environ["PATH"]}
        environ |= {"TOKENCTL_ID_TOKEN": token} if source in ("env", "auto", "gitlab") else {}
        return works(exchanged, store, environ, **members)

    mine, again, theirs = identity(jti="1"), identity(jti="2"), identity(jti="3", **other)
    assert [run(each) for each in (mine, again, theirs, theirs)] == [
        f"for-{each}" for each in (mine, mine, theirs, theirs)
    ]
    assert exchanged.count("/token") == 2


def test_a_job_is_told_apart_without_asking_its_platform(exchanged: FaultyServer, make_server: Make) -> None:
    """The commands of one job ask for one identity; another job on the same machine asks for its own."""
    runner, store = make_server(), MemoryStore()
    given = [identity(jti=str(number), sub=f"job {number}") for number in (1, 2)]
    runner.overrides = {"/id": lambda _: json_reply({"value": given[runner.count("/id") - 1]})}

    def run(bearer: str) -> str:
        names = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
        return works(exchanged, store, dict(zip(names, (f"{runner.issuer}/id", bearer), strict=True)), source="github")

    assert [run(each) for each in "aabb"] == [f"for-{each}" for each in (given[0], given[0], given[1], given[1])]
    assert runner.count("/id") == 2


def test_a_renewal_presents_the_identity_of_the_session(exchanged: FaultyServer, make_server: Make) -> None:
    """A platform that gives another identity than before gets no token into the session, and no request is sent."""
    runner, store = make_server(), MemoryStore()
    runner.overrides = {"/id": lambda _: json_reply({"value": identity(sub=f"job {runner.count('/id')}")})}
    names = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    runtime = Runtime(here(dict(zip(names, (f"{runner.issuer}/id", "a"), strict=True))), store=store)
    profile = job(exchanged, source="github")
    first = broker.current(runtime, profile)
    with pytest.raises(LoginRequired, match="was made for job 1, and this job is another one"):
        broker.renew(runtime, profile)
    assert store.read("t") == first and exchanged.count("/token") == 1


def test_an_opaque_identity_stands_for_itself(exchanged: FaultyServer) -> None:
    """Nothing tells whose it is, so another one is another job's."""
    store = MemoryStore()
    assert [works(exchanged, store, {"TOKENCTL_ID_TOKEN": each}) for each in "xxy"] == ["for-x", "for-x", "for-y"]


# -- older documents, other processes, other servers -----------------------------------------------


def test_an_older_document_of_a_person_is_accepted_and_becomes_known(
    demo_server: FaultyServer, session: Session
) -> None:
    """A session that does not say what it was made for is used, and its successor says it."""
    store = MemoryStore()
    store.write("t", replace(session, requested_scope=None))
    assert broker.current(Runtime(store=store), profile_of(demo_server)).access_token == session.access_token
    assert broker.renew(Runtime(store=store), profile_of(demo_server)).requested_scope == session.requested_scope
    with pytest.raises(LoginRequired):
        broker.current(Runtime(store=store), profile_of(demo_server, scope="openid"))


def test_a_session_that_another_job_put_there_meanwhile_is_not_handed_out(demo_server: FaultyServer) -> None:
    """What counts is what is stored under the lock: it is another job's, so this one begins its own."""
    others = MemoryStore()
    theirs = begun(demo_server, others, scope="api read")
    own = MemoryStore()
    mine = begun(demo_server, own)

    class Changing(MemoryStore):
        def read(self, name: str) -> Session | None:
            found = super().read(name)
            if found == mine:
                self.write(name, theirs)
            return found

    store = Changing()
    store.write("t", mine)
    runtime = at(end_of(mine), store, environ=SECRET)
    found = broker.current(runtime, machine_profile(demo_server))
    assert found.access_token not in (mine.access_token, theirs.access_token)
    assert found.requested_scope == "api" and store.read("t") == found


def test_a_stored_secret_goes_to_no_other_server(demo_server: FaultyServer, make_server: Make) -> None:
    """After a change of the profile's issuer the secret from the store is not sent, whatever command is given."""
    store, thief = MemoryStore(), make_server()
    begun(demo_server, store)
    store.write_secret("t", "demo-ci-secret")
    moved = machine_profile(demo_server, issuer=thief.issuer)
    for work in (broker.current, broker.renew):
        with pytest.raises(LoginRequired, match="now says"):
            work(Runtime(store=store), moved)
    assert thief.requests == []


def test_a_person_who_signs_in_says_what_for(demo_server: FaultyServer) -> None:
    """The session records what was asked for, which may be more than what was granted."""
    session = broker.sign_in(Person(), profile_of(demo_server, audience="a", scope=None))
    assert (session.requested_scope, session.audience, session.identity) == ("", "a", None)


def test_a_job_without_a_credential_gets_no_token_that_a_machine_kept(demo_server: FaultyServer) -> None:
    """The profile `env` without a secret is not the job that kept a session there."""
    store = MemoryStore()
    kept = broker.current(Runtime(here(SECRET), store=store), replace(machine_profile(demo_server), name="env"))
    without = replace(profile_of(demo_server, client_id=kept.client_id, scope="api", flow=None), name="env")
    with pytest.raises(OtherSession, match="has no credential of it"):
        broker.current(Runtime(here({}), store=store), without)


def test_a_secret_that_was_kept_for_another_server_stays_here(demo_server: FaultyServer, make_server: Make) -> None:
    """The machine began again at a second server, with the secret of the environment: only that one goes there."""
    second, store = make_server(), MemoryStore()
    begun(demo_server, store)
    store.write_secret("t", "kept for the first server")
    begun(second, store)
    before = len(second.requests)
    for profile in (machine_profile(second), machine_profile(second, scope="api read")):
        with pytest.raises(LoginRequired):
            broker.renew(Runtime(store=store), profile)
    assert len(second.requests) == before


def test_a_second_login_of_a_machine_is_its_session_too(demo_server: FaultyServer) -> None:
    """What the machine presented is compared under the key of the session that is kept."""
    store, runtime = MemoryStore(), Runtime(here(SECRET))
    profile = machine_profile(demo_server)
    for _ in range(2):
        session = broker.sign_in(
            runtime,
            profile,
            client_secret="demo-ci-secret",
            keep=lambda new: broker.keep(Runtime(store=store), profile, new),
        )
    assert broker.current(Runtime(here(SECRET), store=store), profile) == session
