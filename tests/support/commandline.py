"""The command line as a person has it: real processes in a HOME of their own."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tests.support.fetch import fetch
from tokenctl.demo.commands import temporary_environment

COMMAND = (sys.executable, "-P", "-W", "error", "-m", "tokenctl")
LONG = 300.0
"""Seconds to wait for what comes at once, on a machine that has time for it: only a hanging process takes that long."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a command left: exit status, stdout and stderr."""

    status: int
    stdout: str
    stderr: str


class Started(subprocess.Popen[str]):
    """A process that ends with its `with` block, also when the block fails."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, error, trace)


def open_files(process: int) -> set[Path]:
    """Tell which files a process has open; Linux alone knows."""
    found = set()
    for each in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):  # it is closed by now
            found.add(each.readlink())
    return found


class Home:
    """A HOME with its own config, state and keyring; `environ` is what its processes see."""

    def __init__(self, folder: Path, environ: Mapping[str, str] = {}, *, store: str = "file") -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "passphrase").write_text("correct horse battery staple\n")
        self.environ = temporary_environment(os.environ, folder) | {"HOME": str(folder)} | dict(environ)
        self.environ.pop("TOKENCTL_CONFIG")
        if store != "file":
            self.environ.pop("TOKENCTL_STORE")
            self.environ.pop("TOKENCTL_PASSPHRASE_FILE")

    @property
    def config(self) -> Path:
        """The config file's usual place on Linux."""
        return self.folder / ".config" / "tokenctl" / "config.toml"

    def write_config(self, text: str) -> None:
        """Write the config file."""
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(text)

    def start(
        self, *words: str, environ: Mapping[str, str] = {}, stdin: int = subprocess.DEVNULL, new_session: bool = False
    ) -> Started:
        """Start a command; it is for a `with` block, and what is left of it ends with the test."""
        return Started(
            [*COMMAND, *words],
            env={**self.environ, **environ},
            cwd=self.folder,
            text=True,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=new_session,
        )

    def run(
        self, *words: str, environ: Mapping[str, str] = {}, stdin: str | None = None, timeout: float = LONG
    ) -> Result:
        """Run a command to its end."""
        source = subprocess.DEVNULL if stdin is None else subprocess.PIPE
        with self.start(*words, environ=environ, stdin=source) as process:
            stdout, stderr = process.communicate(stdin, timeout=timeout)
        return Result(status=process.returncode, stdout=stdout, stderr=stderr)

    def race(
        self, processes: int, *words: str, meanwhile: Callable[[Sequence[Started]], object] = lambda started: None
    ) -> list[Result]:
        """Run the same command in several processes at once; `meanwhile` is called when all of them are started."""
        results = []
        with ExitStack() as stack:
            started = [stack.enter_context(self.start(*words)) for _ in range(processes)]
            meanwhile(started)
            for process in started:
                stdout, stderr = process.communicate(timeout=LONG)
                results.append(Result(status=process.returncode, stdout=stdout, stderr=stderr))
        return results

    def login(
        self,
        issuer: str,
        *words: str,
        profile: str = "t",
        client: str = "tokenctl-demo",
        visit: Callable[[str], object] = fetch,
        environ: Mapping[str, str] = {},
    ) -> Result:
        """Sign in without a browser of its own: `visit` opens the address that the command prints."""
        options: Sequence[str] = () if self.has_profile(profile) else ("--issuer", issuer, "--client-id", client)
        scope = () if self.has_profile(profile) or "--scope" in words else ("--scope", "openid offline_access")
        with self.start("login", "-p", profile, *options, *scope, "--no-browser", *words, environ=environ) as process:
            assert process.stderr is not None and process.stdout is not None
            said = []
            for line in process.stderr:
                said.append(line)
                if line.startswith("http"):
                    threading.Thread(target=visit, args=(line.strip(),), daemon=True).start()
            stdout = process.stdout.read()
        return Result(status=process.returncode, stdout=stdout, stderr="".join(said))

    def has_profile(self, name: str) -> bool:
        """Tell whether the config file has that profile."""
        return self.config.exists() and f"[profiles.{name}]" in self.config.read_text()

    def snapshot(self) -> dict[str, bytes]:
        """Read the files below HOME that must be as they were after a failure: no locks, journals and event log."""
        return {
            name: content
            for name, content in self.contents().items()
            if not name.endswith("/lock") and "/journal." not in name and "/.events/" not in name
        }

    def contents(self) -> dict[str, bytes]:
        """Read every file below HOME."""
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}
