"""The event log: what happened to the sessions of this state directory, one JSON line each. `audit` reads it.

The log is evidence against a thief of a refresh token: it has no secret, and it is never needed to renew a session. A log
that cannot be written gives one warning. The files have a limit, and the oldest one goes first; the numbers go on. Each
line is one write under a lock of the log's own. A line that a killed writer left torn is removed by the next writer.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from tokenctl.adapters.private_files import open_private
from tokenctl.errors import StoreUnavailable, TokenctlError
from tokenctl.model import event as events
from tokenctl.model.anomalous import is_notable
from tokenctl.model.event import Event
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage.lock import exclusive
from tokenctl.storage.state_dir import DUE, profile_dir, state_home

FOLDER = ".events"
"""The folder in the state directory. No profile has such a name."""
LARGEST, KEPT = 8 * 1024 * 1024, 4
"""Bytes of a file, and how many older files are kept beside the newest one."""
TAIL = 64 * 1024
"""Bytes at the end of the log that a writer looks at."""
LOCK_SECONDS = 5.0
"""Seconds to wait for the log's lock; then the event is lost. A writer holds it for a millisecond."""
MOST_AN_HOUR = 5
"""How many events of a kind in `REPEATED` a profile has in an hour: a script that tries again and again fills no log."""
REPEATED = ("keyring-failed", "changed-outside", "refusal", "lock-wait")


def record(runtime: Runtime, profile: Profile, event: Event) -> None:
    """Write an event into the log, and say it with `-v`. Raises nothing; warns once when the log cannot be written.

    A profile with `audit = "off"` has no log.
    """
    event = stamped(runtime, event)
    if profile.audit == "on" and runtime.keeps_events:
        try:
            event = EventLog(profile_dir(runtime.environ, FOLDER)).append(event)
        except (TokenctlError, OSError) as error:
            reason = error.message if isinstance(error, TokenctlError) else error.strerror
            runtime.terminal.warning(f"the event log is not written: {reason}")
            runtime.keeps_events = False
    runtime.terminal.event(event)


def stamped(runtime: Runtime, event: Event) -> Event:
    """Add what every event has: when it was, in which boot, in which process, and who asked."""
    boot_id, uptime_ms = runtime.uptime() or (None, None)
    return replace(
        event,
        at=round(runtime.clock(), 3),
        pid=os.getpid(),
        asked_by=runtime.asked_by,
        boot_id=boot_id,
        uptime=None if uptime_ms is None else uptime_ms / 1000,
    )


def of_session(event: str, profile: Profile, session: Session, result: str = "ok", **more: Any) -> Event:
    """Make an event about a session, as it is after the event."""
    return Event(
        event=event,
        profile=profile.name,
        result=result,
        session=session.id,
        generation=session.generation,
        fingerprint=events.fingerprint(session.refresh_token or session.access_token),
        more=more,
    )


def open_log(runtime: Runtime) -> "EventLog":
    """Open the event log to read it; nothing is made. Raises UsageError when the state directory is not known."""
    return EventLog(state_home(runtime.environ) / FOLDER)


class EventLog:
    """The files of the event log in a folder: `events.jsonl`, and older ones with a number before the suffix."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = folder / "lock"

    def path(self, age: int = 0) -> Path:
        """Return the path of the newest file (0), or of an older one (1 to `KEPT`)."""
        return self._folder / (f"events.{age}.jsonl" if age else "events.jsonl")

    @property
    def due(self) -> Path:
        """The path of the mark that an anomaly may be new; see `DUE`."""
        return self._folder.parent / DUE

    # -- writing ---------------------------------------------------------------------------------------

    def append(self, event: Event) -> Event:
        """Write the event as the next line, and return it with its number. Raises OSError or TokenctlError.

        An event that is one too many of its kind is not written, and has the number 0.
        """
        with exclusive(self._lock, LOCK_SECONDS), self._opened() as file:
            end, recent = _repaired(file)
            if _is_one_too_many(event, recent):
                return event
            last = recent[-1].seq if recent else self._last_of_older()
            event = replace(event, seq=last + 1)
            line = events.dumps(event)
            if end + len(line) > LARGEST:
                self._rotate()
                with self._opened() as newest:
                    _write(newest, 0, line)
            else:
                _write(file, end, line)
            if is_notable(event, recent):
                os.close(open_private(self.due, os.O_WRONLY | os.O_CREAT))
            return event

    def _opened(self) -> BinaryIO:
        return open(open_private(self.path(), os.O_RDWR | os.O_CREAT), "r+b", buffering=0)

    def _last_of_older(self) -> int:
        """Return the last number of the older files; 0 when there are none. A crash can have left a gap in them."""
        for age in range(1, KEPT + 1):
            with contextlib.suppress(FileNotFoundError), open(open_private(self.path(age), os.O_RDONLY), "rb") as file:
                found = _whole_events(_tail(file, os.fstat(file.fileno()).st_size))
                if found:
                    return found[-1].seq
        return 0

    def _rotate(self) -> None:
        """Make each file one older. A crash in between leaves a gap, and no file is lost."""
        for age in range(KEPT, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                os.replace(self.path(age - 1), self.path(age))

    # -- reading ---------------------------------------------------------------------------------------

    def lines(self) -> Iterator[bytes]:
        """Read the lines, the oldest first, in constant memory. What is written meanwhile is left out.

        Raises StoreUnavailable or UsageError when a file cannot be read.
        """
        with contextlib.ExitStack() as stack:
            for file, size in self._all(stack):
                while size > 0:
                    line = file.readline(size)
                    size -= len(line) or size
                    yield line

    def read(self) -> Iterator[Event]:
        """Read the events; see `lines`. What is no whole event of this schema is left out."""
        for line in self.lines():
            event = events.loads(line)
            if event is not None:
                yield event

    @property
    def size(self) -> int:
        """The bytes of all files."""
        found = 0
        for age in range(KEPT + 1):
            with contextlib.suppress(OSError):
                found += self.path(age).stat().st_size
        return found

    def has_renewal(self, session: str, generation: int) -> bool:
        """Tell whether the newest lines have an event of this generation of the session, or a later one.

        True when the log cannot be read.
        """
        try:
            with contextlib.ExitStack() as stack:
                recent = [
                    event
                    for file, size in self._all(stack)[-2:]
                    for event in _whole_events(_tail(file, size))
                    if event.session == session
                ]
        except (OSError, TokenctlError):
            return True
        return any((each.generation or 0) >= generation for each in recent)

    def _all(self, stack: contextlib.ExitStack) -> list[tuple[BinaryIO, int]]:
        """Open every file, the oldest first, while no writer renames one; with the size that it has now."""
        found: list[tuple[BinaryIO, int]] = []
        with contextlib.ExitStack() as locked:
            if self._lock.exists():  # reading makes no file
                with contextlib.suppress(TokenctlError):  # a full disk, or a stopped writer: read all the same
                    locked.enter_context(exclusive(self._lock, LOCK_SECONDS))
            for age in range(KEPT, -1, -1):
                try:
                    file = stack.enter_context(open(open_private(self.path(age), os.O_RDONLY), "rb"))
                except FileNotFoundError:
                    continue
                except OSError as reason:
                    raise StoreUnavailable(
                        f"{self.path(age)} cannot be read: {reason.strerror}", hint="tokenctl keeps its event log there"
                    ) from None
                found.append((file, os.fstat(file.fileno()).st_size))
        return found


def _tail(file: BinaryIO, size: int) -> bytes:
    """Read the end of a file, from the first line that begins there."""
    begin = max(0, size - TAIL)
    file.seek(begin)
    tail = file.read(size - begin)
    return tail.partition(b"\n")[2] if begin else tail


def _whole_events(tail: bytes) -> list[Event]:
    return [event for line in tail.splitlines() if (event := events.loads(line)) is not None]


def _repaired(file: BinaryIO) -> tuple[int, list[Event]]:
    """Remove a torn last line; return where the next one begins, and the newest events."""
    end = os.fstat(file.fileno()).st_size
    tail = _tail(file, end)
    torn = len(tail) - (tail.rfind(b"\n") + 1)
    if torn:
        end -= torn
        file.truncate(end)
    return end, _whole_events(tail[: len(tail) - torn])


def _write(file: BinaryIO, end: int, line: bytes) -> None:
    """Write the line at the end, whole or not at all."""
    file.seek(end)
    try:
        written = file.write(line)
        if written != len(line):
            raise OSError(28, os.strerror(28))
    except OSError:
        file.truncate(end)
        raise


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
        and 0 <= event.at - each.at < 3600
    ]
    return len(same) >= MOST_AN_HOUR
