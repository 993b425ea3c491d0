"""Each anomaly, put once into an ordinary life: exactly that one is found."""

from pathlib import Path

import pytest

from tests.support import happenings
from tests.support.happenings import QUARTER, Happening
from tests.support.life import DAY, HOUR, Machine, Steps, World
from tokenctl.model.event import Event
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage.vault import Vault

BEFORE = (happenings.night, happenings.by_hand, happenings.narrower, happenings.lost_answer, happenings.older_keyring)
AFTER = (happenings.restart, happenings.another_login, happenings.refused_by_an_api, happenings.holiday)
ENDS = ("keyring-failing", "idle-session")
"""They end when the keyring works again, and when the session is used."""


def thief(machine: Machine) -> Steps:
    """Somebody copied the refresh token, and uses it first."""
    yield from happenings.work(machine, 0.5)
    machine.server.use(machine.document["refresh_token"])
    yield QUARTER
    machine.ask("git")


def late_thief(machine: Machine) -> Steps:
    """Somebody uses a copy after us, so the server ends the session; and it tells why."""
    copied = machine.document["refresh_token"]
    yield from happenings.work(machine, 0.5)
    grant = machine.server.grants[copied.partition(".")[0]]
    grant.ended, grant.why = True, "Refresh token was already used"
    yield QUARTER
    machine.ask("git")


def edited_entry(machine: Machine) -> Steps:
    """Another program puts an access token of its own into the keyring entry."""
    yield from happenings.work(machine, 0.5)
    machine.edit(access_token="a.b.c")
    yield QUARTER
    machine.ask("git")


def other_generation(machine: Machine) -> Steps:
    """Another program, with another lock, renewed the session in the keyring."""
    yield from happenings.work(machine, 0.5)
    machine.edit(generation=machine.document["generation"] + 1)
    yield QUARTER
    machine.ask("git")


def endless_loop(machine: Machine) -> Steps:
    """A script renews again and again."""
    for _ in range(40):
        machine.refresh("loop.sh")
        yield 10.0


def other_person(machine: Machine) -> Steps:
    """The server mixes up two persons."""
    machine.server.answers_as = "mallory"
    for _ in range(3):
        yield QUARTER
        machine.ask("git")
    machine.server.answers_as = None
    yield QUARTER
    machine.ask("git")


def clock_set_back(machine: Machine) -> Steps:
    """Somebody sets the clock a day back; a time server puts it right later."""
    yield from happenings.work(machine, 0.5)
    machine.clock.offset = -DAY
    yield QUARTER
    machine.ask("git")
    yield HOUR
    machine.clock.offset = 0.0
    machine.ask("git")


def clock_set_ahead(machine: Machine) -> Steps:
    """Somebody sets the clock an hour ahead."""
    yield from happenings.work(machine, 0.5)
    machine.clock.offset = HOUR
    yield QUARTER
    machine.ask("git")
    yield HOUR
    machine.clock.offset = 0.0
    yield QUARTER
    machine.ask("git")


def dead_keyring(machine: Machine) -> Steps:
    """The keyring takes nothing any more."""
    yield QUARTER
    machine.ring.failing = 1000
    yield from happenings.work(machine, 1)
    machine.ring.failing = 0


def _gave_up(runtime: Runtime, vault: Vault) -> Session:
    """Leave the event of a command that gave up: a real one waits by the machine's own clock, which no test can set."""
    more = {"waited": 60, "holder": 4711}
    vault.record(Event(event="lock-wait", profile="work", result="failed", more=more))
    session = vault.newest()
    assert session is not None
    return session


def stopped_process(machine: Machine) -> Steps:
    """A process that holds the lock was stopped, and others give up."""
    for _ in range(3):
        yield HOUR
        machine.run("cron", _gave_up)
    machine.ask("git")


def forgotten(machine: Machine) -> Steps:
    """Nobody uses the session for weeks, and as far as anybody knows its refresh token lives on."""
    machine.server.tells_expiry = False
    machine.login()
    yield 33 * DAY


CASES = [
    ("refresh-token-refused", thief),
    ("refresh-token-refused", late_thief),
    ("session-changed-outside", edited_entry),
    ("session-changed-outside", other_generation),
    ("too-many-renewals", endless_loop),
    ("subject-changed", other_person),
    ("clock-jumped", clock_set_back),
    ("clock-jumped", clock_set_ahead),
    ("keyring-failing", dead_keyring),
    ("lock-waits", stopped_process),
    ("idle-session", forgotten),
]


def found(machine: Machine) -> list[str]:
    """Name the anomalies that `audit` finds now."""
    return [each.name for each in machine.anomalies()]


@pytest.mark.parametrize(("name", "unusual"), CASES, ids=lambda each: each if isinstance(each, str) else each.__name__)
def test_each_anomaly_is_found_alone(tmp_path: Path, name: str, unusual: Happening) -> None:
    """It is found when it happens, and stays; or it ends when its cause does."""
    world = World(tmp_path)
    machine = world.machine()
    machine.ask()
    for happening in BEFORE:
        world.run(happening(machine))
        assert found(machine) == []
    world.run(unusual(machine))
    assert found(machine) == [name]
    for happening in AFTER:
        world.run(happening(machine))
    assert found(machine) == ([] if name in ENDS else [name])


def test_a_theft_is_found_where_three_machines_share_a_home(tmp_path: Path) -> None:
    """What the others do explains nothing about the session of one of them."""
    world = World(tmp_path)
    machines = [world.machine("home") for _ in range(3)]
    world.run(*(happenings.work(machine, 2) for machine in machines))
    world.run(thief(machines[0]), *(happenings.work(machine, 2) for machine in machines[1:]))
    assert found(machines[0]) == ["refresh-token-refused"]
