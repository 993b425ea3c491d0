"""The parser of all token responses (RFC 6749 section 5), success and error.

Servers differ: an error can have an empty body, an HTML page, or the status 401, 403 or 500; the token type can
be in any case; the lifetime can be a string or absent. A value that cannot be trusted is refused, never guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import quote, quote_plus

from tokenctl.errors import LoginRequired, Refused
from tokenctl.oauth.claims import unverified_claims
from tokenctl.oauth.wire import JSON, Response, describe, json_object, overloaded, try_later

DEFAULT_LIFETIME = 300
"""Seconds that an access token lives when neither the token response nor the token says it."""
LONGEST_LIFETIME = 10 * 365 * 86400
"""Seconds; a longer lifetime is an error of the server."""
LONGEST_TOKEN = 256 * 1024
"""Characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSet:
    """One token response. `expires_at` is epoch seconds: `expires_in` after the response was received."""

    access_token: str = field(repr=False)
    token_type: str
    obtained_at: int
    expires_at: int
    refresh_token: str | None = field(default=None, repr=False)
    refresh_token_expires_at: int | None = None
    id_token: str | None = field(default=None, repr=False)
    scope: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The credentials that a machine sent, as words for a message. `name` names them, `hint` says what to check.

    A person cannot sign in for a machine, so their refusal is Refused and not LoginRequired.
    """

    name: str
    hint: str


def parse(
    response: Response,
    known: tuple[str, ...] = (),
    presented: Credentials | None = None,
    hints: Mapping[str, str] = {},
) -> TokenSet:
    """Read a token response.

    `known` secrets are removed from messages. `presented` are the machine's credentials, if the request sent any.
    `hints` maps an error code to this grant's own hint. Raises Unreachable (429, 5xx: try again), LoginRequired
    (`invalid_grant` without `presented`) or Refused.
    """
    try:
        document = json_object(response.body)
    except ValueError as reason:
        if overloaded(response):
            raise try_later(response, "the token endpoint") from None
        raise Refused(f"the token endpoint answered {describe(response)}: {reason}") from None
    if document.get("error") or not response.succeeded:
        raise_error(document, response, known, presented, hints)
    return TokenSet(
        access_token=_token(document, "access_token") or _raise_missing("access_token"),
        token_type=_token_type(document.get("token_type"), known),
        obtained_at=response.received_at,
        expires_at=_expires_at(document, response.received_at),
        refresh_token=_token(document, "refresh_token"),
        refresh_token_expires_at=_refresh_expires_at(document, response.received_at),
        id_token=_token(document, "id_token"),
        scope=_scope(document.get("scope")),
    )


def rotated(response: Response) -> str | None:
    """Read the new refresh token of a successful answer, even when the rest of the answer cannot be used.

    The server has used up the old refresh token. Without the new one the session would be lost.
    """
    try:
        return _token(json_object(response.body), "refresh_token") if response.succeeded else None
    except (ValueError, Refused):
        return None


def raise_error(
    document: JSON,
    response: Response,
    known: tuple[str, ...] = (),
    presented: Credentials | None = None,
    hints: Mapping[str, str] = {},
) -> NoReturn:
    """Raise the error that an error response (RFC 6749 section 5.2) means. The parameters are those of `parse`."""
    error = document.get("error")
    error = error if isinstance(error, str) and error else None
    if overloaded(response) and error in (None, "server_error", "temporarily_unavailable", "slow_down"):
        raise try_later(response, "the server")
    text = document.get("error_description")
    text = f": {redacted(text, known):.300}" if isinstance(text, str) and text else ""
    if presented is not None and error in ("invalid_grant", "invalid_client"):
        raise Refused(f"the server does not accept {presented.name}: {error}{text}", hint=presented.hint, error=error)
    if error == "invalid_grant":
        raise LoginRequired(
            f"the server no longer accepts this sign-in (invalid_grant{text})", hint="run 'tokenctl login'"
        )
    if error is None:
        raise Refused(f"the server refused without a reason ({describe(response)})")
    hint = hints.get(error) or _HINTS.get(error)
    raise Refused(f"the server refused: {redacted(error, known):.100}{text}", hint=hint, error=error)


IDENTITY = Credentials(
    name="the identity of this job",
    hint="check that the server trusts its issuer, its subject and its audience (source_audience), and knows the client_id",
)
CLIENT = Credentials(
    name="the client's credentials",
    hint="check client_id, the client secret, and token_endpoint_auth_method in the profile",
)
_HINTS = {
    "invalid_client": CLIENT.hint,
    "unauthorized_client": "the server does not let this client use this flow: ask the server's operator, or choose another --flow",
    "unsupported_grant_type": "the server does not know this flow: choose another --flow",
    "invalid_scope": "ask for other scopes with --scope",
    "invalid_target": "the server does not know this --resource",
}


def redacted(text: str, known: tuple[str, ...]) -> str:
    """Replace known secrets in a text that a server wrote, also where it is percent-encoded."""
    for secret in sorted(known, key=len, reverse=True):  # one can be part of another
        for form in (secret, quote_plus(secret), quote(secret, safe="")):
            if form:
                text = text.replace(form, "***")
    return text


def _raise_missing(name: str) -> NoReturn:
    raise Refused(f"the token endpoint answered without {name}")


def _token(document: JSON, name: str) -> str | None:
    """Read a token. Only visible ASCII (RFC 6749 appendix A): other characters could forge a header or a line."""
    value = document.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > LONGEST_TOKEN or not all("!" <= each <= "~" for each in value):
        raise Refused(f"the token endpoint answered with a {name} that has characters a token cannot have")
    return value


def _token_type(value: object, known: tuple[str, ...]) -> str:
    if isinstance(value, str) and value.lower() == "bearer":
        return "Bearer"
    named = redacted(value, known) if isinstance(value, str) else type(value).__name__
    raise Refused(f"the token endpoint answered with token_type {named!r:.40}, and tokenctl can only use Bearer")


def _scope(value: object) -> str | None:
    return " ".join(value.split()) if isinstance(value, str) else None


def _expires_at(document: JSON, received_at: int) -> int:
    seconds = _seconds(document["expires_in"], "expires_in") if document.get("expires_in") is not None else 0
    if seconds:  # some servers send 0 for "unknown"
        return received_at + seconds
    claimed = unverified_claims(str(document.get("access_token"))).get("exp")
    if isinstance(claimed, int | float) and received_at < claimed < received_at + LONGEST_LIFETIME:
        return int(claimed)
    return received_at + DEFAULT_LIFETIME


def _refresh_expires_at(document: JSON, received_at: int) -> int | None:
    # Not standard, but common. It is only shown, so a wrong value is no reason to fail.
    for name in ("refresh_token_expires_in", "refresh_expires_in"):
        try:
            seconds = _seconds(document.get(name), name)
        except Refused:
            continue
        return received_at + seconds if seconds else None  # servers that send 0 mean "never"
    return None


def _seconds(value: object, name: str) -> int:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST_LIFETIME:
        raise Refused(f"the token endpoint answered with an {name} that is not a possible number of seconds")
    return int(value)
