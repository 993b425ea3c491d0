"""The parser of all token responses (RFC 6749 section 5); `error_response` reads errors.

Servers differ: the token type can be in any case; the lifetime can be a string or absent. A value that cannot be trusted
is refused, never guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tokenctl.errors import Refused
from tokenctl.model.session import DEFAULT_LIFETIME
from tokenctl.oauth import scopes
from tokenctl.oauth.answers import LONGEST_LIFETIME, SPACES, members, seconds, whole
from tokenctl.oauth.claims import unverified_claims
from tokenctl.oauth.error_response import Credentials, check_grant, raise_error, redacted, words_of
from tokenctl.oauth.wire import JSON, Response, describe, overloaded, try_later

LONGEST_TOKEN = 256 * 1024
"""Characters."""
BEARER_TYPES: Mapping[str, str] = {
    "": "RFC 6749 section 5.1 demands the member, and some servers leave it out",
    "bearer": "RFC 6750, in any case and with spaces around it",
    "bearertoken": "Apigee",
    "bot": "Slack: who the token acts for",
    "user": "Slack: who the token acts for",
}
"""Token type in lower case -> who sends it. All of them are used as `Authorization: Bearer` (RFC 6750)."""
_BOUND_TYPES: Mapping[str, str] = {
    "dpop": "it is bound to a key (RFC 9449)",
    "pop": "it is bound to a key",
    "mac": "each request needs a signature",
    "hmac": "each request needs a signature",
    "n_a": "it is no access token (RFC 8693)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSet:
    """One token response. Times are epoch seconds, counted from when the request was sent."""

    access_token: str = field(repr=False)
    token_type: str
    obtained_at: int
    expires_at: int | None
    """None: neither the response nor the token says when the access token ends."""
    boot_id: str | None = None
    booted_at_ms: int | None = None
    refresh_token: str | None = field(default=None, repr=False)
    refresh_token_expires_at: int | None = None
    id_token: str | None = field(default=None, repr=False)
    scope: str | None = None

    def times(self, *, renewable: bool) -> dict[str, Any]:
        """Make the members of a session that say how long its access token lives.

        A token whose end is not known is renewed after `DEFAULT_LIFETIME` seconds if something can renew it.
        """
        guessed = self.obtained_at + DEFAULT_LIFETIME if renewable else None
        return {
            "obtained_at": self.obtained_at,
            "expires_at": guessed if self.expires_at is None else self.expires_at,
            "boot_id": self.boot_id,
            "booted_at_ms": self.booted_at_ms,
        }


def parse(
    response: Response,
    known: tuple[str, ...] = (),
    presented: Credentials | None = None,
    hints: Mapping[str, str] = {},
) -> TokenSet:
    """Read a token response.

    `known` secrets are removed from messages. `presented` are the machine's credentials, if the request sent any.
    `hints` maps an error code to this grant's own hint. Raises Unreachable (429, 5xx: try again), LoginRequired
    (the grant is dead, see `refusals`, and it was not what `presented` names) or Refused.
    """
    try:
        document = members(response.body)
    except ValueError as reason:
        if overloaded(response):
            raise try_later(response, "the token endpoint") from None
        raise Refused(f"the token endpoint answered {describe(response)}: {reason}") from None
    access_token = _token(document, "access_token") if response.succeeded and not document.get("error") else None
    if access_token is None:
        if response.succeeded and not document.get("error") and not words_of(document, known):
            raise Refused("the token endpoint answered without access_token")
        check_grant(document, response, known, presented)
        raise_error(document, response, known, hints)
    return TokenSet(
        access_token=access_token,
        token_type=_token_type(document.get("token_type"), known),
        **times(response, access_token, _seconds(document.get("expires_in"), "expires_in")),
        refresh_token=_token(document, "refresh_token"),
        refresh_token_expires_at=_refresh_expires_at(document, response.asked_at),
        id_token=_token(document, "id_token"),
        scope=scopes.granted(document),
    )


def times(response: Response, access_token: str, stated: int) -> dict[str, Any]:
    """Make the members of a token set that say when it was obtained and when its access token ends.

    `stated` is the lifetime in the response, in seconds; 0 means that it states none. If the token is a JWT with `exp`,
    the earlier end counts.
    """
    known = [seconds for seconds in (stated, _lifetime_by_exp(response, access_token)) if seconds]
    return {
        "obtained_at": response.asked_at,
        "expires_at": response.asked_at + min(known) if known else None,
        "boot_id": response.boot_id,
        "booted_at_ms": response.booted_at_ms,
    }


def _lifetime_by_exp(response: Response, access_token: str) -> int:
    """Return how many seconds a JWT still lives by the server's clock; 0 when it does not say, or nothing possible.

    The server's clock is in the header `Date`. A token that was issued after the request was sent has its whole life
    before it: then `iat` counts, which is exact. A server can also give a token that it issued earlier.
    """
    claims = unverified_claims(access_token)
    ends, issued = (each if type(each) in (int, float) else None for each in (claims.get("exp"), claims.get("iat")))
    server_time = response.date or issued or response.asked_at
    waited = max(0, response.received_at - response.asked_at)
    if response.date and issued and response.date - waited - 1 <= issued <= response.date:
        server_time = issued
    if ends is None or not server_time < ends <= server_time + LONGEST_LIFETIME:
        return 0
    return max(1, int(ends - server_time))


def rotated(response: Response) -> str | None:
    """Read the new refresh token of a successful answer, even when the rest of the answer cannot be used.

    The server has used up the old refresh token. Without the new one the session would be lost.
    """
    try:
        return _token(whole(response.body) or {}, "refresh_token") if response.succeeded else None
    except Refused:
        return None


def _token(document: JSON, name: str) -> str | None:
    """Read a token. Only visible ASCII (RFC 6749 appendix A): other characters could forge a header or a line."""
    value = document.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > LONGEST_TOKEN or not all("!" <= each <= "~" for each in value):
        raise Refused(f"the token endpoint answered with a {name} that has characters a token cannot have")
    return value


def _token_type(value: object, known: tuple[str, ...]) -> str:
    """Check that the token is used as RFC 6750 says, and return the word for the Authorization header.

    A type that is not known is refused (RFC 6749 section 7.1).
    """
    name = ("" if value is None else value).strip(SPACES) if value is None or isinstance(value, str) else None
    if name is not None and name.lower() in BEARER_TYPES:
        return "Bearer"
    named = type(value).__name__ if name is None else redacted(name, known)
    why = _BOUND_TYPES.get((name or "").lower())
    raise Refused(
        f"the token endpoint answered with token_type {named!r:.40}, and tokenctl can only use Bearer"
        + (f": {why}" if why else ""),
        hint="ask the server's operator to issue bearer tokens (RFC 6750) to this client",
    )


def _refresh_expires_at(document: JSON, asked_at: int) -> int | None:
    # Not standard, but common. It is only shown, so a wrong value is no reason to fail.
    for name in ("refresh_token_expires_in", "refresh_expires_in", "x_refresh_token_expires_in"):
        try:
            stated = _seconds(document.get(name), name)
        except Refused:
            continue
        if stated:  # servers that send 0 mean "never"
            return asked_at + stated
    return None


def _seconds(value: object, name: str) -> int:
    """Read a number of seconds; 0 when there is none, or the server sends 0: some servers mean "unknown" by it."""
    try:
        found = seconds(value)
    except ValueError:
        raise Refused(f"the token endpoint answered with an {name} that is not a possible number of seconds") from None
    return max(1, int(found)) if found else 0
