"""An API that wants an access token of the demo's authorization server; `tokenctl proxy` stands before it in tests.

It speaks just enough of the OpenAI and Anthropic protocols for a streamed answer, and is a git server (`git
http-backend`). Streamed events come one by one: the next one waits until the test has seen the one before.
"""

import gzip
import json
import os
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import jwt

from tests.servers import streamed_answers
from tests.servers.faulty_server import FaultyServer
from tests.support.commandline import LONG

FILE = bytes(range(256)) * 1024
"""What `GET /file` answers with; ranges are honoured."""
ZIPPED = gzip.compress(b"a text that was compressed once " * 100, mtime=0)
"""The body of `GET /gzip`, byte for byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request as it arrived. Header names are as they were sent."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    status: int

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for each, value in self.headers if each.lower() == name.lower()]


class BearerApi:
    """The API, for a `with` block. `repositories` is the folder that git serves."""

    def __init__(self, authority: FaultyServer, repositories: Path) -> None:
        self.repositories = repositories
        self.seen: list[Seen] = []
        self.connections = 0
        """How many connections were made so far."""
        self.next_event = threading.Semaphore(0)
        """Released by the test for each event after the first one of a stream."""
        self._authority = authority
        self._refuse_next = False
        self._refused: set[str] = set()

    @property
    def origin(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    def begin(self) -> None:
        """Forget what was seen, and refuse the next token that comes, from then on."""
        self.seen.clear()
        self.next_event = threading.Semaphore(0)
        self._refuse_next = True

    def status_of(self, authorization: list[str]) -> int:
        """Judge the Authorization headers of a request."""
        scheme, _, token = authorization[0].partition(" ") if len(authorization) == 1 else ("", "", "")
        key = self._authority.signing_key.private.public_key()
        try:
            jwt.decode(token, key, algorithms=["RS256"], options={"verify_aud": False})
        except jwt.InvalidTokenError:
            return 401
        if self._refuse_next:
            self._refused.add(token)
            self._refuse_next = False
        return 401 if scheme != "Bearer" or token in self._refused else 200

    def __enter__(self) -> Self:
        self._listener = _Listener(self)
        threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown()
        self._listener.server_close()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, api: BearerApi) -> None:
        self.api = api
        super().__init__(("127.0.0.1", 0), _Connection)

    def handle_error(self, request: object, client_address: object) -> None:
        """Print no traceback: the client has gone away."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = LONG

    def setup(self) -> None:
        super().setup()
        cast(_Listener, self.server).api.connections += 1

    def handle_one(self) -> None:
        body = b"".join(self._body())
        api = cast(_Listener, self.server).api
        status = api.status_of(self.headers.get_all("Authorization") or [])
        headers = tuple(self.headers.items())
        api.seen.append(Seen(method=self.command, target=self.path, headers=headers, body=body, status=status))
        path = self.path.partition("?")[0]
        if status != 200:
            self._answer(401, b'{"error":"invalid_token"}', {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        elif path.startswith("/git/"):
            self._git(api.repositories, body)
        elif path == "/events":
            self._events(streamed_answers.plain())
        elif path == "/v1/chat/completions":
            self._events(streamed_answers.chat_completion())
        elif path == "/v1/messages":
            self._events(streamed_answers.message())
        elif path == "/file":
            self._file()
        elif path == "/gzip":
            self._answer(200, ZIPPED, {"Content-Encoding": "gzip", "Content-Type": "text/plain"})
        else:
            self._answer(200, json.dumps({"target": self.path, "length": len(body)}).encode())

    do_GET = do_POST = do_PUT = do_HEAD = handle_one  # noqa: N815  # http.server's method names

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            yield self.rfile.read(int(self.headers.get("Content-Length", 0)))
            return
        while length := int(self.rfile.readline(), 16):
            yield self.rfile.read(length)
            self.rfile.readline()
        self.rfile.readline()

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] = {}) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _file(self) -> None:
        wanted = self.headers.get("Range", "").removeprefix("bytes=").partition("-")
        if not wanted[1]:
            self._answer(200, FILE, {"Accept-Ranges": "bytes"})
            return
        first, last = int(wanted[0]), int(wanted[2] or len(FILE) - 1)
        self._answer(206, FILE[first : last + 1], {"Content-Range": f"bytes {first}-{last}/{len(FILE)}"})

    def _events(self, events: Iterable[str]) -> None:
        """Send server-sent events, each as soon as the test has seen the one before."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number, event in enumerate(events):
            if number and not cast(_Listener, self.server).api.next_event.acquire(timeout=LONG):
                raise TimeoutError("the test has not seen the event before")
            self.wfile.write(f"{len(event):x}\r\n{event}\r\n".encode())
        self.wfile.write(b"0\r\n\r\n")

    def _git(self, repositories: Path, body: bytes) -> None:
        path, _, query = self.path.removeprefix("/git").partition("?")
        environ = {
            "GIT_PROJECT_ROOT": str(repositories),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH": os.environ["PATH"],
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "REMOTE_USER": "somebody",  # who is known may push
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=environ, capture_output=True, check=True)
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self._answer(int(headers.pop("Status", "200")[:3]), answer, headers)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""
