"""The event log: what happened to the sessions of this state directory, one JSON line each. `audit` reads it.

The log is evidence against a thief of a refresh token: it has no secret, and it is never needed to renew a session. A log
that cannot be written gives one warning. The files have a limit, and the oldest one goes first; the numbers go on. Each
line is one write under a lock of the log's own. A line that a killed writer left torn is removed by the next writer.
Reading takes no lock, makes no file and changes none.
"""

import contextlib
import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from tokenctl.adapters.private_files import open_private
from tokenctl.errors import Busy, StoreError, StoreUnavailable, TokenctlError
from tokenctl.model import event as events
from tokenctl.model.anomalous import WINDOW, is_notable
from tokenctl.model.event import Event
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage import event_files
from tokenctl.storage.event_files import LARGEST, EventFiles
from tokenctl.storage.lock import exclusive
from tokenctl.storage.state_dir import DUE, profile_dir, state_home

FOLDER = ".events"
"""The folder in the state directory. No profile has such a name."""
RECENT = 1024 * 1024
"""Bytes at the end of the log in which a writer looks for events that its rules need."""
LOCK_SECONDS, ROUNDS = 4.0, 5
"""Seconds to wait for the log's lock while nobody takes it or gives it back: its holder is stopped then, and the event is
lost. And how often to wait so long while others take it."""
POLL = 0.003
"""Seconds between two tries to take the lock. A writer holds it for a millisecond, and one that writes again and again
must not keep out the others."""
PAUSE = 60
"""Seconds after a failure in which a long-running program does not try again."""
MOST_AN_HOUR = 5
"""How many events of a kind in `REPEATED` a profile has in an hour: a script that tries again and again fills no log."""
SAME_SESSION = 20
"""How many events of a session are looked at, to find its last renewal."""
REPEATED = ("keyring-failed", "changed-outside", "refusal", "lock-wait")


def record(runtime: Runtime, profile: Profile, event: Event) -> None:
    """Write an event into the log, and say it with `-v`. Raises nothing; warns once when the log cannot be written.

    A profile with `audit = "off"` has no log.
    """
    event = completed(runtime, event)
    if profile.audit == "on" and runtime.keeps_events and not _failed_lately(runtime):
        try:
            event = EventLog(profile_dir(runtime.environ, FOLDER)).append(event)
        except TokenctlError as error:
            runtime.terminal.warning(f"the event log is not written: {error.message}")
            runtime.events_failed_at = runtime.since_boot()
    runtime.terminal.event(event)


def completed(runtime: Runtime, event: Event) -> Event:
    """Add to an event when it happened, in which process, and who asked."""
    boot_id, uptime_ms = runtime.uptime() or (None, None)
    return replace(
        events.shortened(event),
        at=round(runtime.clock(), 3),
        pid=os.getpid(),
        asked_by=runtime.asked_by,
        boot_id=boot_id,
        uptime=None if uptime_ms is None else uptime_ms / 1000,
    )


def _failed_lately(runtime: Runtime) -> bool:
    return runtime.events_failed_at is not None and runtime.since_boot() - runtime.events_failed_at < PAUSE


def recovered(profile: Profile, session: Session) -> Event:
    """Make the event of a renewal whose process was killed before it could write one."""
    return Event(event="renewal", profile=profile.name, result="recovered", **events.names_of(session))


def keyring_failed(profile: Profile, operation: str, error: StoreError) -> Event:
    """Make an event about a keyring that did not `read` or `write` the session."""
    more = {"operation": operation, "error": type(error).__name__}
    return Event(event="keyring-failed", profile=profile.name, result="failed", more=more)


def lock_wait(profile: Profile, waited: float, holder: int | None) -> Event:
    """Make an event about a lock that was not had in `waited` seconds. `holder` is the process that has it, if known."""
    more = {"waited": round(waited), "holder": holder}
    return Event(event="lock-wait", profile=profile.name, result="failed", more=more)


def open_log(runtime: Runtime) -> "EventLog":
    """Open the event log to read it; nothing is made. Raises UsageError when the state directory is not known."""
    return EventLog(state_home(runtime.environ) / FOLDER)


class EventLog(EventFiles):
    """The event log in a folder. A file is made older when it would be larger than `largest` bytes."""

    def __init__(self, folder: Path, largest: int = LARGEST) -> None:
        super().__init__(folder)
        self._largest, self._lock = largest, folder / "lock"

    @property
    def due(self) -> Path:
        """The path of the mark that an anomaly may be new; see `DUE`."""
        return self.folder.parent / DUE

    # -- writing ---------------------------------------------------------------------------------------

    def append(self, event: Event) -> Event:
        """Write the event as the next line, and return it with its number. Raises StoreUnavailable or UsageError.

        An event that is one too many of its kind is not written, and has the number 0.
        """
        try:
            with self._exclusive():
                return self._append(event)
        except OSError as reason:
            raise StoreUnavailable(f"{self.path()}: {reason.strerror}") from None

    def _append(self, event: Event) -> Event:
        with self.open_newest() as file:
            end = event_files.end_of_lines(file)
            recent = self._recent(event, file, end)
            if _is_one_too_many(event, recent):
                return event
            event = replace(event, seq=(recent[-1].seq if recent else 0) + 1)
            line = events.dumps(event)
            notable = is_notable(event, recent)
            if notable:  # before, because this process can be killed after it; the mark alone is no alarm
                self._mark()
            fits = end == 0 or end + len(line) <= self._largest
            if fits:
                event_files.add(file, end, line)
        if not fits:
            self.rotate()
            with self.open_newest() as file:
                event_files.add(file, 0, line)
        if notable:  # again, because somebody can have looked before the line was there
            self._mark()
        return event

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Hold the log's lock until the block ends. Raises as `lock.exclusive` does."""
        with contextlib.ExitStack() as stack:
            for left in reversed(range(ROUNDS)):
                before = self._last_taken()
                try:
                    stack.enter_context(exclusive(self._lock, LOCK_SECONDS, poll=POLL))
                except Busy as busy:
                    if left and self._last_taken() != before:
                        continue
                    raise StoreUnavailable(f"process {busy.holder} keeps {self._lock} locked") from None
                break
            yield

    def _last_taken(self) -> int:
        """Tell when the lock was taken last: who takes it writes into its file."""
        with contextlib.suppress(OSError):
            return self._lock.stat().st_mtime_ns
        return 0

    def _recent(self, event: Event, file: BinaryIO, end: int) -> list[Event]:
        """Return the events that the rules about a new event need, the newest one last.

        It is the newest event, and those of the same profile in the last `WINDOW` seconds.
        """
        found: list[Event] = []
        profile, looked_at = json.dumps(event.profile).encode(), 0
        for line in itertools.chain(event_files.backwards(file, end), self.older_backwards()):
            looked_at += len(line)
            each = None if found and profile not in line else events.loads(line)
            if each is not None:
                found.append(each)
            if found and (looked_at > RECENT or found[-1].at < event.at - WINDOW):
                break
        return found[::-1]

    def _mark(self) -> None:
        with contextlib.suppress(OSError, TokenctlError):  # the event itself matters more
            os.close(open_private(self.due, os.O_WRONLY | os.O_CREAT))

    # -- reading ---------------------------------------------------------------------------------------

    def lines(self) -> Iterator[bytes]:
        """Read the whole lines, the oldest first, in constant memory. What is written meanwhile is left out.

        Raises StoreUnavailable or UsageError when a file cannot be read.
        """
        with contextlib.ExitStack() as stack:
            for file, size in self.open_all(stack):
                yield from event_files.forwards(file, size)

    def read(self) -> Iterator[Event]:
        """Read the events; see `lines`. What is no event of this schema is left out."""
        for line in self.lines():
            event = events.loads(line)
            if event is not None:
                yield event

    def has_renewal(self, session: str, generation: int) -> bool:
        """Tell whether the log has an event of this generation of the session, or of a later one.

        True when the log cannot be read.
        """
        try:
            found = itertools.islice(self._of_session(session), SAME_SESSION)
            return any((each.generation or 0) >= generation for each in found)
        except (OSError, TokenctlError):
            return True

    def _of_session(self, session: str) -> Iterator[Event]:
        """Read the events of a session, the newest one first."""
        text = json.dumps(session).encode()
        with contextlib.ExitStack() as stack:
            for file, _ in reversed(self.open_all(stack)):
                for line in event_files.backwards(file, event_files.end_of_lines(file)):
                    each = events.loads(line) if text in line else None
                    if each is not None and each.session == session:
                        yield each


def _is_after_renewal(event: Event, recent: list[Event]) -> bool:
    """Tell whether the keyring failed after a renewal: without this event, its copy seems to have reached the keyring."""
    kinds = ("renewal", event.event) if event.event == "keyring-failed" else ()
    last = next(
        (each.event for each in reversed(recent) if each.profile == event.profile and each.event in kinds), None
    )
    return last == "renewal"


def _is_one_too_many(event: Event, recent: list[Event]) -> bool:
    if event.event not in REPEATED or _is_after_renewal(event, recent):
        return False
    same = [
        each
        for each in recent
        if (each.event, each.profile, each.result) == (event.event, event.profile, event.result)
        and 0 <= event.at - each.at < WINDOW
    ]
    return len(same) >= MOST_AN_HOUR
