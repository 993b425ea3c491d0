"""What the stores in keyrings say when a keyring cannot be used: the same words for every keyring."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from tokenctl.errors import StoreLocked, StoreTimedOut, StoreUnavailable
from tokenctl.model.store import keyring_name

OTHER_STORES_HINT = (
    "check that the keyring is running and unlocked; where there is none, add '--store file' (encrypted with a passphrase)"
    " or, for a machine, '--store memory' to 'tokenctl login'; 'tokenctl help keyrings' has more"
)
UNLOCK_HINT = "unlock it (log in to the desktop, or 'security unlock-keychain' on macOS), then try again"
KWALLET_HINT = "open the wallet (sign in to the desktop, or use KDE's program for wallets), then try again"
PASS_HINT = "give the passphrase of the password store's key to GnuPG once ('pass show ENTRY'), then try again"

QUOTED = 12
"""An error quotes the entry if it has this many characters of it in a row."""


def unquoted(text: str, written: str) -> str:
    """Return an error's text on one short line; without it where it quotes what was `written`, which is secret."""
    text = " ".join(text.split())
    quotes = any(written[start : start + QUOTED] in text for start in range(len(written) - QUOTED + 1))
    return "its message is not shown, because it quotes the entry" if quotes else text[:200]


_FRAME = ("the keyring cannot be used (", ")")


def locked(hint: str = UNLOCK_HINT) -> StoreLocked:
    """Make the error for a keyring that is there, and locked."""
    return StoreLocked("the keyring is locked", hint=hint)


def unavailable(reason: str, hint: str = OTHER_STORES_HINT) -> StoreUnavailable:
    """Make the error for a keyring that is not there, or that fails."""
    return StoreUnavailable(reason.join(_FRAME), hint=hint)


def without_frame(message: str) -> str:
    """Return the reason alone, of a message that `unavailable` made; any other message as it is."""
    before, after = _FRAME
    framed = message.startswith(before) and message.endswith(after)
    return message[len(before) : -len(after)] if framed else message


Class = TypeVar("Class", bound=type)
_METHODS = ("prepare", "read", "write", "read_secret", "write_secret", "delete")


def naming_its_keyring(store: Class) -> Class:
    """Let the errors of a store's methods say which keyring it is: a machine can have several, and one is to be unlocked."""
    for name in _METHODS:
        if name in vars(store):
            setattr(store, name, _naming(vars(store)[name]))
    return store


def _naming(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def named(self: Any, *arguments: Any) -> Any:
        try:
            return method(self, *arguments)
        except (StoreLocked, StoreTimedOut, StoreUnavailable) as error:
            which = keyring_name(self.backend, getattr(self, "_collection", None))
            if self.kind in ("keyring", "session") and which not in error.message:
                error.message = f"{error.message}: {which}"
            raise

    return named
