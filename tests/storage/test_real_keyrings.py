"""The stores over real keyrings: each keeps, locks, asks and fails in its own way, and the answers are the same."""

import json

import pytest

from tests.servers.hung_bus import StallingBus
from tests.servers.keepassxc import KeePassXC
from tests.servers.keyrings import RealKeyring
from tests.servers.kwallet import KWallet
from tests.support.sessions import session
from tests.support.store_client import ask, start
from tokenctl.model.session import dumps, loads

pytestmark = [pytest.mark.real, pytest.mark.slow]  # fixtures that are asked for by name mark nothing
KEYRINGS = ["kwallet", "kwallet_own", "keepassxc", "password_store"]
VERBS = ["read", "write", "delete", "prepare"]


def document(verb: str) -> list[str]:
    """What a verb writes."""
    return [dumps(session(2))] if verb == "write" else []


@pytest.mark.parametrize("name", KEYRINGS)
def test_a_session_survives_the_round_trip(request: pytest.FixtureRequest, name: str) -> None:
    """It is an entry that other programs find too, it survives the daemon, and is gone when it is deleted."""
    service: RealKeyring = request.getfixturevalue(name)
    wanted = session(3, account="Ünï", scope="x" * 5000)
    assert ask(service.environ, service.backend, "read", "work") == {"found": None}
    assert ask(service.environ, service.backend, "prepare", "work") == {"found": None}
    assert ask(service.environ, service.backend, "write", "work", dumps(session(1))) == {"found": None}
    assert ask(service.environ, service.backend, "write", "work", dumps(wanted)) == {"found": None}
    assert service.lookup("tokenctl:work", "session") == dumps(wanted)
    if isinstance(service, KeePassXC):
        service.sync()
    service.kill()
    service.restart()
    assert loads(ask(service.environ, service.backend, "read", "work")["found"]) == wanted
    assert ask(service.environ, service.backend, "delete", "work") == {"found": None}
    assert ask(service.environ, service.backend, "read", "work") == {"found": None}
    assert service.lookup("tokenctl:work", "session") is None


@pytest.mark.parametrize("name", KEYRINGS)
@pytest.mark.parametrize("verb", VERBS)
def test_a_locked_keyring_is_locked(request: pytest.FixtureRequest, name: str, verb: str) -> None:
    """It is neither empty nor damaged, nobody is asked where nobody can answer, and what is in it stays."""
    service: RealKeyring = request.getfixturevalue(name)
    ask(service.environ, service.backend, "write", "work", dumps(session(1)))
    service.lock()
    answer = ask(service.environ, service.backend, verb, "work", *document(verb))
    if name == "password_store" and verb in ("write", "delete"):  # a public key writes, and anybody can delete a file
        return
    expected = ["StoreLocked", "StoreUnavailable"] if name == "keepassxc" else ["StoreLocked"]  # it takes it away
    assert answer["error"] in expected, answer
    service.unlock()
    assert loads(ask(service.environ, service.backend, "read", "work")["found"]) == session(1)


@pytest.mark.parametrize("through", ["kwallet", "kwallet_own"])
@pytest.mark.parametrize("verb", VERBS)
def test_a_wallet_that_was_never_opened_is_locked(request: pytest.FixtureRequest, through: str, verb: str) -> None:
    """After the daemon's start a closed wallet shows no entry at all."""
    wallet: KWallet = request.getfixturevalue(through)
    ask(wallet.environ, wallet.backend, "write", "work", dumps(session(1)))
    wallet.start_locked()
    assert ask(wallet.environ, wallet.backend, verb, "work", *document(verb))["error"] == "StoreLocked"


@pytest.mark.parametrize("through", ["kwallet", "kwallet_own"])
def test_a_wallet_that_the_login_to_the_desktop_opened_is_used(request: pytest.FixtureRequest, through: str) -> None:
    """Nobody has to be asked, although the Secret Service calls it locked until it is asked to unlock it."""
    wallet: KWallet = request.getfixturevalue(through)
    ask(wallet.environ, wallet.backend, "write", "work", dumps(session(1)))
    wallet.start_locked()
    wallet.open_wallet()
    assert loads(ask(wallet.environ, wallet.backend, "read", "work")["found"]) == session(1)


@pytest.mark.parametrize("name", KEYRINGS[:3])
@pytest.mark.parametrize("verb", VERBS)
def test_a_keyring_that_died_is_unavailable(request: pytest.FixtureRequest, name: str, verb: str) -> None:
    """Nothing is started in its place, and when it is back the session is too."""
    service: RealKeyring = request.getfixturevalue(name)
    ask(service.environ, service.backend, "write", "work", dumps(session(1)))
    if isinstance(service, KeePassXC):
        service.sync()
    service.kill()
    assert ask(service.environ, service.backend, verb, "work", *document(verb))["error"] == "StoreUnavailable"
    service.restart()
    assert loads(ask(service.environ, service.backend, "read", "work")["found"]) == session(1)


@pytest.mark.parametrize("name", KEYRINGS[:3])
@pytest.mark.parametrize("verb", VERBS)
def test_a_keyring_that_is_stuck_is_timed_out(request: pytest.FixtureRequest, name: str, verb: str) -> None:
    """That is neither a keyring that is missing nor a locked one, and when it goes on the session is there."""
    service: KWallet | KeePassXC = request.getfixturevalue(name)
    ask(service.environ, service.backend, "write", "work", dumps(session(1)))
    service.pause()
    answer = ask(service.environ, service.backend, verb, "work", *document(verb), deadline=0.5)
    assert answer["error"] == "StoreTimedOut"
    service.go_on()
    if verb in ("read", "prepare"):  # the others may be done late
        assert loads(ask(service.environ, service.backend, "read", "work")["found"]) == session(1)


@pytest.mark.parametrize("name", ["secret_service", *KEYRINGS])
def test_a_program_that_lives_longer_than_the_keyring_goes_on(request: pytest.FixtureRequest, name: str) -> None:
    """What was agreed with the daemon before its restart is agreed again with the new one."""
    service = request.getfixturevalue(name)
    ask(service.environ, service.backend, "write", "work", dumps(session(1)))
    if isinstance(service, KeePassXC):
        service.sync()
    with start(service.environ, service.backend, "twice", "work") as client:
        assert client.stdin is not None and client.stdout is not None
        assert client.stdout.readline() == "once\n"
        service.kill()
        service.restart()
        answer = json.loads(client.communicate("\n")[0])
    assert "error" not in answer, answer
    assert loads(answer["found"]) == session(1)


@pytest.mark.parametrize("verb", ["read", "write", "delete"])
def test_a_keyring_that_asks_a_person_gets_the_answer(confirming_keepassxc: KeePassXC, verb: str) -> None:
    """A person who allows it can read, renew and sign out; each question is asked once in a process."""
    service = confirming_keepassxc
    ask(service.environ, "ours", "write", "work", dumps(session(1)), attended=True)
    with start(service.environ, "ours", verb, "work", *document(verb), attended=True) as client:
        while client.poll() is None:
            service.answer_if_asked()
        answer = json.loads(client.communicate()[0])
    assert "error" not in answer, answer
    if verb == "read":
        assert loads(answer["found"]) == session(1)
    else:
        expected = None if verb == "delete" else dumps(session(2))
        with start(service.environ, "ours", "read", "work", attended=True) as client:
            while client.poll() is None:
                service.answer_if_asked()
            assert json.loads(client.communicate()[0]) == {"found": expected}


@pytest.mark.parametrize("verb", ["read", "write", "delete"])
def test_a_keyring_that_asks_is_locked_where_nobody_can_answer(confirming_keepassxc: KeePassXC, verb: str) -> None:
    """No question appears, and the entry stays."""
    service = confirming_keepassxc
    ask(service.environ, "ours", "write", "work", dumps(session(1)), attended=True)
    assert ask(service.environ, "ours", verb, "work", *document(verb))["error"] == "StoreLocked"
    assert service.dialogs() == []


def test_a_person_who_says_no_is_asked_once(confirming_keepassxc: KeePassXC) -> None:
    """A question that was closed is not put again in the same process."""
    service = confirming_keepassxc
    ask(service.environ, "ours", "write", "work", dumps(session(1)), attended=True)
    with start(service.environ, "ours", "read", "work", attended=True) as client:
        service.answer("Escape")
        assert json.loads(client.communicate()[0])["error"] == "StoreLocked"
    assert service.dialogs() == []


def test_a_question_that_nobody_answers_is_dismissed(confirming_keepassxc: KeePassXC) -> None:
    """The keyring is told so after the deadline. KeePassXC 2.7.4 leaves its dialog on the screen all the same."""
    service = confirming_keepassxc
    ask(service.environ, "ours", "write", "work", dumps(session(1)), attended=True)
    with StallingBus(service.environ["DBUS_SESSION_BUS_ADDRESS"]) as bus:
        answer = ask(bus.environ, "ours", "read", "work", deadline=1, attended=True)
        assert answer["error"] == "StoreTimedOut"
        assert bus.sent[-2:] == ["Prompt", "Dismiss"]
