"""`doctor` in broken worlds: it names the cause, says one way out, ends as `token` ends, and changes and discloses nothing."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.servers.faulty_server import FaultyServer
from tests.servers.secret_service import SecretService
from tests.support.commandline import Result
from tests.support.disclosure import disclosed
from tests.support.machine import Machine
from tests.support.real_parts import available
from tests.support.worlds import WORLDS, World
from tokenctl.handoff.token_folder import PREFIX

pytestmark = [pytest.mark.real, pytest.mark.slow]

FOREVER = 1e9


@pytest.fixture(scope="module")
def keyring() -> Iterator[SecretService]:
    """One keyring for the worlds that do not break it."""
    with available(), SecretService() as service:
        yield service


@pytest.fixture(scope="module")
def server(signing_key: rsa.RSAPrivateKey) -> Iterator[FaultyServer]:
    """One server, which forgives a refresh token that was used before."""
    with FaultyServer(auto_approve=True, signing_key=signing_key, reuse_grace=FOREVER) as server:
        yield server


@pytest.fixture
def machine(tmp_path: Path, server: FaultyServer, keyring: SecretService) -> Iterator[Machine]:
    """A machine on which somebody is signed in."""
    with Machine(tmp_path / "home", server, keyring) as machine:
        yield machine


@pytest.mark.parametrize("name", WORLDS)
def test_the_doctor_is_right(machine: Machine, name: str) -> None:
    """It says the cause and the way out, ends with the status of `token`, changes nothing, and the way out works."""
    world = WORLDS[name]
    world.breaks(machine)
    shown, document = examined(machine)
    assert_right(world, shown, json.loads(document.stdout))
    token = machine.run("token")
    assert token.status == world.status, token
    assert (document.status, shown.status) == (token.status, token.status)
    remedy = first_remedy(json.loads(document.stdout))
    if world.mend is not None and remedy is not None and world.remedy is not None:
        found = re.search(world.remedy, remedy)
        assert found is not None
        world.mend(machine, found.group())
        mended = machine.run("token")
        assert (mended.status, mended.stdout.count(".")) == (0, 2), (remedy, mended)


def examined(machine: Machine) -> list[Result]:
    """Run the doctor in each of its ways, and expect that it changed, asked and disclosed nothing that it must not."""
    before, kept, asked = machine.snapshot(), machine.entries(), len(machine.server.requests)
    with ThreadPoolExecutor() as threads:
        results = list(threads.map(lambda words: machine.run("doctor", *words), [(), ("--json",)]))
    requests = machine.server.requests[asked:]
    assert (machine.snapshot(), machine.entries()) == (before, kept), "something was changed"
    for request in requests:
        sent = f"{request.path}{request.headers}{request.body.decode()}"
        assert request.method == "GET" and disclosed(machine.secrets, sent) == [], request
    for result in results:
        assert disclosed(machine.secrets, result.stdout + result.stderr) == [], result
        assert "Traceback" not in result.stderr and "unexpected" not in result.stdout + result.stderr, result
    return results


def assert_right(world: World, shown: Result, document: dict[str, Any]) -> None:
    """Expect the cause and the remedy in the findings, and both in what a person sees."""
    wrong = [each for each in document["findings"] if each["status"] in ("failed", "warning")]
    said = [each["sentence"] for each in wrong]
    missing = [word for word in world.says if not re.search(word, " ".join(said))]
    assert not missing, (missing, shown.stdout)
    assert len(said) == len(set(said)), ("it says a thing twice", shown.stdout)
    if world.remedy is not None:
        assert re.search(world.remedy, first_remedy(document) or ""), (world.remedy, shown.stdout)
    seen = without_numbers(shown.stdout)
    for each in wrong:
        assert without_numbers(each["sentence"]) in seen and without_numbers(each["remedy"] or "") in seen, (each, seen)
    failed = [each for each in wrong if each["status"] == "failed"]
    assert bool(failed) == (world.status != 0), shown.stdout


def without_numbers(text: str) -> str:
    """Take out what differs from one run to the next one: seconds that are left, milliseconds that something took."""
    return re.sub(r"\d+", "0", text)


def first_remedy(document: dict[str, Any]) -> str | None:
    """Return the remedy that a person follows first: of what failed, else of a warning."""
    for status in ("failed", "warning"):
        for each in document["findings"]:
            if each["status"] == status:
                return str(each["remedy"]) if each["remedy"] else None
    return None


@pytest.mark.parametrize("name", ["server is down", "server is overloaded", "keyring is locked", "no config file"])
def test_offline_nothing_is_sent(machine: Machine, name: str) -> None:
    """What needs the network is left out, and the rest is as right as before."""
    WORLDS[name].breaks(machine)
    asked = len(machine.server.requests)
    offline = machine.run("doctor", "--offline", "--json")
    assert len(machine.server.requests) == asked
    findings = json.loads(offline.stdout)["findings"]
    assert ("could not check", "network") in [(each["status"], each["check"]) for each in findings]
    assert offline.status == (0 if name.startswith("server") else WORLDS[name].status)


def test_nothing_is_wrong_on_a_sound_machine(machine: Machine) -> None:
    """Where nothing is broken the doctor finds nothing to do, and ends with 0; an expired token is no fault either."""
    for left in (800, 30, -60):
        machine.age(left)
        shown, document = examined(machine)
        assert shown.status == 0
        wrong = [each for each in json.loads(document.stdout)["findings"] if each["status"] in ("failed", "warning")]
        # All runs of this user share the folder for token files, and another test may have killed one just now.
        assert [each for each in wrong if PREFIX not in each["sentence"]] == []
