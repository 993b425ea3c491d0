"""A session bus of one's own for a real keyring: private folders, private processes, and what every keyring can do.

Nothing of it outlives the `with` block, nor the process that runs it.
"""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from tests.support.processes import marked
from tests.support.real_parts import program

START_SECONDS = CALL_SECONDS = 120.0

# Ends a process when a test run dies too suddenly to do it: the test run's end of the pipe closes then.
WATCH = 'read _; kill -9 "$1"; rm -rf "$2"'

# No <servicedir>: nothing is started on demand, so a killed keyring stays dead and no prompt program can appear.
BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


class PrivateBus:
    """A session bus in throw-away folders, and a keyring on it, which a subclass starts.

    A subclass has `daemon`, the name of the keyring's program; `backend`, the class of the keyring library that uses
    it; and `restart`, which starts it on the same files, unlocked. `lock` and `unlock` change nothing else.
    """

    daemon: ClassVar[str]
    backend = "keyring.backends.SecretService.Keyring"
    programs: ClassVar[Sequence[str]] = ()
    """What must be installed beside `daemon` and what a bus needs."""

    def __init__(self) -> None:
        self._processes: dict[str, list[subprocess.Popen[bytes]]] = {}

    def __enter__(self) -> Self:
        for name in ("dbus-daemon", "dbus-send", "secret-tool", self.daemon, *self.programs):
            program(name)
        self._folder = tempfile.TemporaryDirectory(prefix="tokenctl-bus-", ignore_cleanup_errors=True)
        try:
            self._start_bus()
            self.prepare()
            self.restart()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in reversed(list(self._processes)):
            self._stop(name)
        self._folder.cleanup()

    @property
    def pids(self) -> list[int]:
        """The process ids of the bus and the keyring."""
        return [each.pid for several in self._processes.values() for each in several if each.poll() is None]

    @property
    def environ(self) -> dict[str, str]:
        """What a child process needs to reach this keyring and no other."""
        return {
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.path / 'run' / 'bus'}",
            "XDG_RUNTIME_DIR": str(self.path / "run"),
        }

    @property
    def path(self) -> Path:
        """The folder of this bus. It is removed in the end."""
        return Path(self._folder.name)

    def prepare(self) -> None:
        """Make the files that the keyring needs before it starts for the first time."""

    def restart(self) -> None:
        """Start the keyring (again), unlocked; entries stored before are still there."""
        raise NotImplementedError

    @property
    def pid(self) -> int:
        """The keyring's process."""
        return self._processes[self.daemon][0].pid

    def kill(self) -> None:
        """End the keyring the hard way; the bus stays, and nothing answers for the keyring."""
        self._stop(self.daemon)

    def pause(self) -> None:
        """Stop the keyring's process: it is there, and answers nothing until `kill` or `go_on`."""
        process = self._processes[self.daemon][0]
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)  # a busy machine stops it a while later

    def go_on(self) -> None:
        """Let a stopped keyring go on."""
        self._processes[self.daemon][0].send_signal(signal.SIGCONT)

    def stop_bus(self) -> None:
        """End the bus itself, the hard way."""
        self._stop("dbus-daemon")

    def lookup(self, service: str, username: str) -> str | None:
        """What is stored under these attributes, read with `secret-tool`; None when there is no such entry."""
        found = self._tool("lookup", "service", service, "username", username)
        if found.returncode and found.stderr:
            raise RuntimeError(f"secret-tool: {found.stderr.decode().strip()}")
        return None if found.returncode else found.stdout.decode()

    def store(self, service: str, username: str, secret: str) -> None:
        """Put an entry in the way other programs do."""
        stored = self._tool(
            "store", f"--label={service}", "service", service, "username", username, secret=secret.encode()
        )
        if stored.returncode:
            raise RuntimeError(f"secret-tool: {stored.stderr.decode().strip()}")

    def clear(self, service: str, username: str) -> None:
        """Delete an entry, if there is one."""
        self._tool("clear", "service", service, "username", username)

    # -- for subclasses --------------------------------------------------------------------------------

    def _start_bus(self) -> None:
        for name in ("run", "home", "home/.config", "share"):
            (self.path / name).mkdir(mode=0o700)
        config = self.path / "bus.conf"
        config.write_text(BUS_CONFIG.format(socket=self.path / "run" / "bus"), encoding="utf-8")
        self._start("dbus-daemon", "--nofork", "--nopidfile", f"--config-file={config}")
        self._await("session bus", (self.path / "run" / "bus").exists)

    def _start(
        self, name: str, *arguments: str, environ: Mapping[str, str] = {}, pass_fds: Sequence[int] = ()
    ) -> subprocess.Popen[bytes]:
        process = self._popen(name, *arguments, environ=environ, pass_fds=pass_fds)
        watch = self._popen("sh", "-c", WATCH, "watch", str(process.pid), self._folder.name)
        self._processes[name] = [process, watch]
        return process

    def _popen(
        self, name: str, *arguments: str, environ: Mapping[str, str] = {}, pass_fds: Sequence[int] = ()
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [program(name), *arguments],
            env={**self._environment(), **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=pass_fds,
        )

    def _stop(self, name: str) -> None:
        for process in reversed(self._processes.pop(name, [])):
            process.kill()
            process.wait()
            if process.stdin:
                process.stdin.close()

    def _environment(self) -> dict[str, str]:
        # Without DISPLAY and the like: no part of a person's desktop is to be reached from here.
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.path / "home"),
            "XDG_DATA_HOME": str(self.path / "share"),
            **marked(),
            **self.environ,
        }

    def _tool(self, *arguments: str, secret: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        for _ in range(3):
            done = subprocess.run(
                [program("secret-tool"), *arguments],
                env=self._environment(),
                input=secret,
                capture_output=True,
                check=False,
                timeout=CALL_SECONDS,
            )
            # One key in 256 begins with a zero, which secret-tool leaves out and KWallet wants.
            if b"public key size" not in done.stderr:
                break
        return done

    def _call(
        self, method: str, *arguments: str, to: str = "org.freedesktop.secrets", path: str = "/org/freedesktop/secrets"
    ) -> str:
        answer = subprocess.run(
            [program("dbus-send"), "--session", "--print-reply", f"--dest={to}", path, method, *arguments],
            env=self._environment(),
            capture_output=True,
            check=False,
            text=True,
            timeout=CALL_SECONDS,
        )
        if answer.returncode:
            raise RuntimeError(f"{method}: {answer.stderr.strip()}")
        return answer.stdout

    def _locked(self, collection: str) -> bool | None:
        """Tell whether a collection is locked; None when it is not there, or is not the default one."""
        try:
            default = self._call("org.freedesktop.Secret.Service.ReadAlias", "string:default")
            locked = self._call(
                "org.freedesktop.DBus.Properties.Get",
                "string:org.freedesktop.Secret.Collection",
                "string:Locked",
                path=collection,
            )
        except RuntimeError:
            return None
        return "boolean true" in locked if collection in default else None

    def _await(self, what: str, ready: Callable[[], bool], patience: float = START_SECONDS) -> None:
        deadline = time.monotonic() + patience
        while not ready():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.daemon}: no {what} after {patience:.0f} s")
            time.sleep(0.02)
