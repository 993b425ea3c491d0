"""The Secret Service and the hung bus do what the other tests rely on, and what is missing is said."""

import os
import socket
import subprocess
import sys

import pytest

from tests.servers.hung_bus import HungBus, Mode
from tests.servers.keepassxc import KeePassXC
from tests.servers.kwallet import KWallet
from tests.servers.secret_service import SecretService
from tests.support.commandline import LONG
from tests.support.real_parts import Missing, available


@pytest.mark.quick
def test_the_keyring_keeps_what_it_is_given(secret_service: SecretService) -> None:
    """An entry comes back to the character, survives the daemon, and goes when it is deleted."""
    assert secret_service.lookup("s", "u") is None
    secret_service.store("s", "u", '{"ü": "\n"}')
    secret_service.kill()
    with pytest.raises(RuntimeError, match=r"org\.freedesktop\.secrets"):
        secret_service.lookup("s", "u")
    secret_service.restart()
    assert secret_service.lookup("s", "u") == '{"ü": "\n"}'
    secret_service.clear("s", "u")
    assert secret_service.lookup("s", "u") is None


def test_a_locked_keyring_gives_nothing_away(secret_service: SecretService) -> None:
    """An entry that was there is not to be had once the collection is locked."""
    secret_service.store("s", "u", "secret")
    secret_service.lock()
    assert secret_service.lookup("s", "u") is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["kwallet", "kwallet_own", "keepassxc", "password_store"])
def test_each_real_keyring_keeps_locks_and_comes_back(request: pytest.FixtureRequest, name: str) -> None:
    """What the keyring library's backend wrote is there for others, also after the daemon's sudden end."""
    service = request.getfixturevalue(name)
    code = "import sys, keyring.core as core; core.load_keyring(sys.argv[1]).set_password('s', 'u', 'secret')"
    if name == "kwallet_own":  # its priority wants that D-Bus can start it
        code = code.replace("load_keyring(sys.argv[1])", "_load_keyring_class(sys.argv[1])()")
    environ = {**os.environ, **service.environ}
    words = [sys.executable, "-c", code, service.backend]
    done = subprocess.run(words, env=environ, check=not isinstance(service, KWallet), timeout=LONG)
    if done.returncode:  # kwalletd forgets the session of a client now and then: "Can't find session"
        subprocess.run(words, env=environ, check=True, timeout=LONG)
    assert (service.lookup("s", "u"), service.lookup("s", "other")) == ("secret", None)
    service.lock()
    service.unlock()
    assert service.lookup("s", "u") == "secret"
    if isinstance(service, KWallet):
        service.sync()
    service.kill()
    service.restart()
    assert service.lookup("s", "u") == "secret"


def test_keepassxc_asks_a_person(confirming_keepassxc: KeePassXC) -> None:
    """A program gets an entry of another one when the person allows it."""
    code = "import keyring.core as core; core.load_keyring(%r).set_password('s', 'u', 'secret')"
    environ = {**os.environ, **confirming_keepassxc.environ}
    words = [sys.executable, "-c", code % confirming_keepassxc.backend]
    subprocess.run(words, env=environ, check=True, timeout=LONG)
    code = "import keyring.core as core; print(core.load_keyring(%r).get_password('s', 'u'))"
    with subprocess.Popen(
        [sys.executable, "-c", code % confirming_keepassxc.backend], env=environ, stdout=subprocess.PIPE, text=True
    ) as reader:
        confirming_keepassxc.answer()
        assert reader.communicate(timeout=LONG)[0] == "secret\n"


def test_two_keyrings_know_nothing_of_each_other(secret_service: SecretService) -> None:
    """Tests that run side by side each have their own."""
    secret_service.store("s", "u", "mine")
    with SecretService() as other:
        assert other.lookup("s", "u") is None


@pytest.mark.parametrize(("mode", "answer"), [("silent", b""), ("after-auth", b"OK ")])
def test_a_hung_bus_accepts_and_says_no_more(mode: Mode, answer: bytes) -> None:
    """A client is let in, signs in if the mode allows, and then waits for ever."""
    with HungBus(mode) as bus, socket.socket(socket.AF_UNIX) as client:
        client.settimeout(0.2)
        client.connect(bus.environ["DBUS_SESSION_BUS_ADDRESS"].removeprefix("unix:path="))
        client.sendall(b"\0AUTH EXTERNAL 30\r\n")
        if answer:
            assert client.recv(100).startswith(answer)
        client.sendall(b"BEGIN\r\n")
        with pytest.raises(TimeoutError):
            client.recv(1)
        assert bus.wait_for_connection() and bus.connections == 1


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_part_skips_here_and_fails_in_ci(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    """The reason names what is absent, and CI does not let it pass."""
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="no chromium"), available():
        raise Missing("no chromium on PATH")
