"""No false alarms: an ordinary life through the real broker and the real event log leaves no anomaly."""

import tempfile
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import happenings
from tests.support.happenings import ORDINARY, Happening
from tests.support.life import DAY, HOUR, MINUTE, Machine, Steps, World

LONG = (happenings.holiday, happenings.offline, happenings.longest_life)
OF_ITS_OWN = [each for each in ORDINARY if each not in LONG]
"""What can happen on a day of work."""
QUICK = [each for each in ORDINARY if each not in (happenings.migration, happenings.killed_migration)]
"""All but what makes keys from a passphrase, which takes long."""
SHARED = [each for each in QUICK if each not in (happenings.restored_home, *LONG)]
"""What can happen where three machines have one home: it is not restored for one of them alone."""


def office(
    machine: Machine, happens: Sequence[Happening], days: Sequence[int], *, hours: float, virtual: bool
) -> Steps:
    """Work on some days of 13 weeks, from nine o'clock on; each day has one of the happenings. Weeks 7 and 8 are holidays."""
    begin, left = machine.world.time, cycle(happens)
    for day in (7 * week + day for week in range(13) if week not in (6, 7) for day in days):
        away = max(0.0, begin + day * DAY + 9 * HOUR - machine.world.time)
        yield away
        if virtual:
            machine.clock.resume(away)
            machine.ask("cron")
            yield 30.0
            machine.clock.offset = 0.0
        yield from happenings.work(machine, hours / 2)
        yield from next(left)(machine)
        yield from happenings.work(machine, hours / 2)


def audit(machines: Sequence[Machine], days: Sequence[int]) -> Steps:
    """Look for anomalies at the end of these days."""
    begin = machines[0].world.time
    for day in days:
        yield begin + (day + 1) * DAY - machines[0].world.time
        for machine in machines:
            assert machine.anomalies() == [], f"day {day}, {machine.name}"


@pytest.mark.slow
def test_a_quarter_of_ordinary_life_raises_no_alarm(tmp_path: Path) -> None:
    """Laptop, virtual machine and desk, and three machines that share a home, with everything that happens to them."""
    world, random = World(tmp_path), Random(13)
    laptop, virtual, desk = (world.machine() for _ in range(3))
    shared = [world.machine("home") for _ in range(3)]

    def shuffled(happens: Sequence[Happening]) -> list[Happening]:
        return random.sample(happens, len(happens))

    world.run(
        office(laptop, shuffled(OF_ITS_OWN), range(5), hours=6, virtual=False),
        office(virtual, shuffled(SHARED), (0, 2, 3), hours=4, virtual=True),
        office(desk, (happenings.full_log, *shuffled(SHARED)), (1,), hours=2, virtual=False),
        *(office(each, shuffled(SHARED), (0, 3), hours=2, virtual=False) for each in shared),
        audit((laptop, virtual, shared[0]), [*range(0, 90, 4), 90]),
        audit((desk,), (30, 60, 90)),
    )
    seen = {(event.event, event.result) for machine in (laptop, virtual, shared[0]) for event in machine.events()}
    happened = ("login", "renewal", "change", "endpoint-change", "migration", "revocation")
    assert seen >= {(kind, "ok") for kind in happened} | {("renewal", "recovered"), ("login", "started")}
    assert seen >= {(kind, "failed") for kind in ("refusal", "dead", "unanswered", "keyring-failed")}
    assert len(laptop.events("renewal")) > 1000 and desk.log.path(1).exists()


def test_a_week_of_ordinary_life_raises_no_alarm(tmp_path: Path) -> None:
    """Two machines at one server: each day has its happenings, and each night is asleep."""
    world = World(tmp_path)
    machines = [world.machine(), world.machine()]

    def week(machine: Machine, happens: Sequence[Happening]) -> Steps:
        machine.ask()
        for happening in happens:
            machine.ask("code")
            yield from happening(machine)
            assert machine.anomalies() == [], happening.__name__

    world.run(week(machines[0], QUICK[::2]), week(machines[1], QUICK[1::2]))
    assert all(machine.events("renewal") for machine in machines)


SERVERS = st.fixed_dictionaries(
    {
        "lifetime": st.sampled_from((900, 60, 3600)),
        "tells_expiry": st.booleans(),
        "tells_time": st.booleans(),
        "rotates": st.booleans(),
        "renews": st.sampled_from((True, True, False)),
        "skew": st.sampled_from((0.0, 0.0, 1000.0)),
    }
)


@given(st.lists(st.tuples(st.sampled_from(QUICK), st.floats(0, 2 * DAY)), max_size=6), SERVERS, st.booleans())
@settings(max_examples=25, derandomize=True)
def test_a_life_of_any_ordinary_happenings_raises_no_alarm(
    life: list[tuple[Happening, float]], server: dict[str, Any], knows_uptime: bool
) -> None:
    """In any order, at any time, at any server, and on a machine that knows its uptime or not."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        machine = world.machine()
        machine.clock.knows_uptime = knows_uptime
        for name, value in server.items():
            setattr(world.server, name, value)

        def live() -> Steps:
            machine.ask()
            yield from happenings.work(machine, 0.5)
            for happening, pause in life:
                yield from happening(machine)
                assert machine.anomalies() == [], happening.__name__
                yield pause + MINUTE
                machine.ask("zsh")

        world.run(live())
        assert machine.anomalies() == []
