"""What an error means for `token`: it ends with it, or works all the same."""

from tokenctl.doctor.finding import Finding
from tokenctl.errors import StoreLocked, StoreTimedOut, StoreUnavailable, TokenctlError

OF_THE_STORE = (StoreLocked, StoreTimedOut, StoreUnavailable)
"""Errors about the keyring, or another store, as such; the others are about the session in it."""


def finding_of(check: str, error: TokenctlError, *, counts: bool = True) -> Finding:
    """Make the finding of an error that the check met, in the words of the error.

    `counts` tells whether `token` would end with it now. Otherwise it is a warning.
    """
    return Finding(
        check=check,
        status="failed" if counts else "warning",
        sentence=error.message,
        remedy=error.hint or error.next_step,
        exit_status=error.exit_status if counts else 0,
    )
