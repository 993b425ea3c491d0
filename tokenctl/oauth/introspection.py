"""Token introspection (RFC 7662): what the server itself says of a token."""

from typing import Any

from tokenctl.errors import Refused
from tokenctl.oauth.client_auth import Client, request
from tokenctl.oauth.token_response import redacted, refuse
from tokenctl.oauth.wire import JSON, Request, Response, describe, json_object, overloaded, try_later


def introspection_request(endpoint: str, client: Client, token: str, hint: str = "access_token") -> Request:
    """Build the request (RFC 7662 section 2.1)."""
    return request(endpoint, client, ("token", token), ("token_type_hint", hint))


def parse(response: Response, known: tuple[str, ...] = ()) -> JSON:
    """Read the answer; it has a boolean `active` (section 2.2).

    It is there to be shown, and a server may put anything into it: `known` secrets are taken out. Raises
    Refused or Unreachable.
    """
    try:
        document = json_object(response.body)
    except ValueError as reason:
        if overloaded(response):
            raise try_later(response, "the introspection endpoint") from None
        raise Refused(f"the introspection endpoint answered {describe(response)}: {reason}") from None
    if response.status != 200:
        refuse(document, response, known)
    if not isinstance(document.get("active"), bool):
        raise Refused("the introspection endpoint did not say whether the token is active")
    shown: JSON = _without(document, known)
    return shown


def _without(found: Any, known: tuple[str, ...]) -> Any:
    """Take known secrets out of every text in it, the names of members included."""
    if isinstance(found, str):
        return redacted(found, known)
    if isinstance(found, list):
        return [_without(each, known) for each in found]
    if isinstance(found, dict):
        return {redacted(name, known): _without(each, known) for name, each in found.items()}
    return found
