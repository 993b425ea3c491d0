"""The last events of the log as rows for a person: renewals of a profile with nothing in between are one row.

So are the begin and the end of a login or a migration.
"""

from collections import OrderedDict
from dataclasses import dataclass
from itertools import count

from tokenctl.model.event import Event

ROWS = 40
"""How many rows are kept: what a person reads at once."""
PROGRAMS = 10
"""How many programs of a row are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An event, or the last one of several renewals. `began_at` is the time of the first one, in epoch seconds."""

    event: Event
    count: int
    began_at: float
    programs: tuple[str, ...] = ()
    """The programs that asked, the last one first; `PROGRAMS` at most."""


class Recent:
    """Keeps the newest rows. A row moves to the end when a renewal joins it."""

    def __init__(self) -> None:
        self._rows: OrderedDict[int, Row] = OrderedDict()
        self._renewing: dict[str, int] = {}  # profile -> its row of renewals, if that is its newest row
        self._numbers = count()
        self.earlier = 0
        """How many events are in no row any more."""

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows, the newest last."""
        return tuple(self._rows.values())

    def add(self, event: Event) -> None:
        """Add the next event."""
        number = self._renewing.get(event.profile)
        row = None if event.event != "renewal" or number is None else self._rows.get(number)
        if row is not None and number is not None:
            programs = tuple(dict.fromkeys((*_programs(event), *row.programs)))[:PROGRAMS]
            self._rows[number] = Row(event=event, count=row.count + 1, began_at=row.began_at, programs=programs)
            self._rows.move_to_end(number)
            return
        self._leave_out_begin_of(event)
        number = next(self._numbers)
        self._rows[number] = Row(event=event, count=1, began_at=event.at, programs=_programs(event))
        if event.event == "renewal":
            self._renewing[event.profile] = number
        else:
            self._renewing.pop(event.profile, None)
        if len(self._rows) > ROWS:
            self.earlier += self._rows.popitem(last=False)[1].count

    def _leave_out_begin_of(self, event: Event) -> None:
        """Remove the newest row if it is the begin of what this event ends."""
        number = next(reversed(self._rows), None)
        if number is None or event.result == "started":
            return
        newest = self._rows[number].event
        if newest.result == "started" and (newest.event, newest.profile) == (event.event, event.profile):
            del self._rows[number]


def _programs(event: Event) -> tuple[str, ...]:
    return () if event.asked_by is None else (event.asked_by,)
