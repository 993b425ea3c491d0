"""The refresh token grant (RFC 6749 section 6)."""

from tokenctl.oauth.client_auth import Client, request
from tokenctl.oauth.wire import Request


def refresh_request(endpoint: str, client: Client, refresh_token: str, resource: tuple[str, ...] = ()) -> Request:
    """Build the request. It names no scope: that means the scope granted at login, and never more."""
    return request(
        endpoint,
        client,
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
        *(("resource", each) for each in resource),
    )
