"""Keyring backends that are not the library's own: they can ask at the terminal, or start a program that does.

Such a backend gets nothing of the caller's stdin, and leaves the terminal as it found it. One that asks with `getpass`
is refused where nobody can answer. The library's own backends ask in windows of the desktop.
"""

import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TypeVar

from tokenctl.adapters import terminal_mode
from tokenctl.errors import StoreLocked
from tokenctl.model.store import Store
from tokenctl.runtime import Runtime
from tokenctl.storage.backends import open_keyring
from tokenctl.storage.patience import Patience

PASSWORD_VARIABLE = "KEYRING_PROPERTY_KEYRING_KEY"
"""The keyring library's variable for a backend's password: with it there is nothing to ask."""

Result = TypeVar("Result")


class GuardedPatience(Patience):
    """The deadline of a call that must not take the caller's stdin, nor change the terminal for good."""

    __slots__ = ()

    def __init__(self, patience: Patience) -> None:
        super().__init__(seconds=patience.seconds, terminal=patience.terminal, attended=patience.attended)

    def within(self, call: Callable[[], Result]) -> Result:
        """Make the call and return its result. Raises the call's own error, or StoreTimedOut."""
        with ExitStack() as stack:
            if not self.attended:
                stack.enter_context(terminal_mode.without_stdin())
            stack.enter_context(terminal_mode.controlling_left_as_found())
            return super().within(call)


def open_guarded(runtime: Runtime, kind: str, backend: str, patience: Patience) -> Store:
    """Open a store in a backend of another package. Raises StoreLocked when it asks and nobody can answer.

    Raises StoreUnavailable or StoreTimedOut too.
    """
    attended = runtime.terminal.attended
    store = open_keyring(runtime.environ, kind, backend, GuardedPatience(patience))
    if not attended and _asks(backend, runtime.environ):
        raise StoreLocked(
            f"the keyring {backend} asks for its password at the terminal, and nobody can answer here",
            hint="run this at a terminal, or sign in with 'tokenctl login --store file' and TOKENCTL_PASSPHRASE_FILE",
        )
    return store


def _asks(name: str, environ: Mapping[str, str]) -> bool:
    """Tell whether a backend, or one that it is made from, can ask with `getpass`; its module has loaded that then."""
    module, _, attribute = name.rpartition(".")
    found = getattr(sys.modules[module], attribute)
    modules = (sys.modules.get(each.__module__) for each in found.__mro__)
    return PASSWORD_VARIABLE not in environ and any(hasattr(each, "getpass") for each in modules)
