"""The checks of a profile's settings: one function for each type of value.

A check takes a value from the config file, the environment or the command line, and `where`: the words that name
the setting in a message, such as `config file F: profiles.work: port`. It returns the value as the profile keeps
it, or raises UsageError with `where` first.

Every command loads this module, so `token_api` is loaded only for a profile that describes a token API.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from tokenctl.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from tokenctl.model.token_api import TokenApi

T = TypeVar("T")
Check = Callable[[object, str], T]


def setting(check: Check[T], default: T) -> T:
    """Make a dataclass field with a default and a check, which is in `field.metadata["check"]`."""
    return field(default=default, metadata={"check": check})


def text(value: object, where: str) -> str:
    """Check a text: one line, not empty, without control characters. Raises UsageError."""
    if not isinstance(value, str) or not value or not value.isprintable():
        raise UsageError(f"{where} must be text on one line, not {value!r:.40}")
    return value


def one_of(choices: tuple[str, ...]) -> Check[str]:
    """Make the check of a setting that must be one of `choices`."""
    return partial(_one_of, choices)


def _one_of(choices: tuple[str, ...], value: object, where: str) -> str:
    word = text(value, where)
    if word not in choices:
        hint = did_you_mean(word, choices)
        raise UsageError(f"{where} must be one of {', '.join(choices)}, not {word!r:.40}", hint=hint)
    return word


def words_of(check: Check[Any]) -> tuple[str, ...]:
    """List the only texts that a check takes; empty for a check that takes more."""
    if check is boolean:
        return ("true", "false")
    return check.args[0] if isinstance(check, partial) and check.func is _one_of else ()


def scope(value: object, where: str) -> str:
    """Check a scope: a text, or a list of strings, which are joined with spaces. Raises UsageError."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = " ".join(value)
    return text(value, where)


_DURATION = "(?=.)(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?"


def duration(value: object, where: str = "duration") -> int:
    """Read a duration such as `90`, `90s`, `15m`, `2h`, `7d` or `1h30m` as seconds. Raises UsageError.

    Each unit can be there once, the longest one first.
    """
    if type(value) is int and value >= 0:
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    match = re.fullmatch(_DURATION, value) if isinstance(value, str) else None
    if match is None:
        raise UsageError(f"{where}: {value!r:.40} is not a duration", hint="write it as 90, 90s, 15m, 2h, 7d or 1h30m")
    units = zip(match.groups(default="0"), (86400, 3600, 60, 1), strict=True)
    return sum(int(number) * seconds for number, seconds in units)


def port(value: object, where: str) -> int:
    """Check a TCP port: a number from 1 to 65535. Raises UsageError."""
    if type(value) is not int or not 1 <= value <= 65535:
        raise UsageError(f"{where} must be a number from 1 to 65535, not {value!r:.40}")
    return value


def boolean(value: object, where: str) -> bool:
    """Check that a value is true or false. Raises UsageError."""
    if not isinstance(value, bool):
        raise UsageError(f"{where} must be true or false, not {value!r:.40}")
    return value


def uris(value: object, where: str) -> tuple[str, ...]:
    """Check one resource indicator (a text) or a list of them. Raises UsageError."""
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list | tuple) or not all(isinstance(each, str) for each in values):
        raise UsageError(f"{where} must be a list of strings, not {value!r:.40}")
    for each in values:
        check_resource(each, where)
    return tuple(values)


def origins(value: object, where: str) -> tuple[str, ...]:
    """Check one origin that may get the token (a text), or a list of them; see `origin_checks`. Raises UsageError."""
    from tokenctl.model import origin_checks

    return origin_checks.check(value, where)


SHAPE = {"username": "oauth2", "prefix": "Bearer "}
"""How an origin wants the token, with the default of each: the user name of Basic authentication (RFC 7617), and what
comes before the token in a header."""


def shapes(value: object, where: str) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Check the table of the origins that want the token in another shape; see `SHAPE`. Raises UsageError."""
    if not isinstance(value, Mapping) or not all(isinstance(each, Mapping) for each in value.values()):
        raise UsageError(f'{where} must have a table for each origin, such as host."https://git.example.com"')
    from tokenctl.model import origin_checks

    return tuple(
        (origin_checks.checked(origin, where), tuple(_shape(table, f"{where}.{origin!r:.200}").items()))
        for origin, table in value.items()
    )


def _shape(table: Mapping[str, object], where: str) -> dict[str, str]:
    for key, said in table.items():
        if key not in SHAPE:
            hint = did_you_mean(key, SHAPE) or f"the settings of an origin are: {', '.join(SHAPE)}"
            raise UsageError(f"{where}: {key!r:.60} is unknown", hint=hint)
        if not isinstance(said, str) or not said.isascii() or not (said + "x").isprintable():
            raise UsageError(f"{where}: {key} must be ASCII text on one line, not {said!r:.40}")
    name = table.get("username", "x")
    if not name or ":" in str(name) or name == "<token>":  # RFC 7617; docker takes `<token>` for a refresh token
        raise UsageError(f"{where}: username must be a name without a colon, not {name!r:.40}")
    return {key: str(said) for key, said in table.items()}


def check_resource(value: str, where: str) -> None:
    """Check a resource indicator: an absolute URI without a fragment (RFC 8707 section 2). Raises UsageError."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[!-\"$-~]+", value):
        raise UsageError(
            f"{where}: {value!r:.80} is not an absolute URI without a fragment", hint="such as https://api.example.com"
        )


def command(value: object, where: str) -> tuple[str, ...]:
    """Check a command: a list of words. The first word is a program's name or absolute path. Raises UsageError."""
    words = list(value) if isinstance(value, list | tuple) else []
    if not words or not all(isinstance(each, str) and each and "\0" not in each for each in words):
        raise UsageError(f'{where} must be a list of words, such as ["pass", "show", "tokenctl"]')
    if "/" in words[0] and not words[0].startswith("/"):
        raise UsageError(f"{where}: {words[0]!r:.80} must be an absolute path, or the name of a program in PATH")
    return tuple(words)


def params(value: object, where: str) -> tuple[tuple[str, str], ...]:
    """Check the extra parameters of the authorization request: a table of strings. Raises UsageError.

    `max_age` (OpenID Connect Core section 3.1.2.1) must be a number of seconds, because `auth_time` is checked
    against it. An empty text leaves the parameter out.
    """
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value.values()):
        raise UsageError(f'{where} must be a table of strings, such as params = {{ prompt = "login" }}')
    if not re.fullmatch(r"[0-9]{0,9}", value.get("max_age", "")):
        raise UsageError(
            f"{where}: max_age must be a number of seconds, not {value['max_age']!r:.40}",
            hint="such as max_age=3600; 0 asks for a new sign-in",
        )
    return tuple(value.items())


def absolute_path(value: object, where: str) -> str:
    """Check a file's path: it is absolute, begins with `~`, or with a Windows drive. Raises UsageError."""
    path = text(value, where)
    if not path.startswith(("/", "~")) and path[1:3] not in (":\\", ":/"):
        raise UsageError(
            f"{where} must be an absolute path, not {path!r:.80}: nothing is read from the current directory"
        )
    return path


def variable(value: object, where: str) -> str:
    """Check the name of an environment variable. Raises UsageError."""
    return _variable(text(value, where), "", where)


def variable_template(value: object, where: str) -> str:
    """Check `NAME`, or `NAME=TEMPLATE` such as `AUTH=Bearer {access_token}`. Raises UsageError."""
    return _variable(text(value, where), "(=.*)?", where)


def _variable(value: str, rest: str, where: str) -> str:
    if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*" + rest, value):
        raise UsageError(f"{where} must be the name of an environment variable, not {value!r:.40}")
    return value


def api(value: object, where: str) -> "TokenApi":
    """Check the description of a token API: a table, or a `TokenApi` that is checked already. Raises UsageError."""
    from tokenctl.model import token_api

    return value if isinstance(value, token_api.TokenApi) else token_api.from_members(value, where)


def api_members(description: "TokenApi") -> dict[str, Any]:
    """Write the description of a token API in the config file's form. `api` reads it."""
    from tokenctl.model import token_api

    return token_api.members_of(description)
