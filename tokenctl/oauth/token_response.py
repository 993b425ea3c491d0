"""The one parser of token responses (RFC 6749 section 5), success and failure.

Servers differ: errors come with an empty body, as HTML, as 401, 403 or 500, the token type in any
case, the lifetime as a string or not at all. What cannot be trusted is refused, never guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import quote, quote_plus

from tokenctl.errors import LoginRequired, Refused
from tokenctl.oauth.claims import unverified_claims
from tokenctl.oauth.wire import JSON, Response, describe, json_object, overloaded, try_later

DEFAULT_LIFETIME = 300
"""Seconds an access token counts as alive when neither the answer nor the token says."""
LONGEST_LIFETIME = 10 * 365 * 86400
"""Seconds; whoever promises more is wrong."""
LONGEST_TOKEN = 256 * 1024
"""Characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSet:
    """One token response. `expires_at` is epoch seconds, counted from when the answer was received."""

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
    """What a machine presented of its own. No person can sign in for it: a refusal is no LoginRequired."""

    name: str
    hint: str


def parse(
    response: Response,
    known: tuple[str, ...] = (),
    presented: Credentials | None = None,
    hints: Mapping[str, str] = {},
) -> TokenSet:
    """Read the answer of a token endpoint.

    `known` are secrets that must not come back in a message, `presented` are the machine's credentials where
    it was these that the server judged; `hints` say of an error code what to do next, where this grant has
    another answer than most. Raises Unreachable (429, 5xx: nothing is decided), LoginRequired
    (`invalid_grant`, unless for `presented`) or Refused.
    """
    try:
        document = json_object(response.body)
    except ValueError as reason:
        if overloaded(response):
            raise try_later(response, "the token endpoint") from None
        raise Refused(f"the token endpoint answered {describe(response)}: {reason}") from None
    if "error" in document or response.status != 200:
        refuse(document, response, known, presented, hints)
    return TokenSet(
        access_token=_token(document, "access_token") or _absent("access_token"),
        token_type=_token_type(document.get("token_type"), known),
        obtained_at=response.received_at,
        expires_at=_expires_at(document, response.received_at),
        refresh_token=_token(document, "refresh_token"),
        refresh_token_expires_at=_refresh_expires_at(document, response.received_at),
        id_token=_token(document, "id_token"),
        scope=_scope(document.get("scope")),
    )


def rotated(response: Response) -> str | None:
    """Take the new refresh token out of a successful answer, whatever else is wrong with it.

    The old one is spent once the server has answered so: an answer that is no use otherwise must not
    cost the session.
    """
    try:
        return _token(json_object(response.body), "refresh_token") if response.status == 200 else None
    except (ValueError, Refused):
        return None


def refuse(
    document: JSON,
    response: Response,
    known: tuple[str, ...] = (),
    presented: Credentials | None = None,
    hints: Mapping[str, str] = {},
) -> NoReturn:
    """Turn an error answer (RFC 6749 section 5.2) into the error it means."""
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
    "unauthorized_client": "this client may not use this flow: ask who runs the server, or choose another --flow",
    "unsupported_grant_type": "the server does not know this flow: choose another --flow",
    "invalid_scope": "ask for other scopes with --scope",
    "invalid_target": "the server does not know this --resource",
}


def redacted(text: str, known: tuple[str, ...]) -> str:
    """Take known secrets out of a text that a server wrote."""
    for secret in sorted(known, key=len, reverse=True):  # one may be part of another
        for form in (secret, quote_plus(secret), quote(secret, safe="")):
            if form:
                text = text.replace(form, "***")
    return text


def _absent(name: str) -> NoReturn:
    raise Refused(f"the token endpoint answered without {name}")


def _token(document: JSON, name: str) -> str | None:
    """Take a token: visible ASCII only (RFC 6749 appendix A), or it could forge a header or a line."""
    value = document.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > LONGEST_TOKEN or not all("!" <= each <= "~" for each in value):
        raise Refused(f"the token endpoint answered with a {name} that has characters no token may have")
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
    if seconds:  # 0 is how some servers say nothing
        return received_at + seconds
    claimed = unverified_claims(str(document.get("access_token"))).get("exp")
    if isinstance(claimed, int | float) and received_at < claimed < received_at + LONGEST_LIFETIME:
        return int(claimed)
    return received_at + DEFAULT_LIFETIME


def _refresh_expires_at(document: JSON, received_at: int) -> int | None:
    # Not standard, but common; shown, and never decided upon, so nonsense is no reason to fail.
    for name in ("refresh_token_expires_in", "refresh_expires_in"):
        try:
            seconds = _seconds(document.get(name), name)
        except Refused:
            continue
        return received_at + seconds if seconds else None  # 0: never, says who sends it
    return None


def _seconds(value: object, name: str) -> int:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST_LIFETIME:
        raise Refused(f"the token endpoint answered with an {name} that is no sensible number of seconds")
    return int(value)
