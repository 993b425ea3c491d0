"""Token revocation (RFC 7009)."""

from enum import Enum

from tokenctl.oauth.answers import is_page, members
from tokenctl.oauth.client_auth import Client, request
from tokenctl.oauth.error_response import code_of, redacted, words_of
from tokenctl.oauth.refusals import is_dead_token
from tokenctl.oauth.wire import Request, Response, describe, overloaded, try_later

NOT_IMPLEMENTED = 501
"""The HTTP status that says: there is no such endpoint. Asking again does not help."""
_SUCCESS_FLAGS = ("ok", "success", "revoked")
"""Members with which some servers say, with the status 200, whether they did it (Slack: `ok`)."""


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

    2xx means revoked, also for a token that the server does not know (section 2.2), unless the body says otherwise: some
    servers send errors with 200, and a page is not the endpoint's answer. With 4xx, a token that the server calls dead or
    unknown is revoked. Raises Unreachable: after a 503 the token still works (section 2.2.1), so its `sent` is False; after
    another 5xx nobody knows.
    """
    if overloaded(response) and response.status != NOT_IMPLEMENTED:
        error = try_later(response, "the revocation endpoint")
        error.sent = response.status not in (429, 503)
        raise error
    try:
        document = members(response.body)
    except ValueError:
        revoked = response.succeeded and not is_page(response)
        return (Outcome.REVOKED, "") if revoked else (Outcome.REFUSED, describe(response))
    code = code_of(document)
    if not response.succeeded and is_dead_token(code, words_of(document, known)):
        return Outcome.REVOKED, ""
    if code == "unsupported_token_type":
        return Outcome.UNSUPPORTED, code
    failed = next((name for name in _SUCCESS_FLAGS if document.get(name) is False), None)
    if response.succeeded and not document.get("error") and failed is None:
        return Outcome.REVOKED, ""
    if code is None and failed is not None:
        return Outcome.REFUSED, f"{describe(response)} that says {failed}: false"
    return Outcome.REFUSED, redacted(code, known)[:100] if code else describe(response)


def wants_client(response: Response) -> bool:
    """Tell whether a refusal is about the client: a public one gets it where the server lets no public client revoke."""
    if response.status == 401:
        return True
    try:
        code = code_of(members(response.body))
    except ValueError:
        return response.status == 403 and not response.body
    return code == "invalid_client" or (code == "unauthorized_client" and response.status == 403)
