"""`tokenctl proxy`: what it refuses, what it says, where its secret is, and how it ends."""

import contextlib
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.killing.scene import wait_until
from tests.servers.bearer_api import BearerApi
from tests.servers.faulty_server import FaultyServer
from tests.support.aging import age
from tests.support.commandline import COMMAND, LONG, Home, Started, open_files
from tests.support.real_parts import available, program
from tokenctl.cli import main as cli
from tokenctl.model.event import sentence
from tokenctl.runtime import Runtime
from tokenctl.storage.event_log import FOLDER, EventLog

pytestmark = pytest.mark.skipif(os.name != "posix", reason="unix sockets, modes and signals of POSIX")

URL = "https://api.example"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "missing argument 'URL'"),
        (("api.example",), "did you mean https://api.example?"),
        (("http://api.example",), "must be https"),
        (("ftp://api.example",), "is not an http or https URL"),
        (("https://me:word@api.example",), "is not an http or https URL"),
        ((f"{URL}/v1?x=1",), "has a query or a fragment"),
        ((f"{URL}/v1#x",), "has a query or a fragment"),
        ((f"{URL}/v1/../v2",), "a segment . or .."),
        ((f"{URL}/v1/%2e%2E/v2",), "a segment . or .."),
        ((f"{URL}/v1%5cv2",), "a backslash"),
        ((URL, "--listen", "0.0.0.0:8400"), "must be 127.0.0.1:PORT"),
        ((URL, "--listen", "localhost:8400"), "must be 127.0.0.1:PORT"),
        ((URL, "--listen", "127.0.0.1:65536"), "must be 127.0.0.1:PORT"),
        ((URL, "--listen", "8400"), "must be 127.0.0.1:PORT"),
        ((URL, "--listen", "127.0.0.1:0", "--socket", "s"), "contradict each other"),
        ((URL, "--secret-header", "Authorization"), "has a meaning of its own"),
        ((URL, "--secret-header", "cookie"), "has a meaning of its own"),
        ((URL, "--secret-header", "Transfer-Encoding"), "has a meaning of its own"),
        ((URL, "--secret-header", "x key"), "is not the name of a header"),
        ((URL, "--allow", "GET v1"), "is not a method and a path prefix"),
        ((URL, "--allow", "GET /v1/.."), "no segment . or .."),
        ((URL, "--secret-file", " "), "it is empty"),
    ],
)
def test_what_it_refuses(here: Runtime, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong words are exit status 2, before anything listens or is written."""
    assert cli.run(("proxy", *words), obj=here) == 2
    written = capsys.readouterr()
    assert said in written.err and written.out == "" and "Traceback" not in written.err


@pytest.fixture
def here(tmp_path: Path) -> Runtime:
    """A config file with a profile that is bound to URL."""
    config = tmp_path / "config.toml"
    config.write_text(f'[profiles.t]\nissuer = "https://i.example"\nclient_id = "c"\nhosts = ["{URL}"]\n')
    environ = {"TOKENCTL_CONFIG": str(config), "TOKENCTL_STATE_DIR": str(tmp_path / "state"), "HOME": str(tmp_path)}
    return Runtime(environ)


def test_only_a_bound_server_gets_the_token(here: Runtime, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither another port nor a name below it; with -p or without."""
    for url in ("https://other.example", f"{URL}:444", "https://x.api.example", "http://127.0.0.1:1"):
        for words in ((url,), (url, "-p", "t")):
            assert cli.run(("proxy", *words), obj=here) == 2
            assert "bound to" in capsys.readouterr().err


# -- a proxy that runs ---------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Running:
    """A proxy that listens: its process, where its stderr goes, and the file that it named for its secret."""

    process: Started
    log: Path
    address: str
    secret_file: Path

    @property
    def headers(self) -> dict[str, str]:
        """What a client presents."""
        return {"Authorization": f"Bearer {self.secret_file.read_text()}"}

    def get(self, path: str = "/x") -> int:
        """Send a request; the status of its answer."""
        transport = None if self.address.startswith("http") else httpx.HTTPTransport(uds=self.address)
        url = self.address if transport is None else "http://localhost"
        with httpx.Client(transport=transport, trust_env=False, timeout=LONG) as client:
            return client.get(url + path, headers=self.headers).status_code

    def ended_by(self, number: signal.Signals) -> tuple[int, str]:
        """Send the proxy a signal; its exit status, and what it had to say."""
        self.process.send_signal(number)
        return self.process.wait(LONG), self.log.read_text()


@pytest.fixture
def signed_in(home: Home, demo_server: FaultyServer) -> Home:
    """A HOME that is signed in, with a runtime folder of its own."""
    assert home.login(demo_server.issuer).status == 0
    folder = home.folder / "run"
    folder.mkdir(mode=0o700)
    home.environ["XDG_RUNTIME_DIR"] = str(folder)
    return home


@pytest.fixture
def api(demo_server: FaultyServer, tmp_path: Path) -> Iterator[BearerApi]:
    """An API that wants a token of the server."""
    with BearerApi(demo_server, tmp_path) as api:
        yield api


@contextlib.contextmanager
def proxy(home: Home, api: BearerApi, *words: str, before: tuple[str, ...] = ()) -> Iterator[Running]:
    """Run a proxy, which writes nothing to stdout; the block begins when it listens."""
    log, out = home.folder / "log", home.folder / "out"
    command = [*before, *COMMAND, "proxy", api.origin, "--bind", *words]
    with (
        log.open("w") as stderr,
        out.open("w") as stdout,
        Started(command, env=home.environ, cwd=home.folder, stdout=stdout, stderr=stderr) as process,
    ):
        wait_until(lambda: "its secret is in" in log.read_text() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        found = re.search(r"tokenctl: (\S+) is a proxy for (\S+) .* its secret is in (\S+)\n", log.read_text())
        assert found is not None and found[2] == api.origin
        yield Running(process=process, log=log, address=found[1], secret_file=Path(found[3]))
        process.terminate()
        process.wait(LONG)
    assert out.read_text() == ""


def runtime_folder(home: Home) -> list[Path]:
    """List what is in the runtime folder."""
    return list(Path(home.environ["XDG_RUNTIME_DIR"]).iterdir())


def test_its_life(signed_in: Home, api: BearerApi) -> None:
    """It says where it listens, how to use it and where its secret is, and never the secret; in the end nothing is left."""
    with proxy(signed_in, api, "-v") as first:
        assert first.get("/a%2fb?q=1") == 200 and api.seen[-1].target == "/a%2fb?q=1"
        secret = first.secret_file.read_text()
        assert len(secret) == 43 and stat.S_IMODE(first.secret_file.stat().st_mode) == 0o600
        hint = re.search(r"hint: (.*curl.*)\n", first.log.read_text())
        assert hint is not None
        if shutil.which("curl"):
            done = subprocess.run(["sh", "-c", hint[1]], capture_output=True, text=True, check=False)
            assert '"target": "/"' in done.stdout, done.stderr
        status, said = first.ended_by(signal.SIGINT)
        assert status == 130 and "GET /a%2fb" in said and "q=1" not in said
        assert secret not in said and not runtime_folder(signed_in)
    with proxy(signed_in, api, "-q") as second:
        assert second.secret_file.read_text() != secret and "hint" not in second.log.read_text()


def test_it_says_each_event_once(signed_in: Home, api: BearerApi) -> None:
    """With -v, also one of the worker; and the event is in the log."""
    age(signed_in)
    with proxy(signed_in, api, "-v") as running:
        assert running.get() == running.get() == 200
        said = running.log.read_text()
    renewals = [
        each
        for each in EventLog(Path(signed_in.environ["TOKENCTL_STATE_DIR"]) / FOLDER).read()
        if each.event == "renewal"
    ]
    assert said.count("t: renewed in") == len(renewals) == said.count(sentence(renewals[0])) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_nothing_is_left(signed_in: Home, api: BearerApi, number: signal.Signals) -> None:
    """It ends as the signal wants, without its socket and its secret."""
    folder = signed_in.folder / "proxy"
    with proxy(signed_in, api, "--socket", "proxy/s", "--secret-file", "secret") as running:
        assert running.address == str(folder / "s") and running.get() == 200
        assert [stat.S_IMODE(each.stat().st_mode) for each in (folder, folder / "s")] == [0o700, 0o600]
        assert running.secret_file == signed_in.folder / "secret"
        assert running.ended_by(number)[0] == -number
        assert not list(folder.iterdir()) and not running.secret_file.exists()


def test_under_nohup_it_stays(signed_in: Home, api: BearerApi) -> None:
    """A signal that is ignored stays ignored."""
    with proxy(signed_in, api, before=("sh", "-c", 'trap "" HUP INT; exec "$@"', "sh")) as running:
        for number in (signal.SIGHUP, signal.SIGINT):
            running.process.send_signal(number)
            assert running.get() == 200


def test_it_can_be_stopped_and_continued(signed_in: Home, api: BearerApi) -> None:
    """As with Ctrl-Z; a request that came meanwhile is answered."""
    with proxy(signed_in, api) as running:
        running.process.send_signal(signal.SIGSTOP)
        with socket.create_connection(("127.0.0.1", int(running.address.rpartition(":")[2]))):
            running.process.send_signal(signal.SIGCONT)
            assert running.get() == 200


def test_what_a_killed_proxy_left(signed_in: Home, api: BearerApi) -> None:
    """The next one removes its secret, and takes its socket and its file."""
    words = ("--socket", str(signed_in.folder / "proxy" / "s"), "--secret-file", "secret")
    for options in ((), words):
        with proxy(signed_in, api, *options) as running:
            running.process.kill()
            running.process.wait(LONG)
            old = running.secret_file.read_text()
        with proxy(signed_in, api, *options) as running:
            assert running.get() == 200 and running.secret_file.read_text() != old
            assert len(runtime_folder(signed_in)) == (0 if options else 1)
    assert not runtime_folder(signed_in)


def test_a_second_ctrl_c_does_not_wait(signed_in: Home, api: BearerApi) -> None:
    """An answer that has begun gets some seconds; who does not want to wait for it still leaves nothing behind."""
    with proxy(signed_in, api) as running, httpx.Client(trust_env=False, timeout=LONG) as client:
        with (
            contextlib.suppress(httpx.HTTPError),
            client.stream("GET", f"{running.address}/events", headers=running.headers) as answer,
        ):
            next(answer.iter_raw())
            running.process.send_signal(signal.SIGINT)
            wait_until(lambda: not connects(running.address))
            assert running.ended_by(signal.SIGINT)[0] == 130
        assert not runtime_folder(signed_in)


def connects(address: str) -> bool:
    """Tell whether somebody listens on the port."""
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))).close()
        return True
    return False


def test_it_begins_before_the_login(signed_in: Home, api: BearerApi, demo_server: FaultyServer) -> None:
    """It says at once what is missing, answers 503 until the login, and then works."""
    assert signed_in.run("revoke").status == 0
    with proxy(signed_in, api) as running:
        wait_until(lambda: "tokenctl login" in running.log.read_text())
        assert "warning" in running.log.read_text()
        assert running.get() == 503
        assert signed_in.login(demo_server.issuer).status == 0
        assert running.get() == 200


def test_a_port_in_use_is_told(signed_in: Home, api: BearerApi) -> None:
    """As a usage error, with what to do; and nothing is left."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        result = signed_in.run("proxy", api.origin, "--bind", "--listen", address)
    assert (result.status, result.stdout) == (2, "") and address in result.stderr and "--listen" in result.stderr
    assert not runtime_folder(signed_in)


def test_closed_streams_and_open_files(signed_in: Home, api: BearerApi) -> None:
    """With every standard stream closed it works, and no client gets what is written there."""
    words = (*COMMAND, "proxy", api.origin, "--bind", "--socket", "proxy/s", "--secret-file", "secret")
    with Started(
        ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *words], env=signed_in.environ, cwd=signed_in.folder
    ) as process:
        wait_until(lambda: (signed_in.folder / "secret").exists() or process.poll() is not None)
        running = Running(
            process=process,
            log=Path(os.devnull),
            address=str(signed_in.folder / "proxy" / "s"),
            secret_file=signed_in.folder / "secret",
        )
        assert running.get() == 200
        token = signed_in.run("token").stdout.strip()
        assert not [each for each in open_files(process.pid) if holds(each, token)]
        running.ended_by(signal.SIGTERM)


def holds(path: Path, text: str) -> bool:
    """Tell whether a plain file has the text."""
    with contextlib.suppress(OSError):
        return path.is_file() and text.encode() in path.read_bytes()
    return False


def test_a_process_without_any_network_reaches_the_server(signed_in: Home, api: BearerApi) -> None:
    """In a network namespace without an interface, only the socket is there."""
    with available():
        curl, unshare = program("curl"), program("unshare")
    alone = [unshare, "-n"] if os.geteuid() == 0 else [unshare, "-rn"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no network namespace can be made here")
    with proxy(signed_in, api, "--socket", "proxy/s", "--secret-file", "secret"):
        script = (
            "{ printf 'Authorization: Bearer '; cat secret; } | "
            f'"{curl}" -sS -H @- --unix-socket proxy/s http://localhost/there; "{curl}" -sS {api.origin}; echo $?'
        )
        done = subprocess.run(
            [*alone, "sh", "-c", script], cwd=signed_in.folder, capture_output=True, text=True, check=False
        )
        assert '"target": "/there"' in done.stdout and done.stdout.endswith("7\n"), (done.stdout, done.stderr)
