"""A program that uses tokenctl as a library: an account that is signed in, and an API that checks its token."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.servers.loopback import Connection, Listener, Served
from tests.support import broker
from tests.support.commandline import COMMAND, LONG
from tests.support.flows import SCOPE, refreshes
from tokenctl.demo.commands import temporary_environment
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as a server got it."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def authorization(self) -> str | None:
        """The header, if there is one."""
        return self.headers.get("authorization")


@dataclass(kw_only=True)
class Answer:
    """An answer that a test wants."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Api(Served):
    """An API on loopback that lets in whoever has a token that its authorization server knows, and remembers requests.

    `answers` has what a test wants for a path in its place.
    """

    def __init__(self, server: FaultyServer | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
        self.server = server
        self.asked: list[Asked] = []
        self.answers: dict[str, Answer] = {}
        api = self

        class Asking(Connection):
            def do_POST(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self._chunks() if "chunked" in headers.get("transfer-encoding", "") else self._known()
                asked = Asked(method=self.command, target=self.path, headers=headers, body=body)
                api.asked.append(asked)
                answer = api.answers.get(self.path) or api.checked(asked)
                self.send_response(answer.status)
                for name, value in ({"Content-Length": "2"} | dict(answer.headers)).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"{}")

            do_GET = do_POST

            def _known(self) -> bytes:
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))

            def _chunks(self) -> bytes:
                body = b""
                while length := int(self.rfile.readline(), 16):
                    body += self.rfile.read(length)
                    self.rfile.readline()
                self.rfile.readline()
                return body

        self.listener = Listener(Asking, host, port)
        self.port = self.listener.server_port
        self.origin = f"http://{host}" + ("" if self.port == 80 else f":{self.port}")

    def checked(self, asked: Asked) -> Answer:
        """Ask the authorization server whether the token is good."""
        token = (asked.authorization or "").removeprefix("Bearer ")
        if self.server is not None and self.server.sessions.access_claims(token) is None:
            return Answer(status=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        return Answer()

    def forget(self) -> None:
        """Forget what was asked."""
        self.asked.clear()


@dataclass(frozen=True, kw_only=True)
class Account:
    """Profile `t` of this process's environment, its authorization server, and an API that it is bound to."""

    server: FaultyServer
    api: Api
    environ: Mapping[str, str]
    session: Session

    @property
    def refreshes(self) -> int:
        """How often the refresh token was presented."""
        return refreshes(self.server)

    def tokenctl(self, *words: str) -> None:
        """Run a command that must succeed."""
        subprocess.run([*COMMAND, *words], check=True, timeout=LONG)

    def keep(self, session: Session) -> None:
        """Keep another session in the place of the one that is there."""
        runtime = Runtime(self.environ)
        broker.keep(runtime, runtime.profile("t"), session, switch=True)

    def age(self, left: int = -60, session: Session | None = None) -> None:
        """Keep a session, or the first one again, with an access token that has `left` seconds more."""
        session = session or self.session
        expires_at = session.expires_at
        assert expires_at is not None
        earlier = expires_at - int(Runtime().now()) - left
        self.keep(
            replace(
                session,
                booted_at_ms=None,
                boot_id=None,
                expires_at=expires_at - earlier,
                obtained_at=session.obtained_at - earlier,
            )
        )


@pytest.fixture
def api(demo_server: FaultyServer) -> Iterator[Api]:
    """An API of the demo's authorization server."""
    with Api(demo_server) as api:
        yield api


@pytest.fixture
def account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, demo_server: FaultyServer, session: Session, api: Api
) -> Account:
    """An account that is signed in, for the environment of this process; its token has 14 minutes."""
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "passphrase").write_text("correct horse battery staple\n")
    environ = temporary_environment({}, folder)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("CI", raising=False)
    (folder / "config.toml").write_text(
        f'[profiles.t]\nissuer = {json.dumps(demo_server.issuer)}\nclient_id = "tokenctl-demo"\n'
        f'scope = {json.dumps(SCOPE)}\nflow = "browser"\nhosts = [{json.dumps(api.origin)}]\n'
    )
    account = Account(server=demo_server, api=api, environ=environ, session=session)
    account.age(left=840)  # so that no renewal waits because the token is only just there
    return account
