"""A session bus that is there and never answers: what a frozen desktop looks like to a program that asks it."""

import os
import selectors
import socket
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

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

    def wait_for_connection(self, seconds: float = 10.0) -> bool:
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
