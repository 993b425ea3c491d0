"""Checks of origins that a person wrote: in the config file, the environment or on the command line."""

import re

from tokenctl.errors import UsageError
from tokenctl.model.origins import host_of, is_loopback, is_private, origin_of

_BEFORE_AT = re.compile(r"^([A-Za-z]+://)?.*@", re.DOTALL)


def check(value: object, where: str) -> tuple[str, ...]:
    """Check the setting `hosts`: one origin (a text) or a list of them, each https, or http on this machine.

    Raises UsageError with `where` first.
    """
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list | tuple) or not all(isinstance(each, str) for each in values):
        raise UsageError(f"{where} must be a list of strings, not {value!r:.40}")
    return tuple(dict.fromkeys(checked(each, where) for each in values))


def checked(text: str, where: str) -> str:
    """Check a text that a person wrote as an origin, and return the origin. Raises UsageError."""
    try:
        found = origin_of(text)
    except ValueError:
        near = origin_near(text)
        hint = f"did you mean {near}?" if near else "write it as https://api.example.com or http://127.0.0.1:8080"
        raise UsageError(f"{where}: {quoted(text)} is not an origin", hint=hint) from None
    if "/" in text.partition("://")[2].removesuffix("/") or "?" in text or "#" in text:
        raise UsageError(
            f"{where}: {quoted(text)} is more than an origin: a token is for all of a server",
            hint=f"write it as {found}",
        )
    if not is_private(found):
        raise UsageError(
            f"{where}: {quoted(text)} must be https: with http, everybody on the way could read the token",
            hint="http is for this machine alone: localhost, 127.0.0.1 or [::1]",
        )
    return found


def quoted(text: str) -> str:
    """Quote a text that should be a URL, for a message: what comes before `@` can have a password, and is left out."""
    shown = _BEFORE_AT.sub(r"\1...@", text)
    return f"{shown!r:.80}"


def origin_near(text: str) -> str | None:
    """Return the origin that was most likely meant by a text without a scheme; None when it is not clear."""
    try:
        found = None if "://" in text else origin_of(f"https://{text}")
    except ValueError:
        return None
    # A server of this machine mostly has no certificate.
    return origin_of(f"http://{text}") if found and is_loopback(host_of(found)) else found
