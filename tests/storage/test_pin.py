"""The pin: where a session was put."""

import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.responses import only
from tokenctl.errors import StoreDamaged, UsageError
from tokenctl.storage import pin
from tokenctl.storage.pin import Pin

PIN = Pin("keyring", "keyring.backends.SecretService.Keyring")


def test_a_pin_is_read_back_until_it_is_removed(tmp_path: Path) -> None:
    """The last one counts, nothing is left lying beside it, and removing twice does no harm."""
    assert pin.read(tmp_path) is None
    pin.write(tmp_path, Pin("file", "x"))
    pin.write(tmp_path, PIN)
    assert pin.read(tmp_path) == PIN
    assert [each.name for each in tmp_path.iterdir()] == ["store.json"]
    assert stat.S_IMODE((tmp_path / "store.json").stat().st_mode) == 0o600
    pin.remove(tmp_path)
    pin.remove(tmp_path)
    assert pin.read(tmp_path) is None


def put(folder: Path, content: bytes) -> None:
    """Write a private pin file by hand."""
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
def test_a_damaged_pin_is_no_guess(tmp_path: Path, content: bytes) -> None:
    """Looking in another store could find an older session, or none."""
    put(tmp_path, content)
    with pytest.raises(StoreDamaged, match=r"store\.json") as caught:
        pin.read(tmp_path)
    assert caught.value.hint and (tmp_path / "store.json").read_bytes() == content


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary())
def test_any_file_is_a_pin_or_damaged(tmp_path: Path, content: bytes) -> None:
    """No bytes make the reader fail in another way."""
    put(tmp_path, content)
    with only(StoreDamaged):
        assert isinstance(pin.read(tmp_path), Pin)


def test_a_pin_that_others_may_read_or_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """Somebody else could have put it there."""
    pin.write(tmp_path, PIN)
    (tmp_path / "store.json").chmod(0o644)
    with pytest.raises(UsageError):
        pin.read(tmp_path)
    (tmp_path / "store.json").rename(tmp_path / "other")
    (tmp_path / "other").chmod(0o600)
    (tmp_path / "store.json").symlink_to("other")
    with pytest.raises(UsageError):
        pin.read(tmp_path)
