"""The stores over the real Secret Service, each call in a process of its own as a command would be."""

import json
import os
import subprocess
import time
from contextlib import ExitStack

import pytest

from tests.servers.hung_bus import HungBus, Mode, StallingBus
from tests.servers.secret_service import LOGIN, SecretService
from tests.support.commandline import LONG
from tests.support.sessions import SECRET, session
from tests.support.store_client import ask, words
from tokenctl.model.session import dumps, loads

pytestmark = pytest.mark.real

LANES = pytest.mark.parametrize("lane", ["library", "ours"])


@pytest.mark.quick
@LANES
def test_a_session_survives_the_round_trip(secret_service: SecretService, lane: str) -> None:
    """It is one entry that other programs find too, in its documented place, and gone when it is deleted."""
    wanted = session(3, account="Ünï", scope="x" * 5000)
    assert ask(secret_service.environ, lane, "read", "work") == {"found": None}
    assert ask(secret_service.environ, lane, "write", "work", dumps(wanted)) == {"found": None}
    assert loads(ask(secret_service.environ, lane, "read", "work")["found"]) == wanted
    assert secret_service.lookup("tokenctl:work", "session") == dumps(wanted)
    ask(secret_service.environ, lane, "write", "work", dumps(session(4)))
    assert loads(ask(secret_service.environ, lane, "read", "work")["found"]).generation == 4
    assert ask(secret_service.environ, lane, "delete", "work") == {"found": None}
    assert ask(secret_service.environ, lane, "read", "work") == {"found": None}
    assert secret_service.lookup("tokenctl:work", "session") is None
    assert ask(secret_service.environ, lane, "delete", "work") == {"found": None}


@LANES
def test_what_another_program_wrote_is_damaged_and_kept(secret_service: SecretService, lane: str) -> None:
    """Nothing but revoke deletes an entry, whatever is in it."""
    secret_service.store("tokenctl:work", "session", f"not a session: {SECRET}")
    answer = ask(secret_service.environ, lane, "read", "work")
    assert answer["error"] == "StoreDamaged" and SECRET not in answer["message"]
    assert secret_service.lookup("tokenctl:work", "session") == f"not a session: {SECRET}"


@LANES
@pytest.mark.parametrize("verb", ["read", "write"])
def test_a_locked_keyring_is_locked_and_not_empty(secret_service: SecretService, lane: str, verb: str) -> None:
    """It never looks like "not logged in", and what is in it stays."""
    secret_service.store("tokenctl:work", "session", dumps(session(1)))
    secret_service.lock()
    document = [dumps(session(2))] if verb == "write" else []
    answer = ask(secret_service.environ, lane, verb, "work", *document)
    assert answer["error"] == "StoreLocked" and "the Secret Service keyring" in answer["message"]
    secret_service.restart()
    assert loads(ask(secret_service.environ, lane, "read", "work")["found"]) == session(1)


@LANES
@pytest.mark.parametrize("verb", ["read", "write", "delete"])
def test_a_keyring_that_died_is_unavailable(secret_service: SecretService, lane: str, verb: str) -> None:
    """Nothing is started in its place, and when it is back the session is too."""
    secret_service.store("tokenctl:work", "session", dumps(session(1)))
    secret_service.kill()
    document = [dumps(session(2))] if verb == "write" else []
    assert ask(secret_service.environ, lane, verb, "work", *document)["error"] == "StoreUnavailable"
    secret_service.restart()
    assert loads(ask(secret_service.environ, lane, "read", "work")["found"]) == session(1)


def test_thirty_writers_and_readers_lose_nothing(secret_service: SecretService) -> None:
    """gnome-keyring fails spuriously under concurrent writes; no session suffers, and no reader sees half of one."""
    answers = _thirty(secret_service)
    crashed = any("disconnected" in each.get("message", "") for each in answers)
    if crashed:  # which the daemon does now and then
        secret_service.restart()
        answers = _thirty(secret_service)
    assert [loads(each["found"]).generation if "found" in each else each for each in answers] == list(range(1, 31))
    stored = [secret_service.lookup(f"tokenctl:p{number}", "session") for number in range(30)]
    assert stored == [dumps(session(number + 1)) for number in range(30)]
    assert secret_service.lookup("tokenctl:shared", "session") == dumps(session(99))


def _thirty(secret_service: SecretService) -> list[dict[str, str]]:
    """Let thirty processes write and read at once, and return what each of them says in the end."""
    secret_service.store("tokenctl:shared", "session", dumps(session(99)))
    environ = {**os.environ, **secret_service.environ}
    with ExitStack() as stack:
        clients = [
            stack.enter_context(
                subprocess.Popen(
                    words(("library", "ours")[number % 2], 120, "mix", f"p{number}", dumps(session(number + 1))),
                    env=environ,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for number in range(30)
        ]
        return [json.loads(client.communicate(timeout=LONG)[0]) for client in clients]


def test_a_process_has_one_connection(secret_service: SecretService) -> None:
    """Whatever it does, and however often."""
    with StallingBus(secret_service.environ["DBUS_SESSION_BUS_ADDRESS"]) as bus:
        assert ask(bus.environ, "ours", "all", "work", dumps(session(1))) == {"found": None}
        assert bus.connections == 1


def test_of_two_items_the_newest_is_read_and_written(secret_service: SecretService) -> None:
    """Another program, or a copy of the keyring, can have made a second one: it shadows nothing, and goes too."""
    attributes = {"service": "tokenctl:work", "username": "session"}
    ask(secret_service.environ, "ours", "write", "work", dumps(session(1)))
    time.sleep(1.1)  # the Secret Service's times are whole seconds
    secret_service.add_item(LOGIN, attributes, dumps(session(2)))
    assert loads(ask(secret_service.environ, "ours", "read", "work")["found"]).generation == 2
    time.sleep(1.1)
    secret_service.add_item(LOGIN, {**attributes, "application": "another"}, dumps(session(3)))
    assert loads(ask(secret_service.environ, "ours", "read", "work")["found"]).generation == 3
    for generation in (4, 5):
        ask(secret_service.environ, "ours", "write", "work", dumps(session(generation)))
        assert loads(ask(secret_service.environ, "ours", "read", "work")["found"]).generation == generation
    assert ask(secret_service.environ, "ours", "delete", "work") == {"found": None}
    assert secret_service.lookup("tokenctl:work", "session") is None


def test_the_collection_of_the_login_is_used(secret_service: SecretService) -> None:
    """Also when the default moves; one that is gone is an error, and not a person who is not signed in."""
    ask(secret_service.environ, "ours", "write", "work", dumps(session(1)))
    other = secret_service.add_collection("other")
    secret_service.move_default(other)
    there, gone = {"COLLECTION": LOGIN}, {"COLLECTION": f"{LOGIN}_gone"}
    assert loads(ask({**secret_service.environ, **there}, "ours", "read", "work")["found"]) == session(1)
    assert ask(secret_service.environ, "ours", "read", "work") == {"found": None}
    for verb in ("read", "write", "delete", "prepare"):
        document = [dumps(session(2))] if verb == "write" else []
        answer = ask({**secret_service.environ, **gone}, "ours", verb, "work", *document)
        assert answer["error"] == "StoreUnavailable" and "login_gone any more" in answer["message"]


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["read", "delete"])
def test_a_bus_that_lets_nobody_in_is_timed_out(verb: str) -> None:
    """The D-Bus library gives up before our deadline, and that is not a keyring that is missing."""
    with HungBus("silent") as bus:
        assert ask(bus.environ, "library", verb, "work", deadline=60)["error"] == "StoreTimedOut"


@pytest.mark.quick
@LANES
@pytest.mark.parametrize("mode", ["silent", "after-auth"])
@pytest.mark.parametrize("verb", ["read", "write", "delete"])
def test_a_stuck_bus_is_timed_out_within_the_deadline(lane: str, mode: Mode, verb: str) -> None:
    """The process ends too: nothing that still waits holds it."""
    document = [dumps(session())] if verb == "write" else []
    with HungBus(mode) as bus:
        answer = ask(bus.environ, lane, verb, "work", *document, deadline=0.5)
        assert answer["error"] == "StoreTimedOut"
        assert bus.connections
