"""A Secret Service of one's own: a private session bus with gnome-keyring on it, in throw-away folders."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.processes import marked
from tests.support.real_parts import program

PASSWORD = b"throw-away"
LOGIN = "/org/freedesktop/secrets/collection/login"
START_SECONDS = CALL_SECONDS = 120.0

# Ends the bus, and with it the keyring, when a test run dies too suddenly to do it: its end of the pipe closes then.
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


class SecretService:
    """gnome-keyring with an unlocked, empty login collection; nothing of it outlives the `with` block."""

    def __init__(self) -> None:
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        for name in ("dbus-daemon", "dbus-send", "gnome-keyring-daemon", "secret-tool"):
            program(name)
        self._folder = tempfile.TemporaryDirectory(prefix="tokenctl-bus-", ignore_cleanup_errors=True)
        try:
            self._start_bus()
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
    def environ(self) -> dict[str, str]:
        """What a child process needs to reach this Secret Service and no other."""
        return {
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self._path / 'bus'}",
            "XDG_RUNTIME_DIR": str(self._path / "run"),
        }

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

    def lock(self) -> None:
        """Lock the login collection; nobody is there to answer the prompt that unlocks it."""
        self._call("org.freedesktop.Secret.Service.Lock", f"array:objpath:{LOGIN}")

    def kill(self) -> None:
        """End the keyring daemon the hard way; the bus stays, and nothing answers for org.freedesktop.secrets."""
        self._stop("gnome-keyring-daemon")

    def restart(self) -> None:
        """Start the keyring daemon (again), unlocked; entries stored before are still there."""
        self.kill()
        daemon = self._start("gnome-keyring-daemon", "--foreground", "--components=secrets", "--unlock")
        assert daemon.stdin
        daemon.stdin.write(PASSWORD)
        daemon.stdin.close()
        self._await("an unlocked login collection", self._unlocked)

    @property
    def _path(self) -> Path:
        return Path(self._folder.name)

    def _start_bus(self) -> None:
        for name in ("run", "home", "share"):
            (self._path / name).mkdir(mode=0o700)
        config = self._path / "bus.conf"
        config.write_text(BUS_CONFIG.format(socket=self._path / "bus"), encoding="utf-8")
        bus = self._start("dbus-daemon", "--nofork", "--nopidfile", f"--config-file={config}")
        self._start("sh", "-c", WATCH, "watch", str(bus.pid), self._folder.name)
        self._await("the session bus", (self._path / "bus").exists)

    def _start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [program(name), *arguments],
            env=self._environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._processes[name] = process
        return process

    def _stop(self, name: str) -> None:
        process = self._processes.pop(name, None)
        if process is None:
            return
        process.kill()
        process.wait()
        if process.stdin:
            process.stdin.close()

    def _environment(self) -> Mapping[str, str]:
        # Without DISPLAY and the like: no part of a person's desktop is to be reached from here.
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._path / "home"),
            "XDG_DATA_HOME": str(self._path / "share"),
            **marked(),
            **self.environ,
        }

    def _tool(self, *arguments: str, secret: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [program("secret-tool"), *arguments],
            env=self._environment(),
            input=secret,
            capture_output=True,
            check=False,
            timeout=CALL_SECONDS,
        )

    def _call(self, method: str, *arguments: str, path: str = "/org/freedesktop/secrets") -> str:
        answer = subprocess.run(
            [
                program("dbus-send"),
                "--session",
                "--print-reply",
                "--dest=org.freedesktop.secrets",
                path,
                method,
                *list(arguments),
            ],
            env=self._environment(),
            capture_output=True,
            check=False,
            text=True,
            timeout=CALL_SECONDS,
        )
        if answer.returncode:
            raise RuntimeError(f"{method}: {answer.stderr.strip()}")
        return answer.stdout

    def _unlocked(self) -> bool:
        properties = ("string:org.freedesktop.Secret.Collection", "string:Locked")
        try:
            default = self._call("org.freedesktop.Secret.Service.ReadAlias", "string:default")
            locked = self._call("org.freedesktop.DBus.Properties.Get", *properties, path=LOGIN)
        except RuntimeError:
            return False
        return LOGIN in default and "boolean false" in locked

    def _await(self, what: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if time.monotonic() > deadline:
                raise RuntimeError(f"gnome-keyring: no {what} after {START_SECONDS:.0f} s")
            time.sleep(0.02)
