"""What a client asks a helper, what the helper has, and what it answers: the three records that every protocol shares.

They are no dataclasses: the fast way of the helpers loads this file, and to load `dataclasses` would cost as much as a
warm `token`. So this file, and each protocol's, imports next to nothing.
"""

from time import gmtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from tokenctl.errors import TokenctlError

    Wants = Literal["nothing", "token", "another token", "every token", "origins", "binding", "refusal"]
    Reads = Literal["nothing", "all", "block", "lines"]

LONGEST = 1024 * 1024
"""Bytes of what a client writes, at most."""
_LAST = 253402300799
"""The last second that RFC 3339 can write, of the year 9999."""
EARLY = 30
"""Seconds by which a token's end is reported too early: the client must not use a token that ends on its way."""


class Answer:
    """What the helper answers: bytes on stdout, an exit status, and a reason on stderr where the protocol has one there.

    `error` and `hint` are written as every command writes them. On success both are empty.
    """

    __slots__ = ("error", "hint", "out", "status")

    def __init__(self, out: bytes = b"", status: int = 0, error: str = "", hint: str | None = None) -> None:
        self.out = out
        self.status = status
        self.error = error
        self.hint = hint


class Question:
    """What a client asks.

    `wants` says what decides the answer:
    - "nothing": it is `answer`, whatever the profiles say.
    - "token": the token of the profile that binds `address`; without an address, of the profile that `-p` names.
    - "another token": the same, for a client that says that the one which it got was refused.
    - "every token": the tokens of every bound https origin. "origins": every bound origin, without tokens.
    - "binding": it is `answer` where `address` is bound.
    - "refusal": it is `answer`, and the client says that a server refused the token `refused`.

    `absent` is the answer for an origin that no profile binds. `user` is the user name that the client asks for, or
    empty: for another name than ours the answer is `absent`. `form` is for the protocol's own `found`.
    """

    __slots__ = (
        "absent",
        "address",
        "again",
        "answer",
        "form",
        "interval",
        "may_ask",
        "min_ttl",
        "needs_name",
        "profile",
        "refused",
        "user",
        "wants",
    )

    def __init__(
        self,
        wants: "Wants",
        address: str = "",
        *,
        answer: Answer | None = None,
        absent: Answer | None = None,
        user: str = "",
        form: str = "",
        refused: str = "",
        profile: str = "",
        min_ttl: int = 0,
        again: str = "",
        interval: int = 0,
        may_ask: bool = False,
        needs_name: bool = False,
    ) -> None:
        self.wants = wants
        self.address = address
        self.answer = answer or Answer()
        self.absent = absent or Answer()
        self.user = user
        self.form = form
        self.refused = refused
        self.profile = profile
        """The name of the profile, from a client that says it here and not on the command line; else empty."""
        self.min_ttl = min_ttl
        """Seconds for which the client keeps the token without a look at its end; 0 where it looks."""
        self.again = again
        """What this client asks for, if it asks again only after a refusal or after `interval`; else empty."""
        self.interval = interval
        """Seconds after which the client asks again by itself; 0 means when the token has ended."""
        self.may_ask = may_ask
        """Whether the client has given the terminal to the helper."""
        self.needs_name = needs_name
        """Whether without an address only a profile that somebody named may answer: else the answer is `absent`."""


class Given:
    """A token for an origin, and the shape in which the origin wants it. `expires_at` is epoch seconds, or None."""

    __slots__ = ("expires_at", "origin", "prefix", "token", "username")

    def __init__(self, token: str, origin: str, username: str, prefix: str, expires_at: int | None) -> None:
        self.token = token
        self.origin = origin
        self.username = username
        self.prefix = prefix
        self.expires_at = expires_at

    @property
    def header(self) -> str:
        """The value of the header `Authorization`."""
        return self.prefix + self.token


def reported(expires_at: int | None, now: int) -> int | None:
    """Return the end of a token that the client is told of, in epoch seconds; None where nobody knows it."""
    return None if expires_at is None else expires_at - min(EARLY, max(0, expires_at - now) // 4)


def timestamp(expires_at: int | None, now: int) -> str | None:
    """Return what `reported` does, in the form of RFC 3339."""
    until = reported(expires_at, now)
    return None if until is None else "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z".format(*gmtime(min(until, _LAST))[:6])


def unbound(address: str) -> Answer:
    """Make the answer for an origin that no profile binds, where the protocol has none but a failure."""
    return Answer(
        status=2,
        error=f"no profile is bound to {address}, or not the one that is named",
        hint=f"if that server may get the token: tokenctl profile set NAME hosts+={address}",
    )


def not_understood(message: str, status: int = 2) -> Question:
    """Make the question of a client whose words cannot be understood: the answer is the reason, on stderr."""
    return Question("nothing", answer=Answer(status=status, error=message, hint="see 'tokenctl help helpers'"))


def on_stderr(error: "TokenctlError", out: bytes = b"") -> Answer:
    """Make the answer of a protocol whose client shows, or logs, what is on stderr. `out` is for stdout."""
    return Answer(out, error.exit_status, error.message, error.next_step)


def one_text(error: "TokenctlError") -> str:
    """Say what failed and what to do next in one text, for a protocol that has one field for both."""
    return f"{error.message}; {error.next_step}" if error.next_step else error.message
