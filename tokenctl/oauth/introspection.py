"""Token introspection (RFC 7662): ask the server about a token."""

from typing import Any

from tokenctl.errors import Refused
from tokenctl.oauth.client_auth import Client, request
from tokenctl.oauth.error_response import raise_error, redacted
from tokenctl.oauth.wire import JSON, Request, Response, describe, json_object, overloaded, try_later


def introspection_request(endpoint: str, client: Client, token: str, hint: str = "access_token") -> Request:
    """Build the request (RFC 7662 section 2.1)."""
    return request(endpoint, client, ("token", token), ("token_type_hint", hint), purpose="asking about the token")


def parse(response: Response, known: tuple[str, ...] = ()) -> JSON:
    """Read the introspection response; it has a boolean `active` (section 2.2).

    The response will be shown, and a server can put any text into it. So `known` secrets are removed from it.
    Raises Refused or Unreachable.
    """
    try:
        document = json_object(response.body)
    except ValueError as reason:
        if overloaded(response):
            raise try_later(response, "the introspection endpoint") from None
        raise Refused(f"the introspection endpoint answered {describe(response)}: {reason}") from None
    if response.status != 200:
        raise_error(document, response, known)
    if not isinstance(document.get("active"), bool):
        raise Refused("the introspection endpoint did not say whether the token is active")
    shown: JSON = _redacted_members(document, known)
    return shown


def _redacted_members(found: Any, known: tuple[str, ...]) -> Any:
    """Remove known secrets from every text of a JSON value, member names included."""
    if isinstance(found, str):
        return redacted(found, known)
    if isinstance(found, list):
        return [_redacted_members(each, known) for each in found]
    if isinstance(found, dict):
        return {redacted(name, known): _redacted_members(each, known) for name, each in found.items()}
    return found
