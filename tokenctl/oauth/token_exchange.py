"""Token exchange (RFC 8693): exchange a subject token for an access token of this server."""

from tokenctl.errors import Refused
from tokenctl.oauth.answers import members
from tokenctl.oauth.client_auth import Client, request
from tokenctl.oauth.wire import Request, Response

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
JWT = "urn:ietf:params:oauth:token-type:jwt"
HINTS = {
    "unsupported_grant_type": "the server offers no token exchange (RFC 8693), and --audience needs it; "
    '--scope and --resource need it only with narrow_by = "token-exchange" in the profile',
    "unauthorized_client": "the server does not let this client exchange tokens (RFC 8693): ask the server's operator",
    "invalid_target": "the server does not know this --audience or --resource",
}
"""Error code -> hint, for when the server refuses to exchange a token for a narrower one."""


def exchange_request(
    endpoint: str,
    client: Client,
    subject_token: str,
    subject_token_type: str = JWT,
    *,
    scope: str | None = None,
    resource: tuple[str, ...] = (),
    audience: str | None = None,
) -> Request:
    """Build the token request (section 2.1). It asks for an access token."""
    return request(
        endpoint,
        client,
        ("grant_type", GRANT),
        ("subject_token", subject_token),
        ("subject_token_type", subject_token_type),
        ("requested_token_type", ACCESS_TOKEN),
        *((("scope", scope),) if scope else ()),
        *(("resource", each) for each in resource),
        *((("audience", audience),) if audience else ()),
    )


def check_issued(response: Response) -> None:
    """Check that a successful token response has an access token: `issued_token_type`, section 2.2.1. Raises Refused.

    The type `jwt` is refused: it does not say that the token is an access token.
    """
    try:
        document = members(response.body)
    except ValueError:
        return
    if not response.succeeded or not document.get("access_token"):
        return  # token_response.parse reads errors, with every status
    issued = document.get("issued_token_type")
    if issued != ACCESS_TOKEN:
        named = f"{issued!r:.80}" if isinstance(issued, str) and issued.startswith("urn:") else "no or another kind"
        raise Refused(
            f"the server issued {named} where {ACCESS_TOKEN!r} was asked for (issued_token_type)",
            hint="ask the server's operator for a token exchange that issues access tokens",
        )
