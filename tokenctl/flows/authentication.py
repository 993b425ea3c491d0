"""Finding out at a sign-in which client authentication the server takes: the request is sent with one after the other.

An answer that refuses the client says that the server did not look at the rest of the request, so that the same code can
be presented once more. Every other answer ends the tries. The session keeps the method that worked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tokenctl.errors import LoginRequired, Refused
from tokenctl.flows.flow import SignIn
from tokenctl.oauth import token_response
from tokenctl.oauth.client_auth import Client
from tokenctl.oauth.client_refusals import names_client, refuses_client, said
from tokenctl.oauth.error_response import Credentials
from tokenctl.oauth.token_response import TokenSet
from tokenctl.oauth.wire import Request, Response

Attempts = Iterable[tuple[Client, Request]]
"""The same request for each client authentication that may be tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request that was answered, as the client that the server accepted; `refused` maps the methods before to the answers.

    `known` lists secrets that no message may hold.
    """

    client: Client
    response: Response
    refused: Mapping[str, str]
    known: tuple[str, ...] = field(repr=False)


def send(start: SignIn, attempts: Attempts) -> Sent:
    """Send the request with one client authentication after the other until the server accepts one.

    Raises Refused when it accepts none, or Unreachable. The error has no code where nothing but a status refuses the
    client: the answers can be those of a proxy or a captive portal. Where a job's platform speaks for the client, the
    refusal is returned: the flow says more about it.
    """
    runtime, profile = start.runtime, start.profile
    known: tuple[str, ...] = tuple(secret for each in start.clients for secret in each.secrets)
    refusals: dict[str, str] = {}
    in_words = False
    for client, request in attempts:
        response, known = runtime.send(profile, request), (*known, *request.secrets)
        if not refuses_client(response) or _by_platform(start, client):
            return Sent(client=client, response=response, refused=refusals, known=known)
        refusals[client.auth_method] = said(response, known)
        in_words = in_words or names_client(response)
        runtime.terminal.detail(f"the server does not accept {client.auth_method}: {refusals[client.auth_method]}")
    refused = _refused(start, refusals)
    refused.error = "invalid_client" if in_words else None
    raise refused


def send_as(start: SignIn, client: Client, request: Request) -> Sent:
    """Send the request as one client, whatever the server answers. Raises Unreachable."""
    response = start.runtime.send(start.profile, request)
    return Sent(
        client=client,
        response=response,
        refused={},
        known=(*client.secrets, *request.secrets),
    )


def tokens(
    start: SignIn,
    sent: Sent,
    secrets: tuple[str, ...] = (),
    presented: Credentials | None = None,
    hints: Mapping[str, str] = {},
) -> TokenSet:
    """Read the token response; see `token_response.parse`. `secrets` are those of the grant."""
    known = (*secrets, *sent.known)
    try:
        return token_response.parse(sent.response, known, presented, hints)
    except Refused:
        if refuses_client(sent.response) and not _by_platform(start, sent.client):
            raise _refused(start, {sent.client.auth_method: said(sent.response, known)}) from None
        raise
    except LoginRequired:
        if sent.refused:
            raise _used_up(start, sent) from None
        raise


def _by_platform(start: SignIn, client: Client) -> bool:
    return start.flow.by_platform and not client.secret


def _refused(start: SignIn, refusals: Mapping[str, str]) -> Refused:
    """Make the error for a client that the server does not accept; `refusals` maps each method tried to the answer."""
    if "none" in refusals and start.client.auth_method == "none":
        return _without_secret(start, refusals)
    answers = set(refusals.values())
    tried = ", ".join(refusals)
    words = f"{answers.pop()} (tried {tried})" if len(answers) == 1 else "; ".join(map(": ".join, refusals.items()))
    named = start.profile.auth_method is not None
    return Refused(
        f"the server does not accept the client's credentials: {words}",
        hint=f"check client_id and the client secret{', and token_endpoint_auth_method in the profile' if named else ''};"
        " a client that is registered as public has no secret"
        f"{_may_not(refusals)}",
        error="invalid_client",
    )


def _used_up(start: SignIn, sent: Sent) -> Refused:
    """Make the error for a code that was used up by the try that refused the client: some servers look at it first."""
    error = _refused(start, sent.refused)
    error.hint = (
        "check client_id and the client secret; if both are right, the server takes a code only once: set"
        f' token_endpoint_auth_method = "{sent.client.auth_method}" in the profile, and sign in again'
    )
    return error


def _without_secret(start: SignIn, refusals: Mapping[str, str]) -> Refused:
    listed = start.server.token_endpoint_auth_methods_supported
    wants = "" if listed is None or "none" in listed else ", and it lists no client that has none"
    given = start.client.secret is not None
    kind = start.flow.secret
    how = (
        'the profile says token_endpoint_auth_method = "none": leave it out, so that the secret is sent'
        if given
        else f"if this client has a secret, pipe it in with {kind.option}; if it has none, check client_id"
    )
    return Refused(
        f"the server does not accept client {start.client.client_id!r:.80} without a {kind.name}{wants}: {refusals['none']}",
        hint=how + _may_not(refusals),
        error="invalid_client",
    )


def _may_not(refusals: Mapping[str, str]) -> str:
    # With this code alone nobody knows which of the two it is.
    if "unauthorized_client" not in refusals.values():
        return ""
    return "; if that is right, the server does not let this client use this flow: choose another --flow"
