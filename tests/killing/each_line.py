"""Kill a writer of the event log before each line of the code that it runs, in a process of its own each time.

`python -m tests.killing.each_line FOLDER STATE` prints what was found worse than a missing event, and then how often it
killed. `STATE` is a name of `STATES`.
"""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from tokenctl.model.event import Event
from tokenctl.storage.event_log import EventLog

SMALL = 2000
EVENT = Event(event="renewal", profile="t", session="s", generation=900, at=1000.0, more={"lifetime": 900})
WATCHED = ("/event_log.py", "/event_files.py", "/lock.py", "/private_files.py")


def ordinary(log: EventLog) -> Event:
    """One line more."""
    log.append(replace(EVENT, generation=1))
    return EVENT


def first(log: EventLog) -> Event:
    """There is no file yet."""
    return EVENT


def torn(log: EventLog) -> Event:
    """The last line is torn."""
    ordinary(log)
    with log.path().open("ab") as file:
        file.write(b'{"schema":1,')
    return EVENT


def rotation(log: EventLog) -> Event:
    """All files are full."""
    while not (log.path(4).exists() and log.path().stat().st_size > SMALL - 300):
        log.append(replace(EVENT, generation=1))
    return EVENT


def notable(log: EventLog) -> Event:
    """The event can be an anomaly, of which the next command at a terminal is to tell."""
    ordinary(log)
    return replace(EVENT, event="dead")


STATES: dict[str, Callable[[EventLog], Event]] = {
    each.__name__: each for each in (ordinary, first, torn, rotation, notable)
}


def main(folder: Path, state: str) -> None:
    """Kill, and look what became of the log, until the writer comes to its end."""
    template = folder / "template"
    (template / ".events").mkdir(0o700, parents=True)
    event = STATES[state](EventLog(template / ".events", SMALL))
    kills = 0
    while True:
        trial = folder / "trial"
        shutil.copytree(template, trial)
        log = EventLog(trial / ".events", SMALL)
        killed = _killed(log, event, kills + 1)
        for problem in _problems(EventLog(template / ".events", SMALL), log, event):
            print(f"before line {kills + 1}: {problem}")
        shutil.rmtree(trial)
        if not killed:
            print(kills)
            return
        kills += 1


def _killed(log: EventLog, event: Event, at: int) -> bool:
    """Let a child write the event, and kill it before the `at`-th line. False when it ran to its end."""
    child = os.fork()
    if child == 0:
        sys.settrace(_killer(at))
        log.append(event)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the writer failed"
    return os.WIFSIGNALED(status)


def _killer(at: int) -> Any:
    count = 0

    def trace(frame: FrameType, what: str, argument: object) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.endswith(WATCHED):
            return None
        count += what == "line"
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace


def _problems(before: EventLog, after: EventLog, event: Event) -> list[str]:
    """Tell what is worse than that the event is missing, before and after the next writer."""
    old, found = _events(before), _events(after)
    new = (old[-1][0] + 1 if old else 1, event.event, event.generation)
    oldest = len(before.path(4).read_bytes().splitlines()) if before.path(4).exists() else 0
    if not any(found in (kept, [*kept, new]) for kept in (old, old[oldest:])):
        return [f"the log has {found} and had {old}"]
    if new in found and event.event == "dead" and not after.due.exists():
        return ["an anomaly can be new, and nobody will look"]
    if event.event == "renewal" and after.has_renewal("s", 900) != (new in found):
        return ["the next run would write the event twice, or not at all"]
    after.append(event)
    *kept, last = _events(after)
    if last != (found[-1][0] + 1 if found else 1, event.event, event.generation):
        return [f"the numbers do not go on: {last} after {found}"]
    if kept not in (found, found[oldest:]):
        return [f"the next writer lost something: {kept} of {found}"]
    return []


def _events(log: EventLog) -> list[tuple[int, str, int | None]]:
    return [(each.seq, each.event, each.generation) for each in log.read()]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
