"""What every test may use: the real parts as fixtures, a runtime without a world, and the command line."""

import os
import sys
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import settings

from tests.servers.faulty_server import FaultyServer
from tests.support import processes
from tests.support.commandline import Home
from tests.support.demo_server import Make
from tests.support.flows import signed_in
from tokenctl.model.session import Session
from tokenctl.storage.memory_store import MemoryStore

# How long an example takes says something of the machine, not of the code.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# Without it each of the many processes that the tests start compiles all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

pytest_plugins = ["tests.servers.fixtures"]


PROCESSES = {
    *("home", "ring_home", "keyring_home", "signed_in", "scene", "job", "stage", "secret_service"),
    *("kwallet", "kwallet_own", "keepassxc", "confirming_keepassxc", "password_store"),
    *("shell", "account"),
    *("shared_oidc_provider", "chromium_sign_in", "chromium_approve_device"),
}
"""The fixtures of tests that start the command line, or a real part, as processes of their own."""


CASES = 4
"""How many cases of one test the quick loop has."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Take two processes a core for the quick tests, which mostly wait; None means one a core."""
    return 2 * (os.cpu_count() or 1) if "not slow" in config.option.markexpr else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what starts processes, except for one case of each test that is marked `quick`; and many like cases.

    Of a test with many cases the first ones stand for it in the quick loop: most of its time is pytest's own, for each case.
    """
    kept: set[str] = set()
    cases: Counter[str] = Counter()
    for item in items:
        test = item.nodeid.partition("[")[0]
        cases[test] += 1
        if cases[test] > CASES:
            item.add_marker("slow")
        if item.get_closest_marker("quick") and test not in kept:
            kept.add(test)
        elif item.get_closest_marker("quick") or PROCESSES & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left_in_the_end() -> Iterator[None]:
    """Give signals their default effect, and end whatever the tests of this process left."""
    before = processes.children()
    processes.become_subreaper()
    with processes.default_signals(), processes.guarded():
        guard = processes.children()
        yield
        left = processes.end(before | guard, processes.PATIENCE)
    assert not left, f"the tests left processes: {left}"


failed = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether a test failed, for the fixture below."""
    report = yield
    item.stash[failed] = item.stash.get(failed, False) or report.failed
    return report


@pytest.fixture(autouse=True)
def no_process_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """End every process that a test started and left; a test that passed must have left none."""
    before = processes.children()
    yield
    if processes.children() <= before:
        return
    passed = not request.node.stash.get(failed, False)
    left = processes.end(before, processes.PATIENCE if passed else 0)
    assert not (left and passed), f"the test left processes: {left}"


@pytest.fixture(autouse=True)
def clean_environment(no_process_is_left: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take away what the person who runs the tests has set, so that no test depends on it or touches their keyring."""
    for name in (
        "TOKENCTL_PROFILE",
        "TOKENCTL_CONFIG",
        "BROWSER",
        "DISPLAY",
        "WAYLAND_DISPLAY",
        "SSH_CONNECTION",
        "SSH_TTY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TOKENCTL_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


@pytest.fixture(scope="session")
def signing_key() -> rsa.RSAPrivateKey:
    """One RSA key for all demo servers of a worker: making one takes long."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def demo_server(signing_key: rsa.RSAPrivateKey) -> Iterator[FaultyServer]:
    """The product's own authorization server, which approves everything and misbehaves on request."""
    with FaultyServer(auto_approve=True, signing_key=signing_key, device_interval=1) as server:
        yield server


@pytest.fixture
def session(demo_server: FaultyServer) -> Session:
    """A session of the demo server."""
    return signed_in(demo_server)


@pytest.fixture
def store(session: Session) -> MemoryStore:
    """A store that has that session."""
    store = MemoryStore()
    store.write("t", session)
    return store


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A fresh HOME with the file store, for running the command line in processes of its own."""
    return Home(tmp_path / "home")


@pytest.fixture
def make_server(signing_key: rsa.RSAPrivateKey) -> Iterator[Make]:
    """Make demo servers with other settings; they stop when the test ends."""
    servers: list[FaultyServer] = []

    def make(**settings: object) -> FaultyServer:
        server = FaultyServer(**{"auto_approve": True, "signing_key": signing_key, "device_interval": 1, **settings})  # type: ignore[arg-type]
        server.start()
        servers.append(server)
        return server

    yield make
    for server in servers:
        server.stop()
