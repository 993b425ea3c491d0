"""An anomaly: something in the event log that an ordinary life does not explain."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tokenctl.model.event import Event

END = "end"
"""The kind of the event that comes after the last one of the log: its `at` is the time of the audit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """One finding about a profile. Times are epoch seconds.

    `name` is a kind's name. `evidence` are the numbers of the events that show it, the first and the last ones where there
    are many.
    """

    name: str
    profile: str
    began_at: float
    at: float
    sentence: str
    """What was found, with the times and the programs."""
    remedy: str
    """What to do about it."""
    evidence: tuple[int, ...]


Detect = Callable[[Iterable[Event]], Iterator[tuple[Anomaly, ...]]]
"""A pure function over events in the order of the log. For each event it yields the anomalies that it completes, mostly
none: so all kinds read the log together, once, and keep only what they need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One row of the table of anomalies."""

    name: str
    detect: Detect
