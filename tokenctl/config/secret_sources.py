"""The sources of secrets other than the keyring: an environment variable, a file, a command, a prompt."""

import codecs
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from tokenctl.adapters.terminal import Terminal
from tokenctl.config import pem, variables
from tokenctl.errors import StoreLocked, UsageError, explained_on
from tokenctl.model.secret_variables import without_secrets

LONGEST = 65_536
"""Bytes of a secret: much more than any key has, so that an endless file or pipe is an error."""
_once: dict[tuple[int, int], bytes] = {}
"""What was read from pipes, such as `<(pass show ci)` of a shell: a pipe can be read once, and a secret is read again."""


@explained_on("environment")
def from_environment(environ: Mapping[str, str], name: str, terminal: Terminal | None = None) -> str | None:
    """Read `TOKENCTL_<name>`, or the file that `TOKENCTL_<name>_FILE` names; None when there is neither.

    The last line end is not part of the secret. The file is read as in `from_file`. Raises UsageError, also when both
    are set, and for a value that `variables.check_value` refuses: a secret that a job was not given is not the same as
    no secret.
    """
    variable, file_variable = f"TOKENCTL_{name}", f"TOKENCTL_{name}_FILE"
    both = [each for each in (variable, file_variable) if each in environ]
    for each in both:
        variables.check_value(each, environ[each])
    if len(both) > 1:
        raise UsageError(f"{variable} and {file_variable} are both set", hint="unset one of them")
    if file_variable in both:
        return from_file(Path(environ[file_variable]), file_variable, terminal)
    return _cleaned(environ[variable]) if both else None


def of_client(
    environ: Mapping[str, str], name: str, terminal: Terminal | None = None, *, lines: bool = False
) -> str | None:
    """Read a client secret or an API key, as `from_environment` does. Raises UsageError if it is not `sendable`."""
    found = from_environment(environ, name, terminal)
    if found is not None and not sendable(found, lines=lines):
        where = f"TOKENCTL_{name}_FILE" if environ.get(f"TOKENCTL_{name}_FILE") else f"TOKENCTL_{name}"
        raise UsageError(
            f"{where}: the secret has a control character in it, such as a line end",
            hint="it must be the secret alone, on one line; a private key needs token_endpoint_auth_method private_key_jwt",
        )
    return found


def sendable(secret: str, *, lines: bool = False) -> bool:
    """Tell whether a secret has no control characters. `lines` allows line ends, which a private key has."""
    return bool(secret) and ("".join(secret.split()) if lines else secret).isprintable()


@explained_on("environment")
def from_key_file(name: str, terminal: Terminal | None = None) -> str:
    """Read the private key of the profile's `client_key_file`, as `from_file` does; `~` is a home. Raises UsageError."""
    try:
        path = Path(name).expanduser()
    except RuntimeError:  # ~ of nobody
        raise UsageError(f"client_key_file: there is no {name!r:.200}") from None
    return from_file(path, "client_key_file", terminal)


def from_file(path: Path, where: str, terminal: Terminal | None = None) -> str:
    """Read a secret from a file, without the last line end and a byte order mark. `where` names the setting in a message.

    The file is UTF-8, or UTF-16 with its mark, as Windows writes it. Warns on `terminal` when other users can read the
    file. Raises UsageError.
    """
    try:
        content, mode = _read(path)
        text = _text(content)
        if terminal is not None and os.name == "posix" and mode & 0o044:
            terminal.warning(f"{where}: other users can read {path}: run chmod 600")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(
            f"{where}: {path} cannot be read: {reason}", hint=f"correct {where}, or make that a file that you can read"
        ) from None
    if not text.strip():
        raise UsageError(f"{where}: {path} is empty")
    return text


def _read(path: Path) -> tuple[bytes, int]:
    """Read a file and its mode. Raises OSError."""
    found = path.stat()
    pipe = None if stat.S_ISREG(found.st_mode) else (found.st_dev, found.st_ino)
    content = _once.get(pipe) if pipe else None
    if content is None:
        with path.open("rb") as file:
            content = file.read(LONGEST + 1)
    if pipe:
        _once[pipe] = content
    if len(content) > LONGEST:
        raise OSError(0, f"it has more than {LONGEST:,} bytes")
    return content, found.st_mode


def _text(content: bytes) -> str:
    """Decode a secret; see `_cleaned`. Programs of Windows write a byte order mark, also of UTF-16.

    Raises ValueError when it is no text.
    """
    utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return _cleaned(content.decode("utf-16" if utf16 else "utf-8-sig"))


def _cleaned(text: str) -> str:
    """Take away what editors, shells and the pages of CI systems add: line ends after the secret, and a byte order mark.

    A private key gets its lines back.
    """
    return pem.lines(text) or text.removeprefix("\ufeff").rstrip("\r\n")


@explained_on("environment")
def from_stdin(option: str, name: str, *, lines: bool = False) -> str:
    """Read a secret from the pipe that is stdin, as from a file. Quotation marks and blanks are kept.

    `option` and `name` are words for a message. Raises UsageError when stdin is a terminal, or the secret is not
    `sendable`, or longer than `LONGEST`.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(f"{option} reads a pipe", hint=f"such as: pass show NAME | tokenctl login {option} ...")
    try:
        content = sys.stdin.buffer.read(LONGEST + 1)
        text = "" if len(content) > LONGEST else _text(content)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"the {name} on stdin cannot be read: {reason}") from None
    if len(content) > LONGEST:
        raise UsageError(
            f"the {name} on stdin is longer than {LONGEST:,} bytes, and was not used",
            hint="check the command before the pipe: it must print the secret alone",
        )
    if not sendable(text, lines=lines):
        raise UsageError(f"the {name} on stdin is empty, or more than one line")
    return text


@explained_on("keyrings")
def passphrase(
    environ: Mapping[str, str], terminal: Terminal, command: tuple[str, ...] = (), *, new: bool = False
) -> str:
    """Get the file store's passphrase from the environment, the profile's command, or the person.

    The person types a `new` one twice, until both are the same. Raises StoreLocked when nobody can be asked, when the
    answer is empty, or when the command fails.
    """
    found = from_environment(environ, "PASSPHRASE")
    if found is not None:
        return found
    if command:
        return _from_command(command, environ)
    if not terminal.attended:
        raise StoreLocked("the file store needs its passphrase, and nobody can be asked for it", hint=_WITHOUT_PROMPT)
    while True:
        typed = terminal.ask_secret("passphrase for the file store" + (" (a new one)" if new else ""))
        if not typed:
            raise StoreLocked(
                "the file store needs its passphrase, and none was given", hint=f"try again, or {_WITHOUT_PROMPT}"
            )
        if not new or terminal.ask_secret("the same passphrase again") == typed:
            return typed
        terminal.warning("the two passphrases differ")


def passphrase_source(environ: Mapping[str, str], command: tuple[str, ...] = ()) -> str:
    """Say what gives the file store's passphrase, without asking for it: a variable, the profile's command, or a person."""
    for name in ("TOKENCTL_PASSPHRASE", "TOKENCTL_PASSPHRASE_FILE"):
        if name in environ:
            return name
    return "passphrase_command" if command else "a person at the terminal"


_WITHOUT_PROMPT = "set TOKENCTL_PASSPHRASE_FILE to a file that has it, or passphrase_command in the profile"
COMMAND_TIMEOUT = 60
"""Seconds for the passphrase command; it can ask a person."""


def _from_command(command: tuple[str, ...], environ: Mapping[str, str]) -> str:
    """Run the command without a shell, and return the first line of its output. No message quotes the output."""
    import subprocess

    try:
        done = subprocess.run(
            command,
            env=without_secrets(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=COMMAND_TIMEOUT,
            check=True,
        )
        found = done.stdout.decode().partition("\n")[0].removesuffix("\r")
        reason = "it printed nothing"
    except OSError as error:
        found, reason = "", error.strerror or "it cannot be run"
    except subprocess.CalledProcessError as error:
        found, reason = "", f"exit status {error.returncode}"
    except subprocess.TimeoutExpired:
        found, reason = "", f"no answer within {COMMAND_TIMEOUT} s"
    except ValueError:
        found, reason = "", "its output is not UTF-8 text"
    if not found:
        raise StoreLocked(
            f"the passphrase command {command[0]!r:.80} failed: {reason}",
            hint="run it yourself; it must print the passphrase on its first line",
        )
    return found
