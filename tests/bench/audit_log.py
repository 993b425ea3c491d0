"""The event log in figures: `python -m tests.bench.audit_log`. Asserts nothing.

A full set of files, 40 MiB of events as an ordinary life writes them: how long it takes to read the lines, to read the
events, and to look for anomalies, and how much memory that holds. And what one more event costs a renewal.
"""

import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import chain, count, tee
from statistics import median

from tokenctl.audit.anomaly import END
from tokenctl.audit.kinds import KINDS
from tokenctl.model.event import Event, dumps
from tokenctl.model.profile import Profile
from tokenctl.runtime import Runtime
from tokenctl.storage.event_files import KEPT, LARGEST
from tokenctl.storage.event_log import EventLog, open_log, record

BEGIN, QUARTER = 1_700_000_000, 900
PROFILES = ("work", "staging", "home")
APPENDS = 300


def ordinary_life() -> Iterator[Event]:
    """Renew three sessions every quarter of an hour, with a sign-in now and then and a lost answer."""
    for seq in count(1):
        profile = PROFILES[seq % len(PROFILES)]
        yield Event(
            event="login" if seq % 700 == 0 else "unanswered" if seq % 500 == 0 else "renewal",
            profile=profile,
            session=f"{PROFILES.index(profile):016x}",
            generation=seq,
            fingerprint=f"sha256:{seq:08x}",
            at=BEGIN + seq * QUARTER / len(PROFILES) + 0.123,
            seq=seq,
            pid=10_000 + seq % 20_000,
            asked_by="bash",
            boot_id=f"0b5d6f3c-7f5e-4d8a-9f53-{seq // 1000:012x}",
            uptime=seq * QUARTER / len(PROFILES),
            more={
                "old_fingerprint": f"sha256:{seq - len(PROFILES):08x}",
                "grant": "refresh_token",
                "reason": "stale",
                "target": None,
                "status": 200,
                "duration": 0.187,
                "server_clock": 0,
                "lifetime": QUARTER,
                "refresh_expires_at": BEGIN + seq * QUARTER + 604_800,
                "subject": "f3b0c442-98fc-4c14-9afb-f4c8996fb924",
            },
        )


def fill(log: EventLog) -> int:
    """Fill every file, as `LARGEST` allows; the number of events."""
    life, written = ordinary_life(), 0
    for age in range(KEPT, -1, -1):
        log.path(age).touch(0o600)
        with log.path(age).open("wb") as file:
            while file.tell() < LARGEST - 1000:
                written += file.write(dumps(next(life))) > 0
    return written


def look(log: EventLog) -> int:
    """Look for every kind of anomaly in one pass, as `audit` does; the number of anomalies."""
    events = chain(log.read(), [Event(event=END, profile="", at=BEGIN)])
    detected = [kind.detect(each) for kind, each in zip(KINDS, tee(events, len(KINDS)), strict=True)]
    return sum(len(found) for step in zip(*detected, strict=True) for found in step)


def seconds_and_peak(log: EventLog, what: str) -> str:
    """Do it twice: for the time, and for the memory, which costs time to be measured."""
    works: dict[str, Callable[[], int]] = {
        "lines": lambda: sum(1 for _ in log.lines()),
        "events": lambda: sum(1 for _ in log.read()),
        "anomalies": lambda: look(log),
    }
    work = works[what]
    started = time.process_time()
    found = work()
    seconds = time.process_time() - started
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return f"{what}: {found} in {seconds:.2f} s of processor time, {peak / 1024:.0f} KiB at most"


def append_milliseconds(runtime: Runtime, events: int) -> str:
    """Write one event after the other, each as a renewal does it."""
    event = next(ordinary_life())
    taken = []
    for _ in range(events):
        started = time.process_time()
        record(runtime, Profile(name="work"), event)
        taken.append((time.process_time() - started) * 1000)
    return f"{median(taken):.2f} ms of processor time, the slowest {max(taken):.2f} ms"


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        runtime = Runtime({"TOKENCTL_STATE_DIR": name})
        log = open_log(runtime)
        log.path().parent.mkdir(0o700)
        written = fill(log)
        print(f"{written} events in {log.size / 2**20:.1f} MiB")
        for what in ("lines", "events", "anomalies"):
            print(seconds_and_peak(log, what))
        print(f"writing an event, with few ones in the last hour: {append_milliseconds(runtime, 10)}")
        print(f"writing an event, with hundreds in the last hour: {append_milliseconds(runtime, 400)}")


if __name__ == "__main__":
    main()
