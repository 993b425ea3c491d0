"""A machine in its own name: the client credentials grant (RFC 6749 section 4.4)."""

from collections.abc import Iterator
from contextlib import contextmanager

from tokenctl.errors import UsageError
from tokenctl.flows import authentication, clients, refreshing
from tokenctl.flows.flow import CLIENT_SECRET, Answer, Arrived, Flow, SignIn
from tokenctl.flows.sign_out import revoke_tokens
from tokenctl.model.renewal_job import RenewalJob
from tokenctl.oauth import error_response
from tokenctl.oauth.client_auth import Client
from tokenctl.oauth.client_credentials import client_credentials_request
from tokenctl.oauth.wire import Request, Response
from tokenctl.runtime import Runtime


@contextmanager
def sign_in(start: SignIn) -> Iterator[Arrived]:
    """Present the client's credentials. Raises UsageError when there are none."""
    profile = start.profile
    if start.client.auth_method == "none" and start.client.secret:
        raise UsageError(
            f'profile {profile.name!r} has token_endpoint_auth_method = "none", so that the client secret is not sent',
            hint="leave it out: the server's metadata says how the secret is sent",
        )
    if start.client.auth_method == "none":
        raise UsageError(
            "the client-credentials flow needs a client secret",
            hint=clients.secret_hint(profile, CLIENT_SECRET),
        )
    asked = (profile.scope, profile.resource, profile.audience)
    attempts = ((each, client_credentials_request(start.token_endpoint, each, *asked)) for each in start.clients)
    sent = authentication.send(start, attempts)
    yield Arrived(tokens=authentication.tokens(start, sent, presented=error_response.CLIENT), client=sent.client)


def renewal_request(runtime: Runtime, job: RenewalJob, client: Client) -> Request:
    """Present the refresh token if the server gave one, or the client's credentials once more."""
    if job.presents_refresh_token:
        return refreshing.refreshed(runtime, job, client)
    asked = job.asked
    return client_credentials_request(job.session.token_endpoint, client, asked.scope, asked.resource, asked.audience)


def read(job: RenewalJob, reply: Response, known: tuple[str, ...]) -> Answer:
    """Read the reply; what the server refuses may be the client's credentials."""
    return refreshing.read(job, reply, known, error_response.CLIENT)


def check_renewable(job: RenewalJob) -> None:
    """Let every session pass: the client's credentials can begin it again."""


FLOW = Flow(
    name="client-credentials",
    secret=CLIENT_SECRET,
    by_machine=True,
    by_platform=False,
    needs_client_id=True,
    check_profile=clients.check_profile,
    narrows=True,
    begins_at=None,
    clients=clients.by_metadata,
    sign_in=sign_in,
    check_renewable=check_renewable,
    renewal_request=renewal_request,
    read=read,
    revoke=revoke_tokens,
)
