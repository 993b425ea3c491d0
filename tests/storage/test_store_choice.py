"""The store choice: where a session was put."""

import json
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.responses import only, values
from tokenctl.errors import StoreDamaged, UsageError
from tokenctl.model.store import StoreChoice
from tokenctl.storage import store_choice
from tokenctl.storage.store_choice import Choices

KEYRING = StoreChoice("keyring", "keyring.backends.SecretService.Keyring")
FILE = StoreChoice("file", "tokenctl.storage.file_keyring.EncryptedFile")
SESSION = StoreChoice("session", "keyring.backends.SecretService.Keyring")
MACHINE, NAME = "1a2b", "store.1a2b.json"
choices = st.lists(st.sampled_from([KEYRING, FILE, SESSION]), max_size=6)


def test_choices_are_read_back(tmp_path: Path) -> None:
    """The last ones count, and nothing is left beside the file."""
    assert store_choice.read(tmp_path, MACHINE) == Choices()
    for written in (Choices(FILE), Choices(None, KEYRING), Choices(KEYRING, FILE, (SESSION,))):
        store_choice.write(tmp_path, MACHINE, written)
        assert store_choice.read(tmp_path, MACHINE) == written
    assert [each.name for each in tmp_path.iterdir()] == [NAME]
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


def test_a_session_that_is_being_written_is_looked_for_in_both_stores() -> None:
    """Whenever a run is killed, one of the listed stores has the session."""
    begun = Choices(KEYRING).begun(FILE)
    assert begun.listed == (KEYRING, FILE) and begun.settled(FILE) == Choices(FILE, None, (KEYRING,))
    assert Choices().begun(FILE).listed == (FILE,)
    assert begun.settled(FILE).cleared(KEYRING) == Choices(FILE)


@given(choices)
def test_no_store_is_forgotten_before_it_is_cleared(chosen: list[StoreChoice]) -> None:
    """Whatever logins begin and do not end, each store stays listed, and once."""
    found, seen = Choices(), set()
    for number, each in enumerate(chosen):
        found = found.begun(each) if number % 2 else found.begun(each).settled(each)
        seen.add(each)
        assert set(found.all) == seen and len(found.all) >= len(seen)
        assert len(set(found.earlier)) == len(found.earlier) and found.listed


def put(folder: Path, content: bytes, name: str = NAME) -> None:
    """Write a private file by hand."""
    path = folder / name
    path.touch(mode=0o600)
    path.write_bytes(content)


def test_the_choice_of_version_1_is_read_and_replaced(tmp_path: Path) -> None:
    """It had one store, and no machine in its name."""
    put(tmp_path, b'{"version": 1, "store": "keyring", "backend": "x"}', "store.json")
    assert store_choice.read(tmp_path, MACHINE) == Choices(StoreChoice("keyring", "x"))
    store_choice.write(tmp_path, MACHINE, Choices(FILE))
    assert [each.name for each in tmp_path.iterdir()] == [NAME]


def test_machines_that_share_a_folder_choose_for_themselves(tmp_path: Path) -> None:
    """Another machine's keyring is not this one's; its encrypted file is."""
    store_choice.write(tmp_path, "other", Choices(KEYRING))
    assert store_choice.read(tmp_path, MACHINE) == Choices()
    store_choice.write(tmp_path, "third", Choices(FILE))
    assert store_choice.read(tmp_path, MACHINE) == Choices(FILE)
    store_choice.write(tmp_path, MACHINE, Choices(SESSION))
    assert store_choice.read(tmp_path, MACHINE) == Choices(SESSION)
    assert store_choice.read(tmp_path, "other") == Choices(KEYRING)


@pytest.mark.parametrize("name", [NAME, "store.json"])
@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"x", b"\xff\x00", b"[]", b"null", b"7", b'"x"', b"{}", b"[" * 100_000),
        b'{"version": 3, "store": "keyring", "backend": "x"}',
        b'{"version": 1, "store": "keyring"}',
        b'{"version": true, "store": "keyring", "backend": "x"}',
        b'{"version": 1, "store": ["keyring"], "backend": "x"}',
        b'{"version": 1, "store": "keyring", "backend": null}',
        b'{"version": 2, "stores": null}',
        b'{"version": 2, "stores": [{"use": "unknown", "store": "keyring", "backend": "x"}]}',
        b'{"version": 2, "stores": [{"use": "current", "store": "keyring"}]}',
        b'{"version": 2, "stores": [["current", "keyring"]]}',
        b'{"version": 2, "stores": [%s]}' % b", ".join([b'{"use": "current", "store": "file", "backend": "x"}'] * 2),
    ],
)
def test_a_damaged_choice_is_no_guess(tmp_path: Path, name: str, content: bytes) -> None:
    """Looking in another store could find an older session, or none."""
    put(tmp_path, content, name)
    with pytest.raises(StoreDamaged, match=r"store\..*json") as caught:
        store_choice.read(tmp_path, MACHINE)
    assert caught.value.hint and (tmp_path / name).read_bytes() == content


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary() | values.map(lambda found: json.dumps(found).encode()))
def test_any_file_is_a_choice_or_damaged(tmp_path: Path, content: bytes) -> None:
    """No bytes make the reader fail in another way."""
    put(tmp_path, content)
    with only(StoreDamaged):
        assert isinstance(store_choice.read(tmp_path, MACHINE), Choices)


def test_a_choice_that_others_may_read_or_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """Somebody else could have put it there."""
    store_choice.write(tmp_path, MACHINE, Choices(KEYRING))
    (tmp_path / NAME).chmod(0o644)
    with pytest.raises(UsageError):
        store_choice.read(tmp_path, MACHINE)
    (tmp_path / NAME).rename(tmp_path / "other")
    (tmp_path / "other").chmod(0o600)
    (tmp_path / NAME).symlink_to("other")
    with pytest.raises(UsageError):
        store_choice.read(tmp_path, MACHINE)
