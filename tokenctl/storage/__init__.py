"""Where a session lives: the OS keyring, an encrypted file, or memory; and the lock that guards it."""

from collections.abc import Callable
from typing import Protocol

from tokenctl.errors import StoreTimedOut
from tokenctl.model.session import Session

UNATTENDED = 3.0
"""Seconds a keyring call may take when nobody could type a password."""
ATTENDED = 60.0
"""Seconds a keyring call may take when a person may have to unlock it."""


Waiting = Callable[[], object]
"""Tells a person that the keyring takes its time."""


def silent() -> None:
    """Tell nobody: the `Waiting` where no person is."""


def timed_out(seconds: float | None = None) -> StoreTimedOut:
    """Make the error for a keyring that did not answer in time; None: in a time of its library's own."""
    return StoreTimedOut(
        f"the keyring did not answer {'in time' if seconds is None else f'within {seconds:.0f} s'}",
        hint="it may be waiting for its password in another window, or be stuck: unlock or restart it, then try again",
    )


class Store(Protocol):
    """What keeps sessions and secrets, by profile name.

    Reading answers None when there is no entry; everything else that goes wrong is a StoreError,
    and locked, unavailable and timed out are different ones.
    """

    kind: str
    backend: str

    def prepare(self, profile: str) -> None:
        """Before a person signs in, find out whether a session could be kept, and ask for what that takes."""

    def read(self, profile: str) -> Session | None:
        """Read the profile's session."""

    def write(self, profile: str, session: Session) -> None:
        """Keep the session, and make sure that it can be read back."""

    def read_secret(self, profile: str) -> str | None:
        """Read the profile's client secret."""

    def write_secret(self, profile: str, secret: str) -> None:
        """Keep the client secret, and make sure that it can be read back."""

    def delete(self, profile: str) -> None:
        """Forget the profile's session and secret. Only `revoke` does this."""
