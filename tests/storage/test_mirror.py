"""The redo log as a mirror of the store."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.sessions import session
from tokenctl.storage import mirror
from tokenctl.storage.redo_log import RedoLog

HERE = "1.1"


@pytest.fixture
def redo_log(tmp_path: Path) -> RedoLog:
    """A mirror with the second generation of a session."""
    log = RedoLog(tmp_path, "t", "0")
    log.commit(session(2, state_id=HERE))
    return log


@pytest.mark.parametrize(
    ("stored", "how"),
    [
        (session(1), None),
        (session(2, access_token="another"), None),
        (session(3), "a newer generation"),
        (session(1, id="f" * 16, state_id="2.2"), "another session"),
        (session(1, id="f" * 16, state_id=HERE), None),  # a login here that was killed
        (session(1, id="f" * 16), None),  # of a version that named no state directory
    ],
)
def test_a_store_that_is_newer_or_of_elsewhere_is_told(
    tmp_path: Path, redo_log: RedoLog, stored: object, how: str | None
) -> None:
    """An older one is ordinary, and so is what this state directory has stored itself."""
    assert mirror.moved_apart(tmp_path, stored, HERE) == how  # type: ignore[arg-type]


def test_nothing_is_told_without_a_mirror(tmp_path: Path) -> None:
    """A profile that was never used here has none."""
    stored = session(9, state_id="2.2")
    assert mirror.moved_apart(tmp_path, stored, HERE) is None
    assert not mirror.differs(RedoLog(tmp_path, "t", "0"), stored)


def test_other_tokens_of_the_same_generation_differ(redo_log: RedoLog) -> None:
    """But for the first half of a renewal, which has the older access token."""
    assert not mirror.differs(redo_log, session(2))
    assert mirror.differs(redo_log, session(2, access_token="another"))
    assert mirror.differs(redo_log, session(2, refresh_token="another"))
    assert not mirror.differs(redo_log, replace(session(2, access_token="newer"), obtained_at=1_700_000_001))
    assert not mirror.differs(redo_log, replace(session(2, access_token="newer"), refreshed_at=1_700_000_000))
    assert not mirror.differs(redo_log, session(1, access_token="another"))


def test_a_mirror_that_cannot_be_read_tells_nothing(tmp_path: Path, redo_log: RedoLog) -> None:
    """And is not removed: it can be the only copy."""
    path = redo_log.path(session(2))
    path.write_bytes(b"damaged")
    assert mirror.moved_apart(tmp_path, session(3), HERE) is None
    assert not mirror.differs(redo_log, session(2, access_token="another"))
    mirror.remove_older(tmp_path, session(3))
    assert path.read_bytes() == b"damaged"


def test_a_mirror_that_is_older_than_the_store_is_removed(tmp_path: Path, redo_log: RedoLog) -> None:
    """And no other one."""
    path = redo_log.path(session(2))
    mirror.remove_older(tmp_path, session(2))
    assert path.exists()
    mirror.remove_older(tmp_path, session(3))
    assert not path.exists()
