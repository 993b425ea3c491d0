"""`clock-jumped`: this machine's clock was set to a wrong time, or the machine itself went back to a snapshot.

Two clocks are compared between two events: the wall clock, and the clock since boot, which nobody sets. The server's
`Date` tells whether the wall clock is right afterwards.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tokenctl.audit.anomaly import Anomaly
from tokenctl.audit.members import number, when
from tokenctl.model.anomalous import CLOCK_SHIFT, clock_shift
from tokenctl.model.event import Event
from tokenctl.model.spans import span

NAME = "clock-jumped"
BOOTS = 16
"""Boots that are remembered: machines can share one state directory, so that their events alternate."""
DRIFT = 1e-4
"""Seconds a second by which the clock of a machine without a time server can be wrong: nine seconds a day."""
WITHOUT_SERVER = 15 * 60
"""Seconds. A smaller step back is no anomaly where no server tells the time: a time server puts right what has drifted."""
SETTLED = 15 * 60
"""Seconds after boot in which a time server puts a clock right that was wrong when the machine booted."""
PROFILES = 1000
"""Profiles whose server's clock is remembered."""
_ANSWERS = ("renewal", "refusal", "dead")
"""Events that know the server's time, where the server tells it."""


def jumped(events: Iterable[Event]) -> Iterator[tuple[Anomaly, ...]]:
    """Find clocks that were set wrong, and machines that went back in time, each jump once."""
    boots: dict[str, _Boot] = {}
    offsets: dict[str, tuple[float, ...]] = {}
    for event in events:
        if event.boot_id is None or event.uptime is None:
            yield ()
            continue
        boot = boots.pop(event.boot_id, None) or _Boot(reference=event, newest=event, offsets=offsets)
        boots[event.boot_id] = boot
        if len(boots) > BOOTS:
            del boots[next(iter(boots))]
        yield boot.after(event)


@dataclass(slots=True)
class _Boot:
    """The events of one boot. `reference` is the one that the next event is compared with."""

    reference: Event
    newest: Event
    offsets: dict[str, tuple[float, ...]]
    """Profile -> how far its server's clock was ahead of ours at last, and before that was different, in any boot."""

    def after(self, event: Event) -> tuple[Anomaly, ...]:
        """Take the next event of the boot, and return what it completes."""
        before, self.newest = self.newest, event
        if (event.uptime or 0.0) < (before.uptime or 0.0) - CLOCK_SHIFT:
            self.reference = event
            return (_snapshot(before, event),)
        offset = number(event, "server_clock")
        if offset is None and (self.offsets or not _was_answered(event)):
            return ()
        earlier, self.reference = self.reference, event
        shift = clock_shift(earlier, event) or 0.0
        drifted = DRIFT * ((event.uptime or 0.0) - (earlier.uptime or 0.0))
        wrong = abs(shift) > CLOCK_SHIFT + drifted and self._is_wrong(earlier, event, shift, offset)
        if offset is not None:
            self._note(event.profile, offset)
        return (_jump(earlier, event, shift, offset),) if wrong else ()

    def _is_wrong(self, earlier: Event, event: Event, shift: float, offset: float | None) -> bool:
        """Tell whether the jump made the clock wrong: it was neither put right, nor has the machine slept."""
        if offset is None:  # a step ahead is what sleep looks like
            return shift < -WITHOUT_SERVER and (earlier.uptime or 0.0) > SETTLED
        if (
            shift > 0 and offset > 0
        ):  # behind, although it went ahead: both clocks stood still, and it is not yet put right
            return False
        usual = self.offsets.get(event.profile, ())  # not 0 where the server's own clock is wrong
        if min(abs(offset - each) for each in (0.0, *usual)) > CLOCK_SHIFT:
            return True
        off_before = number(earlier, "server_clock")
        return shift < 0 and off_before is not None and abs(off_before) < abs(shift) / 2

    def _note(self, profile: str, offset: float) -> None:
        before = self.offsets.pop(profile, ())
        before = tuple(each for each in before if abs(each - offset) > CLOCK_SHIFT)
        self.offsets[profile] = (*before[-1:], offset)
        if len(self.offsets) > PROFILES:
            del self.offsets[next(iter(self.offsets))]


def _was_answered(event: Event) -> bool:
    return event.event in _ANSWERS and event.result != "recovered"


def _jump(earlier: Event, event: Event, shift: float, offset: float | None) -> Anomaly:
    jump = (
        f"Between {when(earlier.at)} and {when(event.at)} the clock of this machine jumped"
        f" {'ahead' if shift > 0 else 'back'} by {span(round(abs(shift)))}"
    )
    if offset is not None and abs(offset) <= CLOCK_SHIFT:
        return _anomaly(
            earlier,
            event,
            f"{jump} against the clock since boot, and agrees with the server's clock.",
            "A container with a boot time of its own and a machine that was restored have another clock since boot. If you"
            " use neither, look who works on this machine.",
        )
    wrong = (
        f", and is {span(round(abs(offset)))} {'behind' if offset > 0 else 'ahead of'} the server's clock"
        if offset
        else ""
    )
    return _anomaly(
        earlier,
        event,
        f"{jump}{wrong}.",
        "Set the clock, and let the system keep it ('timedatectl set-ntp true' with systemd). A wrong clock costs renewals"
        " that nothing else needs, and makes the times in this log doubtful.",
    )


def _snapshot(before: Event, event: Event) -> Anomaly:
    return _anomaly(
        before,
        event,
        f"At {when(event.at)} this machine had gone back by {span(round((before.uptime or 0.0) - (event.uptime or 0.0)))} since"
        " the event before: it was reset to a snapshot.",
        f"A snapshot from before a renewal has a refresh token that the server took back. If 'tokenctl token -p"
        f" {event.profile}' is refused now, sign in again: 'tokenctl login -p {event.profile}'.",
    )


def _anomaly(earlier: Event, event: Event, sentence: str, remedy: str) -> Anomaly:
    return Anomaly(
        name=NAME,
        profile=event.profile,
        began_at=earlier.at,
        at=event.at,
        sentence=sentence,
        remedy=f"{remedy} Then: 'tokenctl audit acknowledge {NAME} -p {event.profile}'.",
        evidence=(earlier.seq, event.seq),
    )
