"""An event log in a state directory, for the tests of the commands that read it."""

from pathlib import Path

from tokenctl.model.event import Event, fingerprint
from tokenctl.storage.event_log import FOLDER, EventLog

NOW = 1_795_500_000.0


def log_of(state: Path) -> EventLog:
    """The log of a state directory, which is made if it is absent."""
    for folder in (state, state / FOLDER):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return EventLog(state / FOLDER)


def renewal(profile: str, at: float) -> Event:
    """An ordinary renewal, `at` seconds before or after NOW."""
    more = {"status": 200, "duration": 0.2, "lifetime": 900, "target": None, "reason": "stale"}
    return Event(event="renewal", profile=profile, at=NOW + at, generation=7, asked_by="bash", more=more)


def theft(profile: str, at: float) -> Event:
    """A refresh token was refused that only this machine should have: the anomaly `refresh-token-refused`."""
    presented = fingerprint(f"{profile} {at}")
    more = {"error": "invalid_grant", "says": "reuse", "unanswered": 0, "old_fingerprint": presented}
    more |= {"obtained_at": NOW + at - 60, "refresh_expires_at": None, "status": 400}
    return Event(event="dead", result="failed", profile=profile, at=NOW + at, fingerprint=presented, more=more)
