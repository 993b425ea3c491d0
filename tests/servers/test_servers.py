"""The Secret Service and the hung bus do what the other tests rely on, and what is missing is said."""

import socket

import pytest

from tests.servers.hung_bus import HungBus, Mode
from tests.servers.secret_service import SecretService
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
