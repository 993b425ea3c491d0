"""The refresh token grant (RFC 6749 section 6)."""

from tokenctl.oauth.client_auth import Client, request
from tokenctl.oauth.wire import Request


def refresh_request(
    endpoint: str, client: Client, refresh_token: str, resource: tuple[str, ...] = (), scope: str | None = None
) -> Request:
    """Build the token request. Without `scope` the server keeps the granted scope; `scope` can only ask for less."""
    return request(
        endpoint,
        client,
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
        *((("scope", scope),) if scope else ()),
        *(("resource", each) for each in resource),
    )
