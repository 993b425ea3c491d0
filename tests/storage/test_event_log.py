"""The event log."""

from pathlib import Path

from tokenctl.model.event import Event
from tokenctl.storage.event_log import EventLog
from tokenctl.storage.lock import exclusive


def test_what_is_written_is_read_in_order(tmp_path: Path) -> None:
    """Each event gets the next number."""
    log = EventLog(tmp_path)
    for at in range(3):
        log.append(Event(event="renewal", profile="t", at=float(at), more={"status": 200}))
    assert [(each.seq, each.at, each["status"]) for each in log.read()] == [(1, 0.0, 200), (2, 1.0, 200), (3, 2.0, 200)]


def test_who_only_looks_takes_no_lock(tmp_path: Path) -> None:
    """Also while somebody has it: the events are read at once, and no file changes."""
    log = EventLog(tmp_path)
    log.append(Event(event="renewal", profile="t", at=1.0))
    before = {each: each.stat().st_mtime_ns for each in tmp_path.iterdir()}
    with exclusive(tmp_path / "lock"):
        held = {each: each.stat().st_mtime_ns for each in tmp_path.iterdir()}
        assert [each.seq for each in EventLog(tmp_path, locks=False).read()] == [1]
    assert {each: each.stat().st_mtime_ns for each in tmp_path.iterdir()} == held and held.keys() == before.keys()
