"""Every failure a person can meet: what happened, what to do next, and the exit status.

    TokenctlError                 1   unexpected
    ├── UsageError                2   wrong words, wrong configuration, unsafe files
    ├── StoreError                3   the place that keeps sessions cannot be used
    │   ├── StoreUnavailable      3   there is none, or nobody answers
    │   │   └── NoKeyring         3   no keyring of this machine can be used
    │   ├── StoreLocked           3   it is there, and locked
    │   ├── StoreTimedOut         3   it is there, and does not answer in time
    │   └── StoreDamaged          3   it answers something that cannot be understood
    ├── LoginRequired             4   no session, or a dead one
    ├── Refused                   5   the server said no, or said something it must not say
    ├── Unreachable               6   the server could not be asked; try again
    └── Busy                      7   another process holds the profile's lock

Ctrl-C is 130; `exec` adds the shell's own three: 125 (failed before the child), 126 and 127.
"No entry" is not an error of the store: reading answers None, and the caller decides.
"""

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def did_you_mean(word: str, known: "Iterable[str]") -> str | None:
    """Return the hint that names the known word nearest to `word`; None without a near one.

    Upper case, lower case and the hyphens before an option do not count. For failures only: difflib takes time to load.
    """
    from difflib import get_close_matches

    names = {each.lower().lstrip("-"): each for each in known}
    near = get_close_matches(word[:80].lower().lstrip("-"), names, 1)
    return f"did you mean {names[near[0]]!r}?" if near else None


@contextmanager
def explained_on(page: str) -> "Iterator[None]":
    """Name the help page of the errors of a block, where they have none of their own."""
    try:
        yield
    except TokenctlError as error:
        error.page = error.page or page
        raise


class TokenctlError(Exception):
    """A failure with a sentence for a person, an optional next step, and an exit status.

    The message must never hold a secret: it is printed as it is.
    """

    exit_status = 1
    page: str | None = None
    """The help page about errors of this kind: `tokenctl help PAGE`."""

    def __init__(self, message: str, *, hint: str | None = None, page: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if page is not None:
            self.page = page

    @property
    def next_step(self) -> str | None:
        """The hint and the help page, as the last line of the error; None when there is neither."""
        said = self.hint or ""
        if self.page is None or "tokenctl help" in said or said.endswith("?"):  # `did you mean ...?` says it all
            return self.hint
        more = f"'tokenctl help {self.page}' has more"
        return f"{self.hint}; {more}" if self.hint else more


class UsageError(TokenctlError):
    """The command line, the configuration or a file's permissions are not what they must be."""

    exit_status = 2


class StoreError(TokenctlError):
    """The keyring, or whatever keeps the sessions, cannot be used."""

    exit_status = 3
    page = "keyrings"


class StoreUnavailable(StoreError):
    """There is no usable store on this machine, or its program does not run."""


class NoKeyring(StoreUnavailable):
    """No keyring of this machine can keep a session, so another store has to."""


class StoreLocked(StoreError):
    """The store is there but locked, and nobody unlocked it."""


class StoreTimedOut(StoreError):
    """The store did not answer within its deadline."""


class StoreDamaged(StoreError):
    """The store answered something that is not a session of ours, or not what was written."""


class LoginRequired(TokenctlError):
    """There is no session that could be used or renewed."""

    exit_status = 4
    page = "troubleshooting"


class Refused(TokenctlError):
    """The server refused, or its answer broke a rule that protects the session.

    `error` is the server's own error code (RFC 6749 section 5.2) where it gave one; `lost` tells that the
    server may have done what it was asked, and its answer could not be read.
    """

    exit_status = 5
    page = "servers"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        page: str | None = None,
        error: str | None = None,
        lost: bool = False,
    ) -> None:
        super().__init__(message, hint=hint, page=page)
        self.error = error
        self.lost = lost


class Unreachable(TokenctlError):
    """The server could not be asked, or was too busy to answer; the same command may work later.

    `sent` tells whether the request may have reached the server: a refresh token that was
    presented without an answer is in doubt, one that was never sent is not. `retry_after` is the seconds for
    which nothing more may be sent, such as those of the server's Retry-After; None where nobody said.
    """

    exit_status = 6
    page = "networks"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        page: str | None = None,
        sent: bool = False,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint, page=page)
        self.sent = sent
        self.retry_after = retry_after


class Busy(TokenctlError):
    """Another process held the profile's lock for longer than the deadline. `holder` is its process id, if it is known."""

    exit_status = 7
    page = "troubleshooting"

    def __init__(
        self, message: str, *, hint: str | None = None, page: str | None = None, holder: int | None = None
    ) -> None:
        super().__init__(message, hint=hint, page=page)
        self.holder = holder


def unexpected(error: Exception) -> TokenctlError:
    """Make the error for an exception that is a defect. Its text can have a secret; type, file and line cannot."""
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    line = "an unknown line"
    if where is not None:
        file = where.tb_frame.f_code.co_filename.replace("\\", "/").rpartition("/")[2]
        line = f"{file}:{where.tb_lineno}"
    return TokenctlError(
        f"unexpected {type(error).__name__} at {line}" + (f": {error.strerror}" if isinstance(error, OSError) else ""),
        hint="this is a defect of tokenctl: please report it with this line and 'tokenctl --version'",
    )
