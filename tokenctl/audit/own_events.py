"""The events that audit itself writes: a person was told of an anomaly, or has acknowledged it."""

from typing import Literal

from tokenctl.errors import StoreUnavailable
from tokenctl.model.event import Event
from tokenctl.runtime import Runtime
from tokenctl.storage.event_log import FOLDER, EventLog, completed
from tokenctl.storage.state_dir import profile_dir


def write(runtime: Runtime, event: Literal["told", "acknowledged"], anomaly: str, profile: str) -> None:
    """Write that the anomalies of this name and profile are known to a person.

    Raises StoreUnavailable, UsageError or Busy when the log cannot be written.
    """
    made = completed(runtime, Event(event=event, profile=profile, more={"anomaly": anomaly}))
    try:
        made = EventLog(profile_dir(runtime.environ, FOLDER)).append(made)
    except OSError as reason:
        raise StoreUnavailable(f"the event log cannot be written: {reason.strerror}") from None
    runtime.terminal.event(made)
