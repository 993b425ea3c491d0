"""The doctor goes the way of `token`, and changes nothing on it."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.doctor.conftest import Setup
from tokenctl.errors import LoginRequired, StoreDamaged, UsageError
from tokenctl.model.event import Event

Picture = dict[str, tuple[int, int, int]]


def picture(folder: Path) -> Picture:
    """Mode, size and time of every file."""
    found = {str(each): each.lstat() for each in sorted(folder.rglob("*"))}
    return {name: (each.st_mode, each.st_size, each.st_mtime_ns) for name, each in found.items()}


@pytest.mark.parametrize(
    ("left", "state", "asks"), [(900, "fresh", False), (30, "stale", False), (-1, "expired", True)]
)
def test_only_a_token_that_has_ended_needs_the_server(setup: Setup, left: int, state: str, asks: bool) -> None:
    """A token that is renewed soon is given away all the same, if the server does not answer."""
    setup.sign_in(left)
    case = setup.case()
    assert (case.state, case.asks_server, case.problem) == (state, asks, None)
    assert case.session is not None and case.profile is not None and case.profile.name == "t"


def test_nobody_is_signed_in(setup: Setup) -> None:
    """Then a person has to sign in, and no folder is made for that."""
    case = setup.case()
    assert isinstance(case.failed_at("session"), LoginRequired) and not case.asks_server
    assert not setup.state.exists()


def test_a_machine_begins_by_itself(setup: Setup) -> None:
    """With its secret at hand, it needs the server and no login."""
    setup.write("t", more='flow = "client-credentials"\n')
    assert isinstance(setup.case().problem, LoginRequired)
    case = setup.case(environ={"TOKENCTL_CLIENT_SECRET": "s3cr3t"})
    assert (case.problem, case.asks_server) == (None, True)


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ('client_id = "c"\n', "has no issuer"),
        ('issuer = "https://a.example"\n', "has no client_id"),
        ('client_id = "c"\nissuer = "a.example"\n', "is not an https URL"),
        ('issuer = "https://a.example"\nflow = "api-key"\n', "does not say how its token API is called"),
    ],
)
def test_what_a_machine_lacks_in_its_profile_is_foreseen(setup: Setup, profile: str, said: str) -> None:
    """`token` ends with 2 before it asks a server, and so the doctor knows it without a network."""
    flow = "" if "flow" in profile else 'flow = "client-credentials"\n'
    setup.config.write_text(f'[profiles.t]\nstore = "memory"\n{profile}{flow}')
    case = setup.case(environ={"TOKENCTL_CLIENT_SECRET": "s3cr3t"} if flow else {"TOKENCTL_API_KEY": "s3cr3t"})
    problem = case.failed_at("session")
    assert isinstance(problem, UsageError) and said in problem.message and not case.asks_server


def test_looking_changes_no_file(setup: Setup, tmp_path: Path) -> None:
    """Neither in the state directory nor in the keyring, whatever state the session is in."""
    for left in (900, -1):
        setup.sign_in(left)
        before = picture(tmp_path)
        setup.case()
        assert picture(tmp_path) == before


@pytest.mark.parametrize(
    ("environ", "step"),
    [
        ({"TOKENCTL_PROFILE": "other"}, "profile"),
        ({"TOKENCTL_CONFIG": "/nonexistent"}, "profile"),
        ({"TOKENCTL_STATE_DIR": "relative"}, "state"),
        ({"TOKENCTL_STATE_DIR": "/dev/null/x"}, "state"),
        ({"TOKENCTL_STORE": "file"}, "reading"),
        ({"TOKENCTL_SCOPE": "more"}, "session"),
    ],
)
def test_the_step_that_fails_is_known(setup: Setup, environ: dict[str, str], step: str) -> None:
    """With the error of `token`, whose status counts."""
    setup.sign_in(scope="less")
    case = setup.case(environ=environ)
    assert case.step == step and case.problem is not None and case.problem.exit_status in (2, 5)


def test_a_state_directory_that_others_can_write_to(setup: Setup) -> None:
    """It is refused in the words of `token`, and stays as it is."""
    setup.sign_in()
    setup.state.chmod(0o777)
    assert isinstance(setup.case().failed_at("state"), UsageError)
    assert setup.state.stat().st_mode & 0o777 == 0o777


def test_a_refresh_token_that_is_dead_counts_when_the_access_token_has_ended(setup: Setup) -> None:
    """Until then `token` has something to give away."""
    for left, problem in ((900, None), (-1, LoginRequired)):
        session = setup.sign_in(left)
        journal = setup.vault().journal
        journal.write(replace(journal.read(session), dead=True))
        found = setup.case().problem
        assert found is None if problem is None else isinstance(found, problem)


def test_a_journal_that_is_damaged_stops_a_renewal(setup: Setup) -> None:
    """The status is that of the store."""
    path = setup.vault().journal.path(setup.sign_in(-1))
    path.write_text("nonsense")
    path.chmod(0o600)
    assert isinstance(setup.case().problem, StoreDamaged)


def test_a_session_of_another_state_directory_is_not_renewed_here(setup: Setup) -> None:
    """A fresh token is given away, and one that has ended is exit 2."""
    other = {"TOKENCTL_STATE_DIR": f"{setup.state}-2"}
    setup.sign_in()
    assert setup.case(environ=other).problem is None
    setup.sign_in(-1)
    assert isinstance(setup.case(environ=other).problem, UsageError)
    assert not os.path.exists(other["TOKENCTL_STATE_DIR"])


@pytest.mark.parametrize(
    ("more", "environ", "status"),
    [
        ('flow = "workload"\nsource = "env"\n', {"ID_TOKEN": "e30.e30.x"}, None),
        ('flow = "workload"\nsource = "file"\nsource_file = "/nonexistent"\n', {}, 2),
        ('flow = "workload"\nsource = "azure"\n', {}, 2),
        ('flow = "workload"\n', {}, 2),
        ('flow = "client-credentials"\n', {"CLIENT_SECRET": "a\tb"}, 2),
        ('flow = "client-credentials"\nclient_key_file = "/nonexistent"\n', {}, 2),
        ('flow = "client-credentials"\nstore = "memory"\n', {"CLIENT_SECRET": "s3cr3t"}, None),
        ('store = "memory"\n', {}, 2),
    ],
)
def test_what_a_machine_lacks_is_seen_before_a_request(
    setup: Setup, more: str, environ: dict[str, str], status: int | None
) -> None:
    """Its secret, its key or its identity: `token` ends with the same status, and the server is not asked."""
    key = 'token_endpoint_auth_method = "private_key_jwt"\n' if "key_file" in more else ""
    setup.write("t", more=f"{more}{key}")
    case = setup.case("t", {f"TOKENCTL_{name}": value for name, value in environ.items()})
    assert getattr(case.problem, "exit_status", None) == status, case.problem
    assert case.asks_server is (status is None)


def test_an_identity_that_cannot_be_had_is_explained_on_a_page(setup: Setup) -> None:
    """As `token` does it, since there is no shorter way out."""
    setup.write("t", more='flow = "workload"\nsource = "file"\nsource_file = "/nonexistent"\n')
    problem = setup.case("t").problem
    assert problem is not None and "tokenctl help ci" in (problem.next_step or "")


def test_who_only_looks_writes_no_event(setup: Setup) -> None:
    """Also not of a keyring that fails while it looks."""
    setup.sign_in()
    vault = setup.case().vault
    assert vault is not None
    vault.record(Event(event="keyring-failed", profile="t", result="failed"))
    assert not (setup.state / ".events").exists()
