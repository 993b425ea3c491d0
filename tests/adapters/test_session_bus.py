"""The session bus: its address in every form, a connection, and calls that end."""

import contextlib
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.hung_bus import HungBus
from tests.servers.secret_service import SecretService
from tokenctl.adapters.bus_address import BusUnavailable, sockets
from tokenctl.adapters.session_bus import BUS, BusError, BusSilent, SessionBus

pytestmark = pytest.mark.skipif("sys.platform != 'linux'", reason="jeepney is for Linux")
BUS_ADDRESS = "DBUS_SESSION_BUS_ADDRESS"
RUNTIME = {"XDG_RUNTIME_DIR": "/run/user/7"}


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("unix:path=/run/a", [b"/run/a"]),
        ("unix:path=/run/a,guid=0123456789abcdef", [b"/run/a"]),
        ("unix:guid=0123456789abcdef,path=/run/a", [b"/run/a"]),
        ("unix:abstract=/tmp/dbus-x,guid=1", [b"\0/tmp/dbus-x"]),
        ("unix:path=/run/a%20b%c3%bc%3b", ["/run/a bü;".encode()]),
        ("unix:runtime=yes", [b"/run/user/7/bus"]),
        ("unix:path=/run/a;unix:path=/run/b", [b"/run/a", b"/run/b"]),
        ("tcp:host=localhost,port=1;unix:path=/run/b;", [b"/run/b"]),
        ("unix:path=/with=equals", [b"/with=equals"]),
        ("", [b"/run/user/7/bus"]),
    ],
)
def test_an_address_is_read_as_d_bus_defines_it(address: str, wanted: list[bytes]) -> None:
    """Lists, escapes, the three kinds of unix socket; where none is set, it is the runtime directory's."""
    assert sockets({BUS_ADDRESS: address, **RUNTIME}) == wanted


@pytest.mark.parametrize(
    "address",
    [
        *("tcp:host=localhost,port=1", "nonce-tcp:host=localhost,port=1,noncefile=/x", "unixexec:path=/bin/true"),
        *("autolaunch:", "launchd:env=X", "unix:dir=/tmp", "unix:tmpdir=/tmp", "unix:", "unix:runtime=no"),
        *("x", "unix", ":", ";", "unix:path", "unix:=x", "unix:path=%zz", "unix:path=%4", "\x00", "unix:path=/\u2028%"),
    ],
)
def test_an_address_that_cannot_be_used_has_a_reason(address: str) -> None:
    """It is told in words, and is no defect."""
    with pytest.raises(BusUnavailable) as caught:
        SessionBus({BUS_ADDRESS: address, **RUNTIME}, 5)
    assert 20 < len(str(caught.value)) < 300


@pytest.mark.parametrize("environ", [{}, {"XDG_RUNTIME_DIR": "relative"}, {"XDG_RUNTIME_DIR": "/no/such/folder"}])
def test_no_address_at_all_has_a_reason(environ: dict[str, str]) -> None:
    """So has a runtime directory without a bus."""
    with pytest.raises(BusUnavailable, match="no session bus"):
        SessionBus(environ, 5)


def test_the_first_address_that_can_be_reached_is_used(secret_service: SecretService) -> None:
    """An address of a bus that ended is passed over, and so is one of another kind."""
    real = secret_service.environ[BUS_ADDRESS]
    for environ in (
        {BUS_ADDRESS: f"unix:path=/no/such/bus;tcp:host=x,port=1;unix:abstract=none;{real}"},
        {"XDG_RUNTIME_DIR": os.path.dirname(real.removeprefix("unix:path="))},
    ):
        bus = SessionBus(environ, 120)
        assert "org.freedesktop.secrets" in bus.call(BUS, "ListNames", seconds=120)[0]
        with pytest.raises(BusError, match="UnknownMethod"):
            bus.call(BUS, "NoSuchMethod", seconds=120)
        bus.close()


@pytest.mark.parametrize("mode", ["silent", "after-auth"])
def test_a_bus_that_is_stuck_is_silent(mode: str) -> None:
    """Whether it lets somebody in or not."""
    with HungBus(mode) as bus, pytest.raises(BusSilent):  # type: ignore[arg-type]
        SessionBus(bus.environ, 0.2)


@pytest.fixture
def full() -> Iterator[tuple[Path, socket.socket]]:
    """A bus whose queue of connections is full, because it had no time yet to take them."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        path = Path(folder) / "bus"
        listener.bind(str(path))
        listener.listen(0)
        waiting = []
        try:
            while True:
                waiting.append(socket.socket(socket.AF_UNIX))
                waiting[-1].setblocking(False)
                waiting[-1].connect(str(path))
        except BlockingIOError:
            pass
        yield path, listener
        for each in waiting:
            each.close()


def test_a_bus_with_a_full_queue_is_waited_for(full: tuple[Path, socket.socket]) -> None:
    """Two hundred programs can start at once: whoever finds the queue full tries again."""
    path, listener = full

    def serve() -> None:
        with contextlib.suppress(OSError):  # the listener was shut down
            while True:
                listener.accept()[0].close()

    server = threading.Timer(0.3, serve)
    server.start()
    with pytest.raises(BusUnavailable):  # it was let in, and sent away
        SessionBus({BUS_ADDRESS: f"unix:path={path}"}, 120)
    listener.shutdown(socket.SHUT_RDWR)
    server.join()


def test_a_queue_that_stays_full_is_silent(full: tuple[Path, socket.socket]) -> None:
    """A bus that is stopped takes nobody, and that is the same answer as that of a stuck one."""
    with pytest.raises(BusSilent):
        SessionBus({BUS_ADDRESS: f"unix:path={full[0]}"}, 0.2)


def test_a_bus_that_ends_is_unavailable(secret_service: SecretService) -> None:
    """The next call says so."""
    bus = SessionBus(secret_service.environ, 120)
    secret_service.stop_bus()
    with pytest.raises(BusUnavailable, match="has gone"):
        bus.call(BUS, "ListNames", seconds=120)
    bus.close()
