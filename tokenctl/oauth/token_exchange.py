"""Token exchange (RFC 8693): somebody else's token for one of this server's."""

from tokenctl.errors import Refused
from tokenctl.oauth.client_auth import Client, request
from tokenctl.oauth.wire import Request, Response, json_object

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
JWT = "urn:ietf:params:oauth:token-type:jwt"
HINTS = {
    "unsupported_grant_type": "the server offers no token exchange (RFC 8693), and --audience needs it; "
    "--scope and --resource do without, unless the profile's narrow_by says otherwise",
    "unauthorized_client": "this client may not exchange tokens (RFC 8693): ask who runs the server",
    "invalid_target": "the server does not know this --audience or --resource",
}
"""What to do when a person asked for a narrower token and the server refused the exchange."""


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
    """Build the request (section 2.1): an access token is asked for."""
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
    """Check that a successful answer brings what was asked for, and says so (section 2.2.1). Raises Refused.

    A JWT is not good enough: that type is for tokens of any use, and its issuer did not say that it is an
    access token.
    """
    if response.status != 200:
        return  # the token response's parser says what an error means
    try:
        issued = json_object(response.body).get("issued_token_type")
    except ValueError:
        return
    if issued != ACCESS_TOKEN:
        named = f"{issued!r:.80}" if isinstance(issued, str) and issued.startswith("urn:") else "no or another kind"
        raise Refused(
            f"the server issued {named} where {ACCESS_TOKEN!r} was asked for (issued_token_type)",
            hint="ask who runs the server for an exchange that issues access tokens",
        )
