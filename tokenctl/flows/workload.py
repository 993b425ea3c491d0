"""A job with the identity its platform gives it, in one of three ways that the profile chooses; no secret is stored."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from tokenctl.errors import Refused, UsageError
from tokenctl.flows import authentication, clients, identities, refreshing
from tokenctl.flows.client_credentials import check_renewable
from tokenctl.flows.flow import CLIENT_SECRET, Answer, Arrived, Flow, SignIn
from tokenctl.flows.sign_out import revoke_tokens
from tokenctl.model.profile import Profile
from tokenctl.model.renewal_job import RenewalJob
from tokenctl.model.target import Target
from tokenctl.oauth import error_response
from tokenctl.oauth.client_auth import Client
from tokenctl.oauth.client_credentials import client_credentials_request
from tokenctl.oauth.jwt_bearer import bearer_request
from tokenctl.oauth.metadata import Metadata
from tokenctl.oauth.token_exchange import check_issued, exchange_request
from tokenctl.oauth.wire import Request, Response
from tokenctl.runtime import Runtime

HINTS = {
    "unsupported_grant_type": "the server does not take a job's identity in this way: try another identity_use",
    "unauthorized_client": "this client may not sign in with a job's identity: ask the server's operator",
}
"""Hints for this flow."""


@contextmanager
def sign_in(start: SignIn) -> Iterator[Arrived]:
    """Present the job's identity. Raises UsageError when it has none, Refused or Unreachable."""
    profile = start.profile
    asked = Target(scope=profile.scope, resource=profile.resource, audience=profile.audience)
    identity = clients.identity_token(start.runtime, profile)
    attempts = (
        (each, _identity_request(profile, start.token_endpoint, each, asked, identity)) for each in start.clients
    )
    sent = authentication.send(start, attempts)
    _check_kind(profile, sent.response)
    tokens = authentication.tokens(start, sent, presented=error_response.IDENTITY, hints=HINTS)
    yield Arrived(tokens=tokens, client=sent.client, identity_token=identity)


def renewal_request(runtime: Runtime, job: RenewalJob, client: Client) -> Request:
    """Present the refresh token if the server gave one, or the job's identity once more.

    Raises LoginRequired when the identity is another job's than the session's.
    """
    if job.presents_refresh_token:
        return refreshing.refreshed(runtime, job, client)
    identity = clients.identity_token(runtime, job.profile)
    identities.check_token(runtime, job.profile, job.session, identity)
    return _identity_request(job.profile, job.session.token_endpoint, client, job.asked, identity)


def read(job: RenewalJob, reply: Response, known: tuple[str, ...]) -> Answer:
    """Read the reply; what the server refuses may be the job's identity."""
    answer = refreshing.read(job, reply, known, error_response.IDENTITY)
    if job.presents_refresh_token:
        return answer
    try:
        _check_kind(job.profile, reply)
    except Refused as error:
        return Answer(refresh_token=None, tokens=error)  # none of it is what was asked for, and nothing was rotated
    return answer


def _identity_request(profile: Profile, endpoint: str, client: Client, asked: Target, identity: str) -> Request:
    """Build the request that presents the job's identity, in the way that the profile says."""
    match profile.identity_use:
        case "client-assertion":
            client = replace(client, make_assertion=lambda: identity)
            return client_credentials_request(endpoint, client, asked.scope, asked.resource, asked.audience)
        case "jwt-bearer":
            return bearer_request(endpoint, client, identity, asked.scope, asked.resource)
        case "token-exchange":
            return exchange_request(
                endpoint, client, identity, scope=asked.scope, resource=asked.resource, audience=asked.audience
            )
        case unknown:
            raise UsageError(f"this tokenctl knows no identity_use {unknown!r:.40}")


def _check_kind(profile: Profile, response: Response) -> None:
    if profile.identity_use == "token-exchange":
        check_issued(response)


def _clients(runtime: Runtime, profile: Profile, server: Metadata, secret: str | None) -> tuple[Client, ...]:
    if (
        secret and profile.identity_use != "client-assertion"
    ):  # some servers want both: whose job it is, and which client
        return clients.by_metadata(runtime, profile, server, secret)
    return (clients.of_workload(runtime, profile, profile.client_id or ""),)


FLOW = Flow(
    name="workload",
    secret=CLIENT_SECRET,
    by_machine=True,
    by_platform=True,
    needs_client_id=True,
    check_profile=clients.check_profile,
    narrows=True,
    begins_at=None,
    clients=_clients,
    sign_in=sign_in,
    check_renewable=check_renewable,
    renewal_request=renewal_request,
    read=read,
    revoke=revoke_tokens,
)
