"""One connection to the D-Bus session bus, and calls that end by a deadline."""

import fcntl
import os
import select
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from jeepney import DBusAddress, HeaderFields, Message, MessageType, Parser, new_method_call

from tokenctl.adapters.bus_address import BusUnavailable, sockets
from tokenctl.adapters.deadline import patiently

BUS = DBusAddress("/org/freedesktop/DBus", bus_name="org.freedesktop.DBus", interface="org.freedesktop.DBus")


class BusSilent(Exception):
    """The bus, or a program on it, did not answer in time."""


class BusError(Exception):
    """A program answered with an error: its D-Bus name, and its text."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name}: {text}" if text else name)
        self.name = name


class SessionBus:
    """One connection to the session bus. Threads can share it: one call is made at a time."""

    def __init__(self, environ: Mapping[str, str], seconds: float) -> None:
        """Connect and sign in. Raises BusUnavailable or BusSilent."""
        self.turn = threading.RLock()
        self._serial = 0
        self._parser = Parser()
        self._replies: dict[int, Message] = {}
        self._signals: list[Message] = []
        self._connect(sockets(environ), seconds)
        try:
            self._sign_in(seconds)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def send(self, address: DBusAddress, method: str, signature: str = "", *body: object, seconds: float) -> int:
        """Send a call, and return the number by which `answer` finds its answer. Raises BusUnavailable or BusSilent."""
        (serial,) = self.send_all([(address, method, signature, body)], seconds)
        return serial

    def send_all(self, calls: Sequence[tuple[DBusAddress, str, str, tuple[object, ...]]], seconds: float) -> list[int]:
        """Send calls at once: address, method, signature, and what is sent. See `send`."""
        first = self._serial + 1
        self._serial += len(calls)
        serials = list(range(first, self._serial + 1))
        messages = [
            new_method_call(address, method, signature or None, body) for address, method, signature, body in calls
        ]
        content = [message.serialise(serial=serial) for message, serial in zip(messages, serials, strict=True)]
        self._write(b"".join(content), seconds)
        return serials

    def answer(self, serial: int, seconds: float) -> tuple[Any, ...]:
        """Wait for the answer to a call. Raises BusError, BusSilent or BusUnavailable."""
        while serial not in self._replies:
            self._read(seconds)
        reply = self._replies.pop(serial)
        if reply.header.message_type is MessageType.error:
            text = reply.body[0] if reply.body and isinstance(reply.body[0], str) else ""
            raise BusError(str(reply.header.fields.get(HeaderFields.error_name, "")), text)
        return tuple(reply.body)

    def call(
        self, address: DBusAddress, method: str, signature: str = "", *body: object, seconds: float
    ) -> tuple[Any, ...]:
        """Make a call and return the body of its answer. Raises BusError, BusSilent or BusUnavailable."""
        return self.answer(self.send(address, method, signature, *body, seconds=seconds), seconds)

    def listen(self, rule: str, seconds: float) -> None:
        """Ask the bus for the signals that a match rule describes."""
        self.call(BUS, "AddMatch", "s", rule, seconds=seconds)

    def signal(self, path: str, member: str, seconds: float) -> tuple[Any, ...]:
        """Wait for a signal of an object. `seconds` are for all of it. Raises BusSilent or BusUnavailable."""

        def came(wait: float) -> bool:
            self._take(wait)
            return any(_is(each, path, member) for each in self._signals)

        if not patiently(came, seconds):
            raise BusSilent
        found = next(each for each in self._signals if _is(each, path, member))
        self._signals.clear()
        return tuple(found.body)

    # -- the socket ------------------------------------------------------------------------------------

    def _connect(self, addresses: list[bytes], seconds: float) -> None:
        reasons = []
        for address in addresses:
            self._socket = _new_socket()
            try:
                self._socket.setblocking(False)
                # Not connected when the queue of a busy bus is full (EAGAIN): then it has to be tried again.
                if not patiently(lambda wait, address=address: self._connected(address, wait), seconds):  # type: ignore[misc]
                    raise BusSilent
                return
            except (OSError, BusSilent) as reason:
                self._socket.close()
                if isinstance(reason, BusSilent):
                    raise
                name = os.fsdecode(address).replace("\0", "@")
                reasons.append(f"{name}: {reason.strerror or reason}")
        raise BusUnavailable(f"there is no session bus at {'; '.join(reasons)}")

    def _connected(self, address: bytes, wait: float) -> bool:
        try:
            self._socket.connect(address)
        except BlockingIOError:
            time.sleep(wait)
            return False
        return True

    def _sign_in(self, seconds: float) -> None:
        """Sign in as this user (`EXTERNAL`: the kernel tells the bus who is at the other end), and say Hello."""
        user = str(os.geteuid()).encode().hex()
        self._write(f"\0AUTH EXTERNAL {user}\r\n".encode(), seconds)
        line = b""
        while not line.endswith(b"\r\n"):
            line += self._some(seconds)  # nothing more comes before BEGIN
        if not line.startswith(b"OK"):
            raise BusUnavailable("the session bus lets this user not in")
        self._write(b"BEGIN\r\n", seconds)
        self.call(BUS, "Hello", seconds=seconds)

    def _write(self, content: bytes, seconds: float) -> None:
        while content:
            if not patiently(lambda wait: bool(self._poll(select.POLLOUT, wait)), seconds):
                raise BusSilent
            try:
                content = content[self._socket.send(content) :]
            except BlockingIOError:
                continue
            except OSError as reason:
                raise BusUnavailable(f"the session bus has gone: {reason.strerror}") from None

    def _some(self, seconds: float) -> bytes:
        if not patiently(lambda wait: bool(self._poll(select.POLLIN, wait)), seconds):
            raise BusSilent
        try:
            found = self._socket.recv(65536)
        except BlockingIOError:
            return b""
        except OSError as reason:
            raise BusUnavailable(f"the session bus has gone: {reason.strerror}") from None
        if not found:
            raise BusUnavailable("the session bus has gone: it closed the connection")
        return found

    def _read(self, seconds: float) -> None:
        for message in self._parser.feed(self._some(seconds)):
            kind, to = message.header.message_type, message.header.fields.get(HeaderFields.reply_serial)
            if kind in (MessageType.method_return, MessageType.error) and isinstance(to, int):
                self._replies[to] = message
            elif kind is MessageType.signal:
                self._signals.append(message)

    def _take(self, wait: float) -> None:
        """Read what has come, or comes within the seconds of one wait."""
        if self._poll(select.POLLIN, wait):
            self._read(wait)

    def _poll(self, event: int, wait: float) -> list[tuple[int, int]]:
        poll = select.poll()
        poll.register(self._socket, event)
        return poll.poll(int(wait * 1000))


def _new_socket() -> socket.socket:
    """Make a socket, at a descriptor that no standard stream uses: the connection lives as long as the process."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    if made.fileno() > 2:
        return made
    with made:
        return socket.socket(fileno=fcntl.fcntl(made, fcntl.F_DUPFD_CLOEXEC, 3))


def _is(message: Message, path: str, member: str) -> bool:
    fields = message.header.fields
    return (fields.get(HeaderFields.path), fields.get(HeaderFields.member)) == (path, member)
