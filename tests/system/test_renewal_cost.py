"""What a renewal may cost: the modules that the caller and its worker load, the requests, and what is forced to the disk.

If a test here fails, something has come between a person and the token: find an import with `python -X importtime`, and
see in `broker/worker_call.py` why the two processes load different modules.
"""

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.killing.scene import Scene
from tests.servers import person
from tests.servers.faulty_server import Received, Reply, json_reply
from tests.servers.oidc_provider import OidcProvider
from tests.support.commandline import COMMAND, LONG, Home, Result, Started
from tests.support.demo_server import Make
from tests.support.paths import ROOT
from tests.support.real_parts import available, program
from tests.system.test_signals import slow

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc, or strace")

BOTH = {
    "anyio",
    "trio",
    "rich",
    "truststore",
    "tomlkit",
    "http.server",
    "webbrowser",
    "tokenctl.adapters.redirect_listener",
}
"""What neither of the two loads. The server is on loopback, without TLS."""
CALLER = BOTH | {"httpx", "httpcore", "h11", "jwt", "cryptography", "tokenctl.flows.flow", "tokenctl.oauth.wire"}
CALLER |= {"tokenctl.adapters.transport", "tokenctl.broker.worker", "tokenctl.broker.lifecycle"}
WORKER = BOTH | {"httpx._main", "click", "keyring", "jeepney", "tomllib", "tokenctl.oauth.metadata"}
WORKER |= {
    "tokenctl.cli",
    "tokenctl.flows.sign_in",
    "tokenctl.flows.browser_sign_in",
    "tokenctl.storage.secret_service",
}
VERIFYING = {"jwt"}
"""What the worker loads only to verify an ID token."""

PROBE = """
import json, os, sys
folder = os.environ["PROBE"]
REPORT = (
    "import json, os, sys\\n"
    "def leave(status, leave=os._exit):\\n"
    f"    json.dump([name for name in sys.modules if sys.modules[name]], open({folder + '/worker'!r}, 'w'))\\n"
    "    leave(status)\\n"
    "os._exit = leave\\n"
)
def heard(event, arguments):
    if event == "subprocess.Popen" and "tokenctl.broker.worker" in arguments[1]:
        with open(folder + "/started", "a") as file:
            file.write("x")
        arguments[1][arguments[1].index("-c") + 1] = REPORT + arguments[1][arguments[1].index("-c") + 1]
sys.addaudithook(heard)
from tokenctl.cli.main import run
status = run(sys.argv[1:])
json.dump(sorted(sys.modules), open(folder + "/caller", "w"))
sys.exit(status)
"""


@pytest.fixture
def scene(tmp_path: Path, make_server: Make) -> Scene:
    """Somebody whose access token has expired."""
    scene = Scene(tmp_path / "scene", make_server())
    scene.age()
    return scene


def probe(scene: Scene) -> Started:
    """Start a `token` that writes down which modules it and its worker loaded, and how often a worker was started."""
    return Started(
        [sys.executable, "-c", PROBE, "token"],
        env={**scene.home.environ, "PROBE": str(scene.home.folder), "PYTHONPATH": str(ROOT)},
        cwd=scene.home.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def probed(scene: Scene) -> Result:
    """Run such a `token` to its end."""
    with probe(scene) as process:
        stdout, stderr = process.communicate(timeout=LONG)
    return Result(status=process.returncode, stdout=stdout, stderr=stderr)


def workers(scene: Scene) -> int:
    """Tell how many workers were started."""
    started = scene.home.folder / "started"
    return len(started.read_text()) if started.exists() else 0


def loaded(scene: Scene, role: str) -> set[str]:
    """Tell which modules the caller or the worker had loaded in the end."""
    return set(json.loads((scene.home.folder / role).read_text()))


def without_id_token(scene: Scene) -> None:
    """Let the server's answers bring no ID token, as for a scope without `openid`."""

    def answer(request: Received) -> Reply:
        document: dict[str, Any] = scene.server.answer(request).document
        return json_reply({name: value for name, value in document.items() if name != "id_token"})

    scene.server.overrides["/token"] = answer


@pytest.mark.quick
@pytest.mark.parametrize("verifies", [True, False])
def test_a_renewal_loads_what_it_needs_and_asks_once(scene: Scene, verifies: bool) -> None:
    """The caller loads nothing that only the worker needs, the worker nothing that only a sign-in needs, one request is sent."""
    if not verifies:
        without_id_token(scene)
    before = len(scene.server.requests)
    done = probed(scene)
    assert (done.status, done.stderr) == (0, "")
    asked = [(each.method, each.path) for each in scene.server.requests[before:]]
    assert asked == [("POST", "/token"), *([("GET", "/jwks")] if verifies else [])]
    caller, worker = loaded(scene, "caller"), loaded(scene, "worker")
    assert caller & CALLER == set()
    assert worker & (WORKER if verifies else WORKER | VERIFYING) == set()
    assert "tokenctl.broker.worker_call" in caller and {"httpcore", "cryptography"} <= worker  # the probe saw it all
    assert workers(scene) == 1


def test_a_worker_that_gets_no_job_ends_and_frees_the_lock(scene: Scene, tmp_path: Path) -> None:
    """It was started ahead, and then the session turned out to be renewed elsewhere: nothing is asked, nothing is left."""
    elsewhere = tmp_path / "elsewhere"
    scene.keep(state_id="another", state_path=str(elsewhere), state_machine="another")
    asked = scene.refreshes
    done = probed(scene)
    assert (done.status, str(elsewhere) in done.stderr) == (2, True), done
    assert workers(scene) == 1
    assert (scene.worker(), scene.refreshes) == (None, asked)
    assert not holders(scene.state / "lock")


def test_a_caller_that_waited_for_a_renewal_starts_no_worker(scene: Scene) -> None:
    """The redo log tells it that another process has renewed, before it asks the keyring."""
    with slow(scene.server) as come, scene.home.start("token") as first:
        assert come.wait(LONG)
        with probe(scene) as second:
            assert second.stderr is not None and "waiting for another" in second.stderr.readline()
            come.answer.set()
            results = [each.communicate(timeout=LONG)[0] for each in (first, second)]
    assert results[0] == results[1] == scene.kept["access_token"] + "\n"
    assert (scene.refreshes, workers(scene)) == (1, 0)


def holders(path: Path) -> list[str]:
    """List the processes that have a file open."""
    found = []
    for each in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if each.readlink() == path:
                found.append(str(each))
        except OSError:  # it has ended
            continue
    return found


def traced(home: Home, calls: str, *words: str) -> str:
    """Run a command below strace, and return what it and its worker called."""
    trace = home.folder / "trace"
    with available():
        program("strace")
    done = subprocess.run(
        ["strace", "-f", "-y", "-o", str(trace), "-e", f"trace={calls}", *COMMAND, *words],
        env=home.environ,
        cwd=home.folder,
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return trace.read_text()


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("verifies", [True, False])
def test_what_a_renewal_forces_to_the_disk(scene: Scene, verifies: bool) -> None:
    """Space is reserved, and the journal and each commit are on the disk, with the folder that names them; no more than that."""
    if not verifies:
        without_id_token(scene)
    trace = traced(scene.home, "fsync,fdatasync", "token")
    synced = [Path(path).name for path in re.findall(r"sync\(\d+<([^>]*)>", trace)]
    commit = ["redo.next", "t"]
    journal = [f".journal.{scene.kept['id']}.next", "t"]
    assert synced == ["redo.next", *journal, *commit, *(commit if verifies else [])]


@pytest.mark.real
@pytest.mark.slow
def test_a_renewal_connects_once(home: Home, oidc_provider: OidcProvider) -> None:
    """A server that keeps connections open is asked for tokens and for its keys on one, and for nothing else."""
    assert home.login(oidc_provider.issuer, client="native", visit=person.sign_in).status == 0
    time.sleep(1.1)  # in the same second it would be the same ID token, which has been verified
    port = urlsplit(oidc_provider.issuer).port
    trace = traced(home, "connect,sendto", "refresh")
    assert trace.count(f"sin_port=htons({port})") == 1, trace
    assert re.findall(r'"(POST|GET) (/\S+) HTTP', trace) == [("POST", "/token"), ("GET", "/jwks")]
