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


def test_a_keyring_that_fails_is_written_after_each_renewal(tmp_path: Path) -> None:
    """Five failures an hour are written, and one after each renewal: else its copy seems to have reached the keyring."""
    log = EventLog(tmp_path)
    for at in range(10):
        log.append(Event(event="keyring-failed", profile="t", at=float(at)))
    log.append(Event(event="renewal", profile="t", at=11.0))
    for profile in ("t", "t", "u"):
        log.append(Event(event="keyring-failed", profile=profile, at=12.0))
    assert [each.profile for each in log.read() if each.event == "keyring-failed"] == ["t"] * 6 + ["u"]
