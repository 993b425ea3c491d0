"""A session bus that is there and never answers: what a frozen desktop looks like to a program that asks it.

`HungBus` hangs from the start; `StallingBus` stands before a real bus and hangs at a message of one's choice.
"""

import os
import selectors
import socket
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from jeepney import HeaderFields, Message

Mode = Literal["silent", "after-auth"]


class HungBus:
    """A unix socket that accepts and then hangs: at once, or (`after-auth`) once the client has signed in to the bus."""

    def __init__(self, mode: Mode = "silent") -> None:
        self._mode = mode
        self._accepted = 0
        self._news = threading.Condition()

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="tokenctl-hung-")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._path))
        self._listener.listen()
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name="hung bus", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.close()
        self._thread.join()
        self._stopped.close()
        self._listener.close()
        self._folder.cleanup()

    @property
    def environ(self) -> dict[str, str]:
        """What sends a child process to this bus."""
        return {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={self._path}", "XDG_RUNTIME_DIR": self._folder.name}

    @property
    def connections(self) -> int:
        """How many connections were accepted so far."""
        with self._news:
            return self._accepted

    def wait_for_connection(self, seconds: float = 120.0) -> bool:
        """Whether anyone connects within this time."""
        with self._news:
            return self._news.wait_for(lambda: self._accepted > 0, seconds)

    @property
    def _path(self) -> Path:
        return Path(self._folder.name) / "bus"

    def _serve(self) -> None:
        connections: list[socket.socket] = []
        with selectors.DefaultSelector() as selector:
            selector.register(self._stopped, selectors.EVENT_READ)
            selector.register(self._listener, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self._stopped:
                        for connection in connections:
                            connection.close()
                        return
                    if key.fileobj is self._listener:
                        connection, _ = self._listener.accept()
                        connections.append(connection)
                        selector.register(connection, selectors.EVENT_READ)
                        with self._news:
                            self._accepted += 1
                            self._news.notify_all()
                    elif isinstance(key.fileobj, socket.socket) and not self._hear(key.fileobj):
                        selector.unregister(key.fileobj)

    def _hear(self, connection: socket.socket) -> bool:
        """Read what a client says and, if asked to, answer as far as the end of the sign-in; False once it left."""
        try:
            heard = connection.recv(4096)
            if self._mode == "after-auth":
                # Lines until BEGIN; what follows is binary messages, and those are left without an answer.
                for line in heard.split(b"\r\n"):
                    if line.lstrip(b"\0").startswith(b"AUTH"):
                        connection.sendall(b"OK " + os.urandom(16).hex().encode() + b"\r\n")
                    elif line.startswith(b"NEGOTIATE_UNIX_FD"):
                        connection.sendall(b"AGREE_UNIX_FD\r\n")
        except OSError:
            return False
        return bool(heard)


class StallingBus(HungBus):
    """A real bus until the clients have sent `messages` D-Bus messages; those after them are never delivered.

    All connections count together, and the sign-in to the bus does not count. What the bus says still arrives.
    """

    def __init__(self, address: str, messages: int | None = None) -> None:
        super().__init__()
        self._address = address.removeprefix("unix:path=")
        self._most = messages
        self._sent: list[str] = []

    @property
    def sent(self) -> list[str]:
        """The names of the messages that clients sent so far, those that were never delivered included."""
        with self._news:
            return list(self._sent)

    @property
    def stalled_at(self) -> str | None:
        """The name of the first message that was not delivered; None when all were."""
        sent = self.sent
        return None if self._most is None or len(sent) <= self._most else sent[self._most]

    def _serve(self) -> None:
        peers: dict[socket.socket, socket.socket] = {}
        clients: dict[socket.socket, _Stream] = {}
        with selectors.DefaultSelector() as selector:
            for listening in (self._stopped, self._listener):
                selector.register(listening, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    ready = key.fileobj
                    if ready is self._stopped:
                        for connection in peers:
                            connection.close()
                        return
                    if ready is self._listener:
                        client, bus = self._listener.accept()[0], socket.socket(socket.AF_UNIX)
                        bus.connect(self._address)
                        peers |= {client: bus, bus: client}
                        clients[client] = _Stream()
                        for connection in (client, bus):
                            selector.register(connection, selectors.EVENT_READ)
                        with self._news:
                            self._accepted += 1
                            self._news.notify_all()
                    elif isinstance(ready, socket.socket) and ready in peers:
                        if self._pass_on(ready, peers[ready], clients.get(ready)):
                            continue
                        for connection in (ready, peers[ready]):
                            selector.unregister(connection)
                            peers.pop(connection)
                            connection.close()

    def _pass_on(self, source: socket.socket, target: socket.socket, stream: "_Stream | None") -> bool:
        """Pass on what one side says; False once it left."""
        try:
            heard = source.recv(65536)
            if heard and stream is not None:
                heard, messages = stream.parts(heard)
                for message in messages:
                    with self._news:
                        self._sent.append(_name(message))
                        if self._most is None or len(self._sent) <= self._most:
                            heard += message
                if heard:
                    target.sendall(heard)
                return True
            target.sendall(heard)
        except OSError:
            return False
        return bool(heard)


class _Stream:
    """What a client sends, cut into its sign-in and whole messages."""

    def __init__(self) -> None:
        self._signed_in = False
        self._pending = b""

    def parts(self, heard: bytes) -> tuple[bytes, list[bytes]]:
        """Cut what was heard: the part of it that is sign-in, and the messages that are whole now."""
        self._pending += heard
        sign_in = b""
        if not self._signed_in:
            lines, end, rest = self._pending.partition(b"BEGIN\r\n")
            sign_in, self._pending, self._signed_in = lines + end, rest, bool(end)
        messages = []
        while len(self._pending) >= 16 and len(self._pending) >= (size := _size(self._pending)):
            messages.append(self._pending[:size])
            self._pending = self._pending[size:]
        return sign_in, messages


def _size(message: bytes) -> int:
    """How long a message is, told by the first 16 bytes: its body, and its header with padding."""
    order: Literal["little", "big"] = "little" if message[:1] == b"l" else "big"
    body, fields = (int.from_bytes(message[start : start + 4], order) for start in (4, 12))
    return 16 + -(-fields // 8) * 8 + body


def _name(message: bytes) -> str:
    return str(Message.from_buffer(message).header.fields.get(HeaderFields.member, "answer"))
