"""Where secrets come from, besides the keyring: the environment, a file that it names, or a prompt."""

from collections.abc import Mapping
from pathlib import Path

from tokenctl.errors import StoreLocked, UsageError
from tokenctl.terminal import Terminal


def from_environment(environ: Mapping[str, str], name: str) -> str | None:
    """Read `TOKENCTL_<name>`, or the file that `TOKENCTL_<name>_FILE` names; None when there is neither.

    One line end at the end of a file is not part of the secret. Raises UsageError.
    """
    path = environ.get(f"TOKENCTL_{name}_FILE")
    if not path:
        return environ.get(f"TOKENCTL_{name}") or None
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as reason:
        cause = reason.strerror if isinstance(reason, OSError) else "it is not UTF-8 text"
        raise UsageError(f"TOKENCTL_{name}_FILE: {path} cannot be read: {cause}") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise UsageError(f"TOKENCTL_{name}_FILE: {path} is empty")
    return text


def passphrase(environ: Mapping[str, str], terminal: Terminal, *, new: bool) -> str:
    """Find the file store's passphrase, or ask for it; a new one is asked for twice.

    Raises StoreLocked when nobody can be asked, UsageError when the two differ.
    """
    found = from_environment(environ, "PASSPHRASE")
    if found is not None:
        return found
    if not terminal.attended:
        raise StoreLocked(
            "the file store needs its passphrase, and nobody can be asked for it",
            hint="set TOKENCTL_PASSPHRASE_FILE to a file that holds it",
        )
    typed = terminal.ask_secret("passphrase for the file store" + (" (a new one)" if new else ""))
    if new and terminal.ask_secret("the same passphrase again") != typed:
        raise UsageError("the two passphrases differ", hint="nothing was stored; try again")
    return typed
