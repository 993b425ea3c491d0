"""Connect to a host that has several addresses: try them side by side (RFC 8305, "happy eyeballs").

httpcore tries one address after the other, and a dead IPv6 route then costs all the time there is for connecting. With
this backend httpcore connects to each address in a thread of its own, with a short pause between the starts. The first
connection is used, and the others are closed. Nothing is sent here, so no decision about the request is made here.
"""

import errno
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain, zip_longest
from typing import Any

import httpcore

DELAY = 0.25
"""Seconds between two starts (RFC 8305 section 5). Where a try fails, the next one starts at once."""
_NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class SideBySide(httpcore.SyncBackend):
    """A network backend of httpcore. `timeout` is seconds for all addresses together."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Look up the host's addresses, and connect. Raises httpcore.ConnectError or httpcore.ConnectTimeout."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(error) from error
        return self.connect_to(in_turn([(family, at[0]) for family, _, _, _, at in found]), port, timeout)

    def connect_to(self, addresses: Sequence[str], port: int, timeout: float | None = None) -> httpcore.NetworkStream:
        """Connect to the first of these IP addresses that answers, and raise what is the reason if none does."""
        if len(addresses) == 1:
            return super().connect_tcp(addresses[0], port, timeout)
        end = None if timeout is None else time.monotonic() + timeout

        def connect(address: str) -> httpcore.NetworkStream:
            left = None if end is None else max(0.001, end - time.monotonic())
            return httpcore.SyncBackend.connect_tcp(self, address, port, left)

        race = _Race()
        waiting = list(addresses)
        errors: list[Exception] = []
        try:
            while len(errors) < len(addresses):
                if waiting:
                    race.start(partial(connect, waiting.pop(0)))
                ended = race.next_end(DELAY if waiting else None)
                if isinstance(ended, httpcore.NetworkStream):
                    return ended
                errors += [ended] if ended else []
        finally:
            race.finish()
        raise next((error for error in reversed(errors) if not _has_no_route(error)), errors[-1])


def in_turn(found: Sequence[tuple[int, Any]]) -> list[str]:
    """Order addresses so that the families take turns (RFC 8305 section 4); `found` has family and address."""
    first = [address for family, address in found if family == found[0][0]]
    others = [address for family, address in found if family != found[0][0]]
    return list(dict.fromkeys(each for each in chain(*zip_longest(first, others)) if each))


def _has_no_route(error: Exception) -> bool:
    """Tell whether this machine has no route to the address: it then says nothing about the server."""
    return getattr(error.__cause__, "errno", None) in _NO_ROUTE


class _Race:
    """Connections that are being made. What ends after `finish` is closed by the thread that made it."""

    def __init__(self) -> None:
        self._ends: queue.SimpleQueue[httpcore.NetworkStream | Exception] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._finished = False

    def start(self, connect: Callable[[], httpcore.NetworkStream]) -> None:
        """Begin one. Its thread ends with the connection's timeout, or with the process."""
        threading.Thread(target=self._run, args=(connect,), daemon=True).start()

    def _run(self, connect: Callable[[], httpcore.NetworkStream]) -> None:
        ended: httpcore.NetworkStream | Exception
        try:
            ended = connect()
        except Exception as error:  # raised again in the thread that waits, if no other address answers
            ended = error
        with self._lock:
            if not self._finished:
                self._ends.put(ended)
                return
        _close(ended)

    def next_end(self, seconds: float | None) -> httpcore.NetworkStream | Exception | None:
        """Wait for a connection or an error; None after `seconds`."""
        try:
            return self._ends.get(timeout=seconds)
        except queue.Empty:
            return None

    def finish(self) -> None:
        """Close what has not been taken, now and later."""
        with self._lock:
            self._finished = True
        while not self._ends.empty():
            _close(self._ends.get())


def _close(ended: httpcore.NetworkStream | Exception) -> None:
    if isinstance(ended, httpcore.NetworkStream):
        ended.close()
