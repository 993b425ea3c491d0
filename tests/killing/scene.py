"""A server and a person signed in to it, with a keyring that a test can read and change: for tests of what goes wrong."""

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.servers.faulty_server import FaultyServer
from tests.support.commandline import LONG, Home, Result
from tests.support.paths import ROOT
from tokenctl.audit.report import Scope, report
from tokenctl.storage.event_log import FOLDER, EventLog

PROFILE = "t"
ENTRY = f"tokenctl:{PROFILE}\nsession"
EXPECTED = ("too-many-renewals", "keyring-failing")
"""The anomalies of a test that renews again and again, with a keyring that it breaks."""


class Scene:
    """One server, one HOME, one session; commands run in real processes."""

    def __init__(
        self, folder: Path, server: FaultyServer, *, backend: str = "tests.support.ring.Ring", state: Path | None = None
    ) -> None:
        self.server = server
        self.ring = folder / "ring" / "ring.json"
        self.ring.parent.mkdir(parents=True)
        environ = {"TEST_RING": str(self.ring), "PYTHONPATH": f"{ROOT / 'tests' / 'killing'}{os.pathsep}{ROOT}"}
        self.home = Home(folder / "home", environ, store="keyring")
        if state is not None:
            self.home.environ["TOKENCTL_STATE_DIR"] = str(state)
        self.state = Path(self.home.environ["TOKENCTL_STATE_DIR"]) / PROFILE
        self.home.write_config(
            f'[profiles.{PROFILE}]\nissuer = "{server.issuer}"\nclient_id = "tokenctl-demo"\n'
            f'scope = "openid offline_access"\nkeyring_backend = "{backend}"\n'
        )
        self.login()

    def login(self) -> None:
        """Sign in, in place of what was there."""
        signed_in = self.home.login(self.server.issuer)
        assert signed_in.status == 0, signed_in.stderr
        self.alarms = self.server.reuse_detections
        self.first = self.kept

    @property
    def kept(self) -> dict[str, Any]:
        """The session as the keyring has it."""
        return dict(json.loads(json.loads(self.ring.read_text())[ENTRY]))

    def keep(self, **members: object) -> None:
        """Change members of the session in the keyring."""
        entries = json.loads(self.ring.read_text())
        self.ring.write_text(json.dumps(entries | {ENTRY: json.dumps(self.kept | members)}))

    def age(self, left: int = -60) -> None:
        """Let the access token have `left` seconds more, of a life of 900."""
        now = int(time.time())
        self.keep(expires_at=now + left, obtained_at=now + left - 900)

    @property
    def refreshes(self) -> int:
        """How often a refresh token was presented so far."""
        return self.server.count("/token", "refresh_token")

    @property
    def detections(self) -> int:
        """Reuse detections since the last login."""
        return self.server.reuse_detections - self.alarms

    def token(self, *words: str, environ: Mapping[str, str] = {}) -> Result:
        """Run `tokenctl token`."""
        return self.home.run("token", *words, environ=environ)

    def goes_on(self) -> Result:
        """Expect of a healthy process that it has the same session still."""
        return self.well(self.token())

    def once_settled(self, result: Result) -> Result:
        """Take the result of a `token` that may have met a worker that had committed and was not gone yet.

        It has the new token then already, and whoever comes after the worker finishes the copy to the keyring.
        """
        if not self.left_over():
            return result
        wait_until(lambda: self.worker() is None)
        settled = self.token()
        assert settled == result, (result, settled)
        return settled

    def well(self, result: Result) -> Result:
        """Expect that a `token` printed one that the server knows, in the same session as at login, without an alarm."""
        assert (result.status, self.detections) == (0, 0), (result, self.detections)
        assert "Traceback" not in result.stderr
        claims = self.server.sessions.access_claims(result.stdout.strip())
        assert claims is not None and claims["sub"] == self.first["subject"]
        kept = self.kept
        assert (kept["seal_key"], kept["subject"]) == (self.first["seal_key"], self.first["subject"])
        assert kept["access_token"] == result.stdout.strip()
        assert not self.left_over(), self.left_over()
        assert not self.anomalies, self.anomalies
        return result

    @property
    def anomalies(self) -> list[str]:
        """What `tokenctl audit` would name: whatever is killed, nobody is told of a thief."""
        log = EventLog(self.state.parent / FOLDER)
        found = report(log.lines(), time.time(), Scope()).anomalies
        return [each.sentence for each in found if each.name not in EXPECTED]

    @property
    def redo_log(self) -> Path:
        """The session's redo log, which stays as a mirror."""
        return self.state / f"redo.{self.kept['id']}"

    @property
    def journal(self) -> Path:
        """The session's journal."""
        return self.state / f"journal.{self.kept['id']}"

    def left_over(self) -> set[str]:
        """List what a renewal that is over must not leave: a redo log that is newer than the keyring, its room, its journal."""
        names = {each.name for each in self.state.iterdir()}
        left = {name for name in names if name == "redo.next" or name.startswith("journal")}
        if self.redo_log.is_file():
            generation = int(self.redo_log.read_bytes().split(b" ", 3)[2])
            left |= {"redo"} if generation > self.kept.get("generation", 1) else set()
        return left

    def worker(self) -> int | None:
        """Find the worker that runs for this HOME now."""
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes().split(b"\0")
                if b"tokenctl.broker.worker" in words and f"HOME={self.home.folder}".encode() in (
                    process / "environ"
                ).read_bytes().split(b"\0"):
                    return int(process.name)
            except OSError:
                continue  # it has just ended
        return None


def wait_until(condition: Callable[[], object], seconds: float = LONG) -> None:
    """Wait until something is so; AssertionError when it never is."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        threading.Event().wait(0.01)


def one_clear_error(result: Result, *statuses: int) -> None:
    """Expect that a command ended in one `tokenctl: error`, with one of these statuses, and nothing worse."""
    errors = [line for line in result.stderr.splitlines() if line.startswith("tokenctl: error")]
    assert result.status in statuses, result
    assert (result.stdout, len(errors)) == ("", 1), result
    assert "Traceback" not in result.stderr and "unexpected" not in result.stderr, result
