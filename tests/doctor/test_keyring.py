"""The keyring is looked at as `token` looks at it, and only `--write-test` writes to it."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.servers.kwallet import KWallet
from tests.servers.secret_service import SecretService
from tests.support.examined import case_of, process_environ, said, statuses
from tests.support.ring import Ring
from tests.support.sessions import SECRET, session
from tokenctl.adapters.log_terminal import LogTerminal
from tokenctl.doctor import keyring
from tokenctl.doctor.case import Case
from tokenctl.model.profile import Profile
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults

RING = f"{Ring.__module__}.Ring"


@pytest.fixture(autouse=True)
def ring_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the keyring of these tests keeps its entries in."""
    monkeypatch.setenv("TEST_RING", str(tmp_path / "ring.json"))
    return tmp_path / "ring.json"


def profile(backend: str = RING, **members: object) -> Profile:
    """A profile with a keyring of these tests."""
    return Profile(name="t", keyring_backend=backend, **members)  # type: ignore[arg-type]


def signed_in(chosen: Profile, environ: dict[str, str] | None = None) -> None:
    """Keep a session, as a login does."""
    vaults.open_for_login(Runtime(environ or process_environ()), chosen).keep(session())


def entries(ring_file: Path) -> dict[str, str]:
    """What the keyring has."""
    return dict(json.loads(ring_file.read_text())) if ring_file.exists() else {}


def test_a_keyring_that_answers_is_named() -> None:
    """It is unlocked when the session could be read, and no token is told."""
    signed_in(profile())
    found = [*keyring.look(case_of(profile()))]
    assert statuses(found) == [("keyring", "ok", 0)]
    assert "is unlocked" in found[0].sentence and found[0].more["backend"] == RING
    assert SECRET not in said(found)


def test_before_a_login_the_keyring_of_a_login_is_named() -> None:
    """Nobody has signed in, so the profile's keyring is the one that counts."""
    (found,) = keyring.look(case_of(profile()))
    assert found.status == "ok" and "a login would keep its session there" in found.sentence
    assert "unlocked" not in found.sentence


def test_nothing_is_written_without_the_option(ring_file: Path) -> None:
    """Neither the keyring nor the profile's folder changes."""
    signed_in(profile())
    state = Path(os.environ["TOKENCTL_STATE_DIR"])
    before = entries(ring_file), sorted(state.rglob("*"))
    assert [*keyring.look(case_of(profile()))]
    assert (entries(ring_file), sorted(state.rglob("*"))) == before


def test_the_write_test_leaves_nothing(ring_file: Path) -> None:
    """An entry of its own is written, read and removed, and the session stays."""
    signed_in(profile())
    before = entries(ring_file)
    found = [*keyring.look(case_of(profile(), write_test=True))]
    assert statuses(found) == [("keyring", "ok", 0), ("write test", "ok", 0)]
    assert entries(ring_file) == before


@pytest.mark.parametrize("name", ["Forgetful", "Deaf"])
def test_a_keyring_that_loses_what_is_written_is_told(ring_file: Path, name: str) -> None:
    """A login would end with 3; the entry is removed also when it could not be read back."""
    found = [*keyring.look(case_of(profile(f"{Ring.__module__}.{name}"), write_test=True))]
    assert statuses(found) == [("keyring", "ok", 0), ("write test", "failed", 3)]
    assert entries(ring_file) == {}


def test_a_locked_keyring_is_told_as_locked() -> None:
    """With the words and the status of `token`, and without a write test."""
    found = [*keyring.look(case_of(profile(f"{Ring.__module__}.Locked"), write_test=True))]
    assert statuses(found) == [("keyring", "failed", 3)]
    assert "is locked" in found[0].sentence and "unlock" in (found[0].remedy or "")


@pytest.mark.parametrize(
    ("backend", "said_of_it"),
    [
        ("keyrings.alt.file.PlaintextKeyring", "keeps it in plain text"),
        ("keyring.backends.null.Keyring", "keeps nothing"),
        ("no.such.Keyring", "is not installed"),
    ],
)
def test_a_keyring_that_token_refuses_is_refused(backend: str, said_of_it: str) -> None:
    """In the words of `token`."""
    (found,) = keyring.look(case_of(profile(backend)))
    assert (found.status, found.exit_status) == ("failed", 3)
    assert said_of_it in found.sentence and "--store file" in (found.remedy or "")


def test_the_variable_of_another_store_is_told() -> None:
    """The session is in one store, and TOKENCTL_STORE names another one: `token` ends with 2."""
    signed_in(profile())
    case = case_of(profile())
    runtime = Runtime(process_environ(TOKENCTL_STORE="file"))
    moved = Case(runtime=runtime, name="t", profile=profile(), vault=vaults.open(runtime, profile()))
    assert statuses(keyring.look(case)) == [("keyring", "ok", 0)]
    assert statuses(keyring.look(moved)) == [("keyring", "failed", 2)]


# -- the file store ------------------------------------------------------------------------------------------


def test_the_source_of_the_passphrase_is_named(tmp_path: Path) -> None:
    """The file is opened as `token` opens it, and the write test leaves no file."""
    (tmp_path / "passphrase").write_text("correct horse\n")
    environ = process_environ(TOKENCTL_PASSPHRASE_FILE=str(tmp_path / "passphrase"))
    in_file = Profile(name="t", store="file")
    signed_in(in_file, environ)
    state = Path(os.environ["TOKENCTL_STATE_DIR"])
    before = sorted(state.rglob("*"))
    found = [*keyring.look(case_of(in_file, environ, write_test=True))]
    assert statuses(found) == [("keyring", "ok", 0), ("write test", "ok", 0)]
    assert "passphrase from TOKENCTL_PASSPHRASE_FILE" in found[0].sentence and "correct horse" not in said(found)
    assert sorted(state.rglob("*")) == before


def test_a_passphrase_that_nobody_gives_is_told() -> None:
    """`token` cannot ask here either."""
    in_file = Profile(name="t", store="file")
    signed_in(in_file, process_environ(TOKENCTL_PASSPHRASE="correct horse"))
    runtime = Runtime(process_environ(), terminal=LogTerminal({}))
    case = Case(runtime=runtime, name="t", profile=in_file, vault=vaults.open(runtime, in_file))
    (found,) = keyring.look(case)
    assert (found.status, found.exit_status) == ("failed", 3)
    assert "TOKENCTL_PASSPHRASE_FILE" in (found.remedy or "")


def test_the_memory_store_needs_no_keyring() -> None:
    """A machine signs in again each time."""
    machine = Profile(name="t", store="memory", flow="client-credentials")
    (found,) = keyring.look(case_of(machine, write_test=True))
    assert found.status == "ok" and "memory" in found.sentence


# -- real keyrings -------------------------------------------------------------------------------------------


def test_a_real_keyring_is_looked_at_and_left_as_it_is(secret_service: SecretService) -> None:
    """Locked, it stays locked and is told so; when its program is gone, that is told; nothing is started."""
    environ = process_environ(**secret_service.environ)
    real = Profile(name="t")
    signed_in(real, environ)
    found = [*keyring.look(case_of(real, environ, write_test=True))]
    assert statuses(found) == [("keyring", "ok", 0), ("write test", "ok", 0)]
    assert "collection 'login'" in found[0].sentence
    assert secret_service.lookup("tokenctl:t@doctor", "session") is None
    secret_service.lock()
    (locked,) = keyring.look(case_of(real, environ))
    assert (locked.status, locked.exit_status) == ("failed", 3) and "locked" in locked.sentence
    assert statuses(keyring.look(case_of(real, environ))) == [("keyring", "failed", 3)]  # it was not unlocked
    secret_service.kill()
    (gone,) = keyring.look(case_of(real, environ))
    assert (gone.status, gone.exit_status) == ("failed", 3)


def test_a_closed_wallet_stays_closed(kwallet: KWallet) -> None:
    """KWallet would open a window to ask for its password."""
    environ = process_environ(**kwallet.environ)
    signed_in(Profile(name="t"), environ)
    kwallet.start_locked()
    (found,) = keyring.look(case_of(Profile(name="t"), environ))
    assert (found.status, found.exit_status) == ("failed", 3) and "locked" in found.sentence


def test_a_store_that_was_asked_is_not_asked_again(tmp_path: Path) -> None:
    """The passphrase command can take a minute, or ask a person."""
    counted = tmp_path / "counted"
    command = ("sh", "-c", f"echo once >>{counted}; false")
    chosen = Profile(name="t", store="file", passphrase_command=command)
    given = process_environ(TOKENCTL_STATE_DIR=str(tmp_path / "state"))
    signed_in(chosen, {**given, "TOKENCTL_PASSPHRASE": "correct horse"})
    case = case_of(chosen, given)
    found = [*keyring.look(replace(case, step="reading"))]
    assert statuses(found) == [("keyring", "failed", 3)] and "passphrase command" in found[0].sentence
    assert counted.read_text() == "once\n"
