"""What is counted of one profile's events."""

from collections import OrderedDict

from tokenctl.model.event import Event

PROGRAMS = 5
"""How many programs are named: those that asked last."""


class Tally:
    """Counts the events of one profile, from the `first` one on. Times are epoch seconds; None: there was none."""

    def __init__(self, first: Event) -> None:
        self.profile = first.profile
        self.logins = self.renewals = self.refusals = 0
        self.last_renewal_at: float | None = None
        self.first_event_at = self.last_event_at = first.at
        self._programs: OrderedDict[str, None] = OrderedDict()

    @property
    def programs(self) -> tuple[str, ...]:
        """The programs that asked, the last one first."""
        return tuple(reversed(self._programs))

    def add(self, event: Event) -> None:
        """Count the next event. An answer to an anomaly (`told`, `acknowledged`) is no use of the session."""
        self.last_event_at = event.at
        match event.event:
            case "renewal":
                self.renewals += 1
                self.last_renewal_at = event.at
            case "login" if event.result == "ok":
                self.logins += 1
            case "refusal" | "dead":
                self.refusals += 1
            case "told" | "acknowledged":
                return
        if event.asked_by is not None:
            self._programs[event.asked_by] = None
            self._programs.move_to_end(event.asked_by)
            if len(self._programs) > PROGRAMS:
                self._programs.popitem(last=False)
