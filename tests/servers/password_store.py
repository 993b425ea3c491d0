"""`pass` of one's own: a password store, and a GnuPG home whose only key has a passphrase, in throw-away folders."""

import importlib.util
import os
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.private_bus import CALL_SECONDS
from tests.support.processes import marked
from tests.support.real_parts import Missing, program

PASSPHRASE = "throw-away"
NAME = "tests@example.test"


class PasswordStore:
    """An empty password store, whose key is unlocked; nothing of it outlives the `with` block."""

    backend = "keyring_pass.PasswordStoreBackend"

    def __enter__(self) -> Self:
        for name in ("pass", "gpg", "gpgconf", "gpg-connect-agent"):
            program(name)
        if importlib.util.find_spec("keyring_pass") is None:
            raise Missing("no keyring-pass in this environment")
        self._folder = tempfile.TemporaryDirectory(prefix="tokenctl-pass-", ignore_cleanup_errors=True)
        try:
            self._prepare()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._folder.cleanup()

    @property
    def environ(self) -> dict[str, str]:
        """What a child process needs to use this password store and no other."""
        # GnuPG puts its sockets into the runtime directory of the user where that is, and else into its own home.
        folder = Path(self._folder.name)
        return {"GNUPGHOME": str(folder / "gnupg"), "PASSWORD_STORE_DIR": str(folder / "store")}

    def lock(self) -> None:
        """Let the agent forget the key's passphrase; nobody is there to type it again."""
        self._run("gpgconf", "--reload", "gpg-agent")

    def unlock(self) -> None:
        """Give the agent the passphrase, as a person does with the first use."""
        self._run("gpg", *QUIET, "--pinentry-mode", "loopback", "--passphrase", PASSPHRASE, "-d", str(self._probe))

    def kill(self) -> None:
        """End the agent the hard way."""
        found = self._run("gpg-connect-agent", "--no-autostart", "getinfo pid", "/bye", check=False).split()
        for word in found[1:2] if found[:1] == ["D"] else ():
            with suppress(ProcessLookupError):
                os.kill(int(word), signal.SIGKILL)

    def restart(self) -> None:
        """Start the agent (again), with the passphrase."""
        self.kill()
        self.unlock()

    def lookup(self, service: str, username: str) -> str | None:
        """What is stored under these names, read with `pass`; None when there is no such entry."""
        entry = f"python-keyring/{service}/{username}"
        if not (Path(self.environ["PASSWORD_STORE_DIR"]) / f"{entry}.gpg").exists():
            return None
        return self._run("pass", "show", entry).removesuffix("\n")

    @property
    def _probe(self) -> Path:
        return Path(self._folder.name) / "probe.gpg"

    def _prepare(self) -> None:
        home = Path(self.environ["GNUPGHOME"])
        home.mkdir(mode=0o700)
        (home / "gpg-agent.conf").write_text("pinentry-program /bin/false\ns2k-count 65536\n")
        self._run(
            "gpg", *QUIET, "--passphrase", PASSPHRASE, "--quick-gen-key", NAME, "future-default", "default", "never"
        )
        self._run("pass", "init", NAME)
        self._run("gpg", *QUIET, "-e", "-r", NAME, "--trust-model", "always", "-o", str(self._probe), typed="probe")
        self.unlock()

    def _run(self, name: str, *arguments: str, typed: str = "", check: bool = True) -> str:
        ended = subprocess.run(
            [program(name), *arguments],
            env={"PATH": os.environ["PATH"], "HOME": self._folder.name, **marked(), **self.environ},
            input=typed,
            capture_output=True,
            text=True,
            timeout=CALL_SECONDS,
            check=False,
        )
        if check and ended.returncode:
            raise RuntimeError(f"{name} {arguments}: {ended.stderr.strip()}")
        return ended.stdout


QUIET = ("--batch", "--quiet", "--no-tty")
