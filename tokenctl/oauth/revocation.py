"""Token revocation (RFC 7009)."""

from enum import Enum

from tokenctl.oauth.client_auth import Client, request
from tokenctl.oauth.error_response import redacted
from tokenctl.oauth.wire import Request, Response, describe, json_object, overloaded, try_later


class Outcome(Enum):
    """What the revocation endpoint did."""

    REVOKED = "revoked"
    UNSUPPORTED = "unsupported_token_type"
    REFUSED = "refused"


def revocation_request(endpoint: str, client: Client, token: str, hint: str) -> Request:
    """Build the request; `hint` is `refresh_token` or `access_token` (RFC 7009 section 2.1)."""
    return request(endpoint, client, ("token", token), ("token_type_hint", hint), purpose="signing out")


def parse(response: Response, known: tuple[str, ...] = ()) -> tuple[Outcome, str]:
    """Read the response: the outcome, and the server's reason if it refused; `known` secrets are removed from it.

    200 means revoked, also for a token that the server does not know (section 2.2). Raises Unreachable: after a
    503 the token still works (section 2.2.1), so its `sent` is False; after another 5xx nobody knows.
    """
    if response.status in (200, 204):
        return Outcome.REVOKED, ""
    if overloaded(response):
        error = try_later(response, "the revocation endpoint")
        error.sent = response.status not in (429, 503)
        raise error
    try:
        code = json_object(response.body).get("error")
    except ValueError:
        code = None
    if code == "unsupported_token_type":
        return Outcome.UNSUPPORTED, code
    return Outcome.REFUSED, redacted(code, known)[:100] if isinstance(code, str) and code else describe(response)
