"""SIGKILL at every point of a renewal, of the process, of its keyring or of both: no session is lost in any keyring."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.killing.matrix import BETWEEN_THE_COMMITS, CALLER, ROLES, WORKER, Point, read_points
from tests.servers.faulty_server import FaultyServer
from tests.servers.keepassxc import KeePassXC
from tests.servers.keyrings import KEYRINGS
from tests.servers.private_bus import PrivateBus
from tests.support.commandline import Home, Result
from tests.support.demo_server import Make
from tests.support.paths import ROOT
from tests.support.real_parts import available

pytestmark = [pytest.mark.slow, pytest.mark.real]

NAMES = ("gnome-keyring", "kwallet", "kwallet, own interface", "keepassxc")


class Desktop:
    """A person who is signed in, with a real keyring that can end at any moment; or with the file store (None)."""

    def __init__(self, folder: Path, server: FaultyServer, keyring: PrivateBus | None) -> None:
        self.server, self.keyring, self.log = server, keyring, folder / "log"
        environ = {"PYTHONPATH": f"{ROOT / 'tests' / 'killing'}{os.pathsep}{ROOT}"}
        if keyring is None:
            self.home = Home(folder / "home", environ)
        else:
            self.home = Home(folder / "home", environ | dict(keyring.environ), store="keyring")
            self.home.write_config(
                f'[profiles.t]\nissuer = "{server.issuer}"\nclient_id = "tokenctl-demo"\n'
                f'scope = "openid offline_access"\nkeyring_backend = "{keyring.backend}"\n'
            )
        self.login()

    def login(self) -> None:
        """Sign in. KeePassXC gets the time to write to the disk: that a login is kept at once is not promised there."""
        signed_in = self.home.login(self.server.issuer)
        assert signed_in.status == 0, signed_in
        if isinstance(self.keyring, KeePassXC):
            self.keyring.sync()
        self.alarms = self.server.reuse_detections

    def refresh(self, **environ: str) -> Result:
        """Renew, with every point of it written down."""
        self.log.unlink(missing_ok=True)
        below = str(Path(self.home.environ["TOKENCTL_STATE_DIR"]) / "t")
        return self.home.run("refresh", environ={"KILL_BELOW": below, "KILL_LOG": str(self.log), **environ})

    def points(self) -> list[Point]:
        """Renew once, unharmed, and list the points of it."""
        assert self.refresh().status == 0
        return read_points(self.log)

    def keyring_ends(self) -> None:
        """End the keyring, with what it has in memory only, and start it again on its files."""
        if self.keyring is not None:
            self.keyring.kill()
            self.keyring.restart()

    def goes_on(self, point: Point) -> None:
        """Expect a living token and a refresh token that is good; at the worst, what the documentation says."""
        token = self.home.run("token")
        renewed = self.home.run("refresh") if token.status == 0 else token
        if renewed.status == 4 and point.role == WORKER and point.name in BETWEEN_THE_COMMITS:
            assert self.server.reuse_detections - self.alarms <= 1
            self.login()
            return
        assert (token.status, renewed.status) == (0, 0), (point, token, renewed)
        assert self.server.sessions.access_claims(token.stdout.strip()) is not None, point
        assert self.server.reuse_detections == self.alarms, point


@pytest.fixture(params=[*NAMES, "file"])
def desktop(request: pytest.FixtureRequest, tmp_path: Path, make_server: Make) -> Iterator[Desktop]:
    """One with each of the keyrings, at a server that forgives nothing."""
    with ExitStack() as stack:
        keyring = None
        if request.param != "file":
            with available():
                started = stack.enter_context(KEYRINGS[request.param]())
            assert isinstance(started, PrivateBus)
            keyring = started
        yield Desktop(tmp_path, make_server(reuse_grace=0), keyring)


@pytest.mark.parametrize("role", ROLES)
def test_a_session_survives_the_end_of_a_process_and_its_keyring(desktop: Desktop, role: str) -> None:
    """The process is killed at each point, then the keyring; what the keyring had in memory only is lost."""
    points = [each for each in desktop.points() if each.role == role]
    assert len(points) >= 5, points
    for point in points:
        killed = desktop.refresh(KILL_AT=f"{role}:{point.number}")
        assert killed.status == -signal.SIGKILL if role == CALLER else killed.status in (0, 6), (point, killed)
        desktop.keyring_ends()
        desktop.goes_on(point)


@pytest.mark.parametrize("desktop", NAMES, indirect=True)
def test_a_session_survives_the_end_of_its_keyring_alone(desktop: Desktop) -> None:
    """The keyring is killed at each point of a renewal that goes on: it ends well, or with a clear error."""
    assert desktop.keyring is not None
    for point in desktop.points():
        result = desktop.refresh(KILL_AT=f"{point.role}:{point.number}", KILL_PID=str(desktop.keyring.pid))
        assert result.status in (0, 3) and "Traceback" not in result.stderr, (point, result)
        desktop.keyring_ends()
        desktop.goes_on(point)
