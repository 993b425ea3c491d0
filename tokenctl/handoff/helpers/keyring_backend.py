"""The keyring library's backend for pip, uv, twine and the command `keyring`: an access token in the place of a password.

It is no protocol of the table: these programs load it by the entry point `keyring.backends`, or run `keyring`, which
does. They ask for the URL of an index, and then for its host. It answers for bound origins alone and keeps nothing.

Every program that uses the keyring library in this environment loads this file and asks it for names that are none of
its own. So it imports next to nothing, and tells those apart by a look at the config file's text. It raises for no name.
"""

import os

from keyring.backend import KeyringBackend
from keyring.compat.properties import classproperty
from keyring.credentials import Credential, SimpleCredential
from keyring.errors import NoKeyringError, PasswordDeleteError, PasswordSetError

from tokenctl.handoff.helpers.quick import is_surely_unbound
from tokenctl.model.origins import address_of

_OURS = "tokenctl:"
"""How the names begin under which tokenctl keeps its own sessions."""


class KeepsNothing(PasswordSetError, PasswordDeleteError, NoKeyringError, NotImplementedError):
    """Nothing can be written to this backend, or deleted.

    The library's chain of backends goes on to the next one after a NotImplementedError. Where there is no other backend,
    a program expects NoKeyringError, as it was before this one was installed.
    """

    def __init__(self) -> None:
        super().__init__("tokenctl keeps no passwords: it only gives access tokens to the hosts of its profiles")


class TokenctlKeyring(KeyringBackend):
    """Gives the access token of the profile whose `hosts` have the asked origin.

    `priority` is the lowest that the library's chain still asks, so that every other keyring comes first: what a person
    has put there for an index is what they want for it, and a new password is kept there.
    """

    priority = 0.1

    @classproperty
    def viable(cls) -> bool:  # noqa: N805 (it is of the class)
        """Tell whether there can be a profile. Without one the library chooses among the other backends, as it did before."""
        return not is_surely_unbound("//", os.environ)

    def get_password(self, service: str, username: str) -> str | None:
        """Return the token for a URL, or a host with or without a port; None for every other name, or user name."""
        credential = self.get_credential(service, username)
        return None if credential is None else credential.password

    def get_credential(self, service: str, username: str | None) -> Credential | None:
        """Return the user name that the origin wants, and the token; None as `get_password` does."""
        try:
            address = "" if service.startswith(_OURS) else address_of(service)
        except (AttributeError, TypeError, ValueError):  # it is no text, or no address
            return None
        if not address or is_surely_unbound(address, os.environ):
            return None
        return _asked(address, username or "")

    def set_password(self, service: str, username: str, password: str) -> None:
        """Raise KeepsNothing."""
        raise KeepsNothing

    def delete_password(self, service: str, username: str) -> None:
        """Raise KeepsNothing."""
        raise KeepsNothing


def _asked(address: str, user: str) -> Credential | None:
    """Ask for the token. Nobody is asked anything, and a failure is written to stderr, as every command writes it.

    But only for a URL, which these programs ask for first: a host alone can be the name of anybody's entry, and a mistake
    in tokenctl's configuration is nothing to its owner.
    """
    from tokenctl.adapters import private_process
    from tokenctl.adapters.log_terminal import LogTerminal
    from tokenctl.adapters.terminal import Terminal
    from tokenctl.errors import TokenctlError
    from tokenctl.handoff.helpers import answering
    from tokenctl.runtime import Runtime

    environ = private_process.environment()
    try:
        given = answering.given(Runtime(environ, terminal=LogTerminal(environ)), address, user)
        return None if given is None else SimpleCredential(given.username, given.token)
    except TokenctlError as failure:
        error = failure
    except Exception as defect:  # which must not end somebody else's program
        error = TokenctlError(f"unexpected {type(defect).__name__}", hint="'tokenctl token --for URL' may say more")
    if not address.startswith("//"):
        Terminal(environ).error(error.message, error.next_step)
    return None
