"""The event log."""

from pathlib import Path

from tokenctl.model.event import Event
from tokenctl.storage.event_log import EventLog


def test_what_is_written_is_read_in_order(tmp_path: Path) -> None:
    """Each event gets the next number."""
    log = EventLog(tmp_path)
    for at in range(3):
        log.append(Event(event="renewal", profile="t", at=float(at), more={"status": 200}))
    assert [(each.seq, each.at, each["status"]) for each in log.read()] == [(1, 0.0, 200), (2, 1.0, 200), (3, 2.0, 200)]
