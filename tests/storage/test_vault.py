"""The vault: what one profile has stored, opened once, and followed where another run moves it."""

import os
from pathlib import Path

import pytest

from tests.support.real_parts import Missing, available
from tests.support.ring import Ring
from tests.support.sessions import ID, session
from tokenctl import fast_path
from tokenctl.errors import StoreUnavailable, UsageError
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.model.store import StoreChoice
from tokenctl.runtime import Runtime
from tokenctl.storage import machine, store_choice, vault
from tokenctl.storage.journal import clean_entry
from tokenctl.storage.local_vault import LocalVault
from tokenctl.storage.memory_store import MemoryStore
from tokenctl.storage.memory_vault import MemoryVault
from tokenctl.storage.store_choice import Choices
from tokenctl.storage.vault import Vault

PROFILE = Profile(name="t", keyring_backend=f"{Ring.__module__}.Ring")


@pytest.fixture(autouse=True)
def ring_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the keyring of these tests keeps its entries in."""
    monkeypatch.setenv("TEST_RING", str(tmp_path / "ring.json"))
    return tmp_path / "ring.json"


class Broken(MemoryStore):
    """A store that takes nothing more."""

    def write(self, name: str, session: Session) -> None:
        """Fail."""
        raise StoreUnavailable("the keyring went away")


def folder() -> Path:
    """The profile's folder."""
    return Path(os.environ["TOKENCTL_STATE_DIR"]) / "t"


def behind(opened: Vault) -> bool:
    """Tell whether a committed session is not in the store yet."""
    return opened.behind


def choices() -> Choices:
    """What this machine's store choice says."""
    return store_choice.read(folder(), machine.machine_id())


def choose(chosen: StoreChoice | None) -> None:
    """Write that the session is in that store."""
    store_choice.write(folder(), machine.machine_id(), Choices(chosen))


def locally(opened: Vault) -> LocalVault:
    """Expect the vault of this machine."""
    assert isinstance(opened, LocalVault)
    return opened


def test_a_profile_that_keeps_nothing_has_a_vault_too() -> None:
    """It has the same members, leaves no file, and its lock cannot be inherited."""
    opened = vault.open(Runtime(), Profile(name="t", store="memory"))
    assert isinstance(opened, MemoryVault) and not opened.lasting
    with opened.exclusive():
        opened.commit(session(2))
        assert opened.newest() == session(2)
    opened.forget()
    assert opened.newest() is None and not folder().exists()


def test_what_is_committed_is_read_before_it_is_published() -> None:
    """The newer of redo log and store counts, and the redo log stays as a mirror."""
    opened = vault.open(Runtime(), PROFILE)
    opened.keep(session(1))
    assert opened.newest() == session(1) and not behind(opened)
    opened.reserve(session(1))
    opened.commit(session(2))
    assert opened.newest() == session(2) and behind(opened) and opened.store.read("t") == session(1)
    opened.publish(session(2))
    assert not behind(opened) and opened.store.read("t") == session(2)
    assert (folder() / f"redo.{ID}").exists()


def test_whether_anything_was_done_to_a_session_is_told_without_the_store(ring_file: Path) -> None:
    """A committed successor tells it, a journal, and a redo log that nobody can read; the keyring is not asked."""
    opened = vault.open(Runtime(), PROFILE)
    opened.keep(session(1))
    ring_file.unlink()
    assert opened.unchanged(session(1)) and opened.unchanged(session(2))
    opened.journal.write(clean_entry(session(1)))
    assert not opened.unchanged(session(1))
    opened.journal.remove(session(1))
    opened.commit(session(2))
    assert not opened.unchanged(session(1)) and opened.unchanged(session(2))
    (folder() / f"redo.{ID}").write_bytes(b"?")
    assert not opened.unchanged(session(2))


def test_a_keyring_that_comes_back_with_an_older_session_is_overruled() -> None:
    """Some keyrings write to the disk seconds later: killed before that, they have the session before the renewal."""
    opened = vault.open(Runtime(), PROFILE)
    opened.keep(session(1))
    opened.commit(session(2))
    opened.publish(session(2))
    opened.store.write("t", session(1))
    later = vault.open(Runtime(), PROFILE)
    assert later.newest() == session(2) and behind(later)
    with later.exclusive():
        assert later.recover() == session(2) == later.store.read("t")


def test_whoever_holds_the_lock_finishes_what_a_run_before_left() -> None:
    """A committed session gets to the store."""
    first = vault.open(Runtime(), PROFILE)
    first.keep(session(1))
    first.commit(session(2))
    later = vault.open(Runtime(), PROFILE)
    assert later.recover() == session(2) == later.store.read("t") and not behind(later)


def test_the_redo_log_of_another_session_is_left_alone() -> None:
    """Two keyrings and one home directory: a renewal does not touch what it cannot read."""
    other = session(7, id="f" * 16)
    opened = vault.open(Runtime(), PROFILE)
    opened.keep(session(1))
    opened.commit(other)
    for generation in (1, 2):
        assert opened.recover() == session(generation)
        opened.commit(session(generation + 1))
        opened.publish(session(generation + 1))
    assert (folder() / f"redo.{other.id}").exists()


def test_a_session_that_is_neither_committed_nor_stored_is_an_error() -> None:
    """Nothing is said to be safe that is not."""
    opened = vault.open(Runtime(store=Broken()), PROFILE)
    with pytest.raises(StoreUnavailable, match="could not be saved"):
        opened.publish(session(2))
    opened.commit(session(2))
    opened.publish(session(2))  # only a warning: the next run has it


def test_a_commit_settles_what_the_journal_has() -> None:
    """The refresh token that was presented has a successor, so nothing speaks against it any more."""
    opened = vault.open(Runtime(), PROFILE)
    opened.journal.write(opened.journal.read(session(1)).about_to_ask(presenting=True))
    assert opened.journal.read(session(1)).tries == 1
    opened.commit(session(2))
    assert opened.journal.read(session(1)).tries == 0


def test_the_store_is_the_one_that_the_last_login_chose() -> None:
    """And for a login the one that the profile asks for now."""
    vault.open_for_login(Runtime(), PROFILE).keep(session(1))
    changed = Profile(name="t", store="file")
    assert vault.open(Runtime(), changed).store.kind == "keyring"
    login = vault.open_for_login(Runtime(), changed)
    assert login.store.kind == "file" and login.previous is not None and login.previous.kind == "keyring"


def test_a_login_into_the_same_store_opens_it_once() -> None:
    """A person is not asked twice for one passphrase."""
    vault.open_for_login(Runtime(), PROFILE).keep(session(1))
    login = vault.open_for_login(Runtime(), PROFILE)
    assert login.previous is login.store


def test_a_store_that_the_environment_contradicts_is_refused() -> None:
    """Two stores with a session each would be two refresh tokens."""
    vault.open_for_login(Runtime(), PROFILE).keep(session(1))
    with pytest.raises(UsageError, match="is in the keyring store, and TOKENCTL_STORE is file"):
        _ = vault.open(Runtime({**os.environ, "TOKENCTL_STORE": "file"}), PROFILE).store


FILE_CHOICE = StoreChoice("file", "tokenctl.storage.file_keyring.EncryptedFile")


def test_a_vault_follows_a_session_that_moves() -> None:
    """A command that runs for hours goes on after `store migrate`, and a store that was opened once stays open."""
    vault.open_for_login(Runtime(), PROFILE).keep(session(1))
    long_lived = locally(vault.open(Runtime(), PROFILE))
    before, choice = long_lived.store, choices().current
    assert choice is not None
    choose(FILE_CHOICE)
    assert long_lived.store is before
    long_lived.follow()
    in_file = long_lived.store
    assert in_file.kind == "file"
    for chosen, store in ((choice, before), (FILE_CHOICE, in_file)):
        choose(chosen)
        long_lived.follow()
        assert long_lived.store is store


def test_the_store_is_chosen_again_under_the_lock() -> None:
    """While a process waited for the lock, the session can have moved: the old copy must not be used."""
    vault.open_for_login(Runtime(), PROFILE).keep(session(1))
    for opened in (vault.open(Runtime(), PROFILE), vault.open_for_login(Runtime(), PROFILE)):
        assert opened.newest() == session(1)
        before = opened.previous or opened.store
        choice = choices().current
        assert before.kind == "keyring" and choice is not None
        choose(FILE_CHOICE)
        with opened.exclusive():
            assert (opened.previous or opened.store).kind == "file"
        choose(choice)


def test_a_machines_first_session_leaves_its_store_open() -> None:
    """What was opened to keep it is what its choice means from then on."""
    opened = vault.open(Runtime(), PROFILE)
    with opened.exclusive():
        before = opened.store
        opened.keep(session(1))
    opened.follow()
    assert opened.store is before


def test_a_folder_that_was_removed_is_made_again(tmp_path: Path) -> None:
    """A command that runs for hours is not stopped by that for good."""
    opened = vault.open(Runtime(), PROFILE)
    folder().rename(tmp_path / "elsewhere")
    opened.follow()
    with opened.exclusive():
        assert folder().is_dir()


def test_narrower_tokens_are_kept_beside_the_session_and_go_with_it() -> None:
    """Each has its own entry; forgetting them leaves the session."""
    opened = vault.open(Runtime(), PROFILE)
    opened.keep(session(1))
    opened.keep_narrower("a1", session(2))
    assert opened.narrower("a1") == session(2) and opened.narrower("b2") is None
    opened.forget_narrower()
    assert opened.narrower("a1") is None and opened.newest() == session(1)
    opened.keep_narrower("a1", session(2))
    opened.forget()
    assert opened.newest() is None and opened.narrower("a1") is None


# -- copies for the fast way --------------------------------------------------------------------------


def test_the_lock_removes_copies_when_it_is_taken_and_when_it_is_given_back() -> None:
    """A copy from before a change is gone while the session changes, and one that came meanwhile is gone after that."""
    kernel = fast_path._open()
    if kernel is None:
        with available():
            raise Missing("no kernel keyring that this process may use")
    assert kernel is not None
    opened = vault.open(Runtime(), PROFILE)
    name = f"tokenctl:1|lock|{folder()}"
    copy = f"token=AT\nprofile=t\n\n{fast_path.see(str(folder()))}"
    kernel.add(name, copy, 60)
    assert copy.encode() in dict(kernel._own()).values()
    with opened.exclusive():
        assert copy.encode() not in dict(kernel._own()).values()
        kernel.add(name, copy, 60)
    assert copy.encode() not in dict(kernel._own()).values()
