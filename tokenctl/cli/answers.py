"""A person's answers to the questions of a login, kept for the next try."""

from collections.abc import Callable

from tokenctl.adapters.line_editor import addresses
from tokenctl.adapters.terminal import Terminal
from tokenctl.errors import Refused, UsageError
from tokenctl.oauth.wire import safe_url

NONE = "-"
"""The answer for "there is none"."""


class Answers:
    """Asks the questions of one login. At the next try, each answer is the default of its question."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._given: dict[str, str] = {}
        self._secrets: dict[str, str] = {}

    def __bool__(self) -> bool:
        """Tell whether anything was asked."""
        return bool(self._given)

    def ask(self, question: str, default: str = "", read: Callable[[str], str] = str) -> str:
        """Ask; see `Terminal.ask`."""
        answer = self._terminal.ask(question, self._given.get(question, default), read)
        self._given[question] = answer
        return answer

    def ask_secret(self, name: str, otherwise: str = "") -> str | None:
        """Ask for a secret; None when there is no answer (Ctrl-D).

        `otherwise` says what an empty answer means; after a first try it means the same secret.
        """
        before = self._secrets.get(name, "")
        kept = "the same as before" + (f"; {NONE}: {otherwise}" if otherwise else "")
        means = kept if before else otherwise
        typed = self._terminal.ask_secret(name + (f" (empty: {means})" if means else ""))
        if typed is None:
            return None
        answer = "" if typed.strip() == NONE else typed.strip() or before
        self._secrets[name] = answer
        return answer


def address(typed: str) -> str:
    """Read an address that is typed, or pasted from a mail that broke it over several lines. Raises UsageError."""
    try:
        return safe_url(next(addresses(typed), (typed,))[0], "this")
    except Refused as error:
        raise UsageError(error.message) from None


def address_or_none(typed: str) -> str:
    """Read an address, or the answer that there is none. Raises UsageError."""
    return typed if typed == NONE else address(typed)
