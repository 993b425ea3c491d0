"""Where secrets come from, besides the keyring: the environment, a file that it names, a command, or a prompt."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tokenctl.adapters.terminal import Terminal
from tokenctl.errors import StoreLocked, UsageError


def from_environment(environ: Mapping[str, str], name: str, terminal: Terminal | None = None) -> str | None:
    """Read `TOKENCTL_<name>`, or the file that `TOKENCTL_<name>_FILE` names; None when there is neither.

    One line end at the end of a file is not part of the secret; a file that others may read is told of on
    `terminal`. Raises UsageError.
    """
    path = environ.get(f"TOKENCTL_{name}_FILE")
    if not path:
        return environ.get(f"TOKENCTL_{name}") or None
    return from_file(Path(path), f"TOKENCTL_{name}_FILE", terminal)


def of_client(
    environ: Mapping[str, str], name: str, terminal: Terminal | None = None, *, lines: bool = False
) -> str | None:
    """Read a client's secret or API key, as `from_environment` does.

    One that could not be sent as it is raises UsageError; see `sendable`.
    """
    found = from_environment(environ, name, terminal)
    if found is not None and not sendable(found, lines=lines):
        where = f"TOKENCTL_{name}_FILE" if environ.get(f"TOKENCTL_{name}_FILE") else f"TOKENCTL_{name}"
        raise UsageError(
            f"{where}: the secret has a control character in it, such as a line end",
            hint="give it alone, on one line",
        )
    return found


def sendable(secret: str, *, lines: bool = False) -> bool:
    """Tell whether a secret has no control character in it; `lines`: it is a private key, which has line ends."""
    return bool(secret) and ("".join(secret.split()) if lines else secret).isprintable()


def from_file(path: Path, where: str, terminal: Terminal | None = None) -> str:
    """Read a secret from a file, without one line end at its end; `where` names who asked for it.

    A file that others may read is told of on `terminal`. Raises UsageError.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if terminal is not None and os.name == "posix" and path.stat().st_mode & 0o044:
            terminal.warning(f"{where}: others may read {path}: chmod 600 it")
    except (OSError, ValueError) as reason:
        cause = reason.strerror if isinstance(reason, OSError) else "it is not UTF-8 text"
        raise UsageError(f"{where}: {path} cannot be read: {cause}") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise UsageError(f"{where}: {path} is empty")
    return text


def passphrase(
    environ: Mapping[str, str], terminal: Terminal, command: tuple[str, ...] = (), *, new: bool = False
) -> str:
    """Find the file store's passphrase: the environment, the profile's command, or a person; a new one is asked for twice.

    Raises StoreLocked when nobody can be asked or answers, or the command fails; UsageError when the two differ.
    """
    found = from_environment(environ, "PASSPHRASE")
    if found is not None:
        return found
    if command:
        return _answer_of(command, environ)
    if not terminal.attended:
        raise StoreLocked("the file store needs its passphrase, and nobody can be asked for it", hint=_WITHOUT_PROMPT)
    typed = terminal.ask_secret("passphrase for the file store" + (" (a new one)" if new else ""))
    if not typed:
        raise StoreLocked(
            "the file store needs its passphrase, and none was given", hint=f"try again, or {_WITHOUT_PROMPT}"
        )
    if new and terminal.ask_secret("the same passphrase again") != typed:
        raise UsageError("the two passphrases differ", hint="nothing was stored; try again")
    return typed


_WITHOUT_PROMPT = "set TOKENCTL_PASSPHRASE_FILE to a file that holds it, or passphrase_command in the profile"
PATIENCE = 60
"""Seconds that the passphrase command may take: it may ask a person."""


def _answer_of(command: tuple[str, ...], environ: Mapping[str, str]) -> str:
    """Run the command, without a shell, and take the first line it prints. What it prints is never repeated."""
    try:
        done = subprocess.run(
            command, env=dict(environ), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=PATIENCE, check=True
        )
        found = done.stdout.decode().partition("\n")[0].removesuffix("\r")
        reason = "it printed nothing"
    except OSError as error:
        found, reason = "", error.strerror or "it cannot be run"
    except subprocess.CalledProcessError as error:
        found, reason = "", f"exit status {error.returncode}"
    except subprocess.TimeoutExpired:
        found, reason = "", f"no answer within {PATIENCE} s"
    except ValueError:
        found, reason = "", "it printed no UTF-8 text"
    if not found:
        raise StoreLocked(
            f"the passphrase command {command[0]!r:.80} failed: {reason}",
            hint="run it by hand; it must print the passphrase on its first line",
        )
    return found
