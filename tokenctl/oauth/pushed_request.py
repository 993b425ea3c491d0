"""Pushed authorization requests (RFC 9126): the client sends the parameters, the browser only gets a `request_uri`."""

from tokenctl.errors import Refused
from tokenctl.oauth.answers import members
from tokenctl.oauth.client_auth import Client, request
from tokenctl.oauth.error_response import raise_error
from tokenctl.oauth.wire import Request, Response, describe, overloaded, try_later


def pushed_request(endpoint: str, client: Client, parameters: tuple[tuple[str, str], ...]) -> Request:
    """Build the request (RFC 9126 section 2.1)."""
    form = (
        each
        for each in parameters
        if each[0] != "client_id" or client.auth_method in ("client_secret_basic", "client_secret_basic_raw", "api_key")
    )
    return request(endpoint, client, *form, purpose="beginning the sign-in")


def parse(response: Response, known: tuple[str, ...] = ()) -> str:
    """Read the response and return the `request_uri`; use it once (section 4). Raises Refused or Unreachable."""
    try:
        document = members(response.body)
    except ValueError as reason:
        if overloaded(response):
            raise try_later(response, "the pushed authorization endpoint") from None
        raise Refused(f"the pushed authorization endpoint answered {describe(response)}: {reason}") from None
    if document.get("error") or not response.succeeded:
        raise_error(document, response, known)
    if not isinstance(document.get("request_uri"), str) or not document["request_uri"]:
        raise Refused("the pushed authorization endpoint answered without request_uri")
    return str(document["request_uri"])
