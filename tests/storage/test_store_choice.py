"""The store choice: where a session was put."""

import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.responses import only
from tokenctl.errors import StoreDamaged, UsageError
from tokenctl.model.store import StoreChoice
from tokenctl.storage import store_choice

CHOICE = StoreChoice("keyring", "keyring.backends.SecretService.Keyring")


def test_a_choice_is_read_back(tmp_path: Path) -> None:
    """The last one counts, and nothing is left beside it."""
    assert store_choice.read(tmp_path) is None
    store_choice.write(tmp_path, StoreChoice("file", "x"))
    store_choice.write(tmp_path, CHOICE)
    assert store_choice.read(tmp_path) == CHOICE
    assert [each.name for each in tmp_path.iterdir()] == ["store.json"]
    assert stat.S_IMODE((tmp_path / "store.json").stat().st_mode) == 0o600


def put(folder: Path, content: bytes) -> None:
    """Write a private file by hand."""
    path = folder / "store.json"
    path.touch(mode=0o600)
    path.write_bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"x", b"\xff\x00", b"[]", b"null", b"7", b'"x"', b"{}", b"[" * 100_000),
        b'{"version": 2, "store": "keyring", "backend": "x"}',
        b'{"version": 1, "store": "keyring"}',
        b'{"version": 1, "store": ["keyring"], "backend": "x"}',
        b'{"version": 1, "store": "keyring", "backend": null}',
    ],
)
def test_a_damaged_choice_is_no_guess(tmp_path: Path, content: bytes) -> None:
    """Looking in another store could find an older session, or none."""
    put(tmp_path, content)
    with pytest.raises(StoreDamaged, match=r"store\.json") as caught:
        store_choice.read(tmp_path)
    assert caught.value.hint and (tmp_path / "store.json").read_bytes() == content


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary())
def test_any_file_is_a_choice_or_damaged(tmp_path: Path, content: bytes) -> None:
    """No bytes make the reader fail in another way."""
    put(tmp_path, content)
    with only(StoreDamaged):
        assert isinstance(store_choice.read(tmp_path), StoreChoice)


def test_a_choice_that_others_may_read_or_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """Somebody else could have put it there."""
    store_choice.write(tmp_path, CHOICE)
    (tmp_path / "store.json").chmod(0o644)
    with pytest.raises(UsageError):
        store_choice.read(tmp_path)
    (tmp_path / "store.json").rename(tmp_path / "other")
    (tmp_path / "other").chmod(0o600)
    (tmp_path / "store.json").symlink_to("other")
    with pytest.raises(UsageError):
        store_choice.read(tmp_path)
