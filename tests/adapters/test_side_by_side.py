"""Addresses tried side by side, with real sockets: one that answers, some that refuse, and some that never answer."""

import contextlib
import socket
import sys
from collections.abc import Iterator

import httpcore
import pytest

from tests.servers.raw_server import OK, raw_server, saying
from tests.support.commandline import LONG
from tokenctl.adapters.side_by_side import SideBySide, in_turn
from tokenctl.adapters.transport import Transport
from tokenctl.errors import Unreachable
from tokenctl.oauth.wire import Request

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 and a full backlog are Linux's")


@contextlib.contextmanager
def black_hole(address: str, port: int = 0) -> Iterator[socket.socket]:
    """A port whose backlog is full: a connection to it is never accepted and never refused. Yields the listener."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(family))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
        except OSError as reason:
            pytest.skip(f"this machine has no {address}: {reason}")
        listener.listen(0)
        for _ in range(4):  # it takes one or two, and lets the others wait
            waiting = stack.enter_context(socket.socket(family))
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener


def exchange(stream: httpcore.NetworkStream) -> bytes:
    """Send something, and return the answer."""
    with contextlib.closing(stream):
        stream.write(b"GET / HTTP/1.1\r\n\r\n", LONG)
        return stream.read(65536, LONG)


@pytest.mark.parametrize("dead", [["127.0.0.2"], ["::1"], ["127.0.0.2", "::1", "127.0.0.3"]])
def test_an_address_that_never_answers_does_not_hold_up_the_others(dead: list[str]) -> None:
    """Such as one of IPv6 where the route is dead: the connection comes before its time is up."""
    with raw_server(saying(OK)) as port, contextlib.ExitStack() as stack:
        for address in dead:
            stack.enter_context(black_hole(address, port))
        assert exchange(SideBySide().connect_to([*dead, "127.0.0.1"], port, LONG)) == OK


def test_a_host_with_a_dead_address_is_reached_in_time() -> None:
    """The whole transport, where `localhost` has an IPv6 address: it has less time than one address may take."""
    if len({family for family, *_ in socket.getaddrinfo("localhost", 1, type=socket.SOCK_STREAM)}) < 2:
        pytest.skip("localhost has one address on this machine")
    with raw_server(saying(OK)) as port, black_hole("::1", port):
        assert Transport(total=8).send(Request(url=f"http://localhost:{port}/")).status == 200


def test_an_address_that_refuses_starts_the_next_one() -> None:
    """And the answer of the last one counts."""
    with raw_server(saying(OK)) as port:
        assert exchange(SideBySide().connect_to(["127.0.0.2", "127.0.0.3", "127.0.0.1"], port, LONG)) == OK


@pytest.mark.parametrize("addresses", [["127.0.0.2", "127.0.0.3"], ["127.0.0.2"], ["127.0.0.2", "255.255.255.255"]])
def test_where_every_address_refuses_the_reason_is_told(addresses: list[str]) -> None:
    """A refusal says more than a missing route."""
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(httpcore.ConnectError, match="refused"):
        SideBySide().connect_to(addresses, listener.getsockname()[1], LONG)


@pytest.mark.parametrize("addresses", [["127.0.0.2"], ["127.0.0.2", "127.0.0.3"]])
def test_all_addresses_share_one_deadline(addresses: list[str]) -> None:
    """Where none answers, it is passed once."""
    with black_hole("127.0.0.2") as hole:
        port = hole.getsockname()[1]
        with black_hole("127.0.0.3", port), pytest.raises(httpcore.ConnectTimeout):
            SideBySide().connect_to(addresses, port, 0.6)


def test_a_connection_that_comes_too_late_is_closed() -> None:
    """Nothing is sent on it."""
    ends: list[bytes] = []
    with raw_server(saying(OK)) as port, black_hole("127.0.0.2", port) as hole:
        stream = SideBySide().connect_to(["127.0.0.2", "127.0.0.1"], port, LONG)
        hole.settimeout(LONG)
        mine = stream.get_extra_info("socket").getsockname()
        while len(ends) < 5:  # four that only fill the backlog, which are still open, and the late one
            connection, peer = hole.accept()
            assert peer != mine
            connection.settimeout(0.5)
            with connection, contextlib.suppress(TimeoutError):
                ends.append(connection.recv(1))
                break
            ends.append(b"open")
        assert ends[-1] == b"" and ends.count(b"") == 1
        assert exchange(stream) == OK


def test_a_name_that_nobody_knows_is_unreachable() -> None:
    """The lookup fails as a connection does, before anything is sent."""
    with pytest.raises(Unreachable, match=r"^tokenctl\.invalid cannot be reached: ") as caught:
        Transport().send(Request(url="https://tokenctl.invalid/token", form=()))
    assert not caught.value.sent


@pytest.mark.parametrize(
    ("found", "order"),
    [
        ([(6, "a"), (6, "b"), (6, "c"), (4, "d")], ["a", "d", "b", "c"]),
        ([(4, "a"), (4, "b"), (6, "c"), (6, "d")], ["a", "c", "b", "d"]),
        ([(4, "a"), (4, "a"), (4, "b")], ["a", "b"]),
        ([(6, "a")], ["a"]),
    ],
)
def test_the_families_take_turns(found: list[tuple[int, str]], order: list[str]) -> None:
    """The family that the system prefers begins; an address that comes twice is tried once."""
    assert in_turn(found) == order
