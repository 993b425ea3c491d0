"""The header `WWW-Authenticate`: the challenges of a server that wants other credentials (RFC 9110 section 11.6.1).

A header line is a list of challenges, and a challenge has a list of parameters: both lists have the comma, so only the
grammar tells where the next challenge begins. Each line is a list of its own.

A server can write what it wants, so no text raises an error. Reading a line ends at its first mistake: what came before
counts, and what comes after could be read in two ways. A challenge that has the mistake stays, with the parameters
before it: it still says which scheme the server wants.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED = r'"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[^\x00-\x08\x0a-\x1f\x7f])*"'
"""A quoted string. Its letters that are not ASCII are read as they come: httpx decodes UTF-8, requests does not."""
_END = r"(?=[ \t]*(?:,|\Z))"
"""An element of a list ends before a comma, or with the line."""
_SCHEME = re.compile(rf"({_TOKEN})(?: +|{_END})")
_TOKEN68 = re.compile(rf"([A-Za-z0-9\-._~+/]+=*){_END}")
_PARAMETER = re.compile(rf"({_TOKEN})[ \t]*=[ \t]*({_TOKEN}|{_QUOTED}){_END}")
_BETWEEN = re.compile(r"[ \t,]*")
"""What is between two elements of a list; some of them can be empty (RFC 9110 section 5.6.1.2)."""

_NOT_HELPED = ("insufficient_scope", "insufficient_user_authentication")
"""The errors that a new token of the same session does not help (RFC 6750 section 3.1, RFC 9470 section 3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One challenge: its scheme in lower case, and either a `token68` or parameters by their name in lower case.

    Of a parameter that is there twice, the first one counts.
    """

    scheme: str
    token68: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse(lines: Iterable[str]) -> tuple[Challenge, ...]:
    """Read the values of all lines of the header, in their order. Raises nothing."""
    return tuple(challenge for line in lines for challenge in _challenges(line))


def asks_for_new_token(lines: Iterable[str]) -> bool:
    """Tell whether a new access token can help after status 401, by the lines of its `WWW-Authenticate`.

    It can where the server says nothing that can be read, or wants a Bearer token (RFC 6750 section 3), except where it
    wants a wider scope or a new sign-in of the person.
    """
    challenges = parse(lines)
    errors = [each.parameters.get("error") for each in challenges if each.scheme == "bearer"]
    return not challenges or (bool(errors) and not any(error in _NOT_HELPED for error in errors))


def _challenges(line: str) -> Iterator[Challenge]:
    at = _skipped(line, 0)
    while at < len(line):
        scheme = _SCHEME.match(line, at)
        if scheme is None:
            return
        token68 = _TOKEN68.match(line, scheme.end()) if scheme[0].endswith(" ") else None
        if token68 is not None:
            yield Challenge(scheme=scheme[1].lower(), token68=token68[1])
            at = _skipped(line, token68.end())
            continue
        parameters, at = _parameters(line, scheme.end())
        yield Challenge(scheme=scheme[1].lower(), parameters=parameters)


def _parameters(line: str, at: int) -> tuple[dict[str, str], int]:
    """Read parameters up to the next challenge. Return them, and where it begins: at the end of the line if it does not."""
    found: dict[str, str] = {}
    while True:
        begun, at = at, _skipped(line, at)
        parameter = _PARAMETER.match(line, at)
        if parameter is None:
            # Only after a comma can there be a challenge. Else this is a mistake, and the line ends here.
            return found, at if "," in line[begun:at] else len(line)
        found.setdefault(parameter[1].lower(), _unquoted(parameter[2]))
        at = parameter.end()


def _skipped(line: str, at: int) -> int:
    found = _BETWEEN.match(line, at)
    return at if found is None else found.end()


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text
