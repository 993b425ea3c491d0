"""Many processes that write into one event log at once: `python -m tests.killing.many_writers FOLDER PROCESSES EVENTS LARGEST`."""

import os
import sys
from pathlib import Path

from tokenctl.model.event import Event
from tokenctl.storage.event_log import EventLog


def main(folder: Path, processes: int, count: int, largest: int) -> None:
    """Start them, let all begin at the same moment, and wait for their ends."""
    begin, gate = os.pipe()
    children = []
    for number in range(processes):
        child = os.fork()
        if child == 0:
            os.close(gate)
            os.read(begin, 1)  # the end of the pipe: the gate is closed
            write(EventLog(folder, largest), number, count)
            os._exit(0)
        children.append(child)
    os.close(gate)
    for child in children:
        _, status = os.waitpid(child, 0)
        assert status == 0


def write(log: EventLog, number: int, count: int) -> None:
    """Write events that tell by whom they are, and in which order."""
    for generation in range(count):
        log.append(Event(event="renewal", profile=f"p{number}", session="s", generation=generation, at=1000.0))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
