"""What the OAuth flows share when a session goes on: the refresh token grant, and reading the token endpoint's reply."""

from tokenctl.errors import LoginRequired, Refused, Unreachable
from tokenctl.flows.flow import Answer
from tokenctl.model.renewal_job import RenewalJob
from tokenctl.oauth import token_response
from tokenctl.oauth.client_auth import WORKLOAD, Client
from tokenctl.oauth.client_refusals import refuses_client
from tokenctl.oauth.error_response import CLIENT, Credentials
from tokenctl.oauth.refresh_token import refresh_request
from tokenctl.oauth.wire import Request, Response, describe
from tokenctl.runtime import Runtime


def check_refresh_token(job: RenewalJob) -> None:
    """Find out whether a person's session can be renewed: only a refresh token can. Raises LoginRequired."""
    if job.session.refresh_token is None:
        raise LoginRequired(
            f"the access token of {job.profile.name!r} is used up, and the server gave no refresh token",
            hint=f"{job.profile.login_hint}; many servers give one only for the scope offline_access",
        )


def refreshed(runtime: Runtime, job: RenewalJob, client: Client) -> Request:
    """Build the refresh request (RFC 6749 section 6): for the scope granted at login, or for the job's target."""
    session, target = job.session, job.target
    resource = session.resource if target is None else target.resource
    scope = None if target is None else target.scope
    return refresh_request(session.token_endpoint, client, session.refresh_token or "", resource, scope)


def read(job: RenewalJob, reply: Response, known: tuple[str, ...], own: Credentials | None = None) -> Answer:
    """Read the token endpoint's reply. `own` are the machine's credentials, where the job presented those.

    `known` lists secrets that no message may hold.
    """
    presented = None if job.presents_refresh_token else own
    rotated = token_response.rotated(reply)
    try:
        return Answer(refresh_token=rotated, tokens=token_response.parse(reply, known, presented))
    except Refused as error:
        return Answer(refresh_token=rotated, tokens=_explained(error, job, reply))
    except (LoginRequired, Unreachable) as error:
        return Answer(refresh_token=rotated, tokens=error)


def _explained(error: Refused, job: RenewalJob, reply: Response) -> Refused:
    """Say that the client's credentials were refused where the server said it without a code, such as by 403 alone."""
    with_secret = job.session.token_endpoint_auth_method not in ("none", WORKLOAD)
    if error.error is not None or not with_secret or not refuses_client(reply):
        return error
    if job.presents_refresh_token:  # it may be the refresh token as well
        return Refused(error.message, hint=error.hint or CLIENT.hint)
    return Refused(f"the server does not accept {CLIENT.name} ({describe(reply)})", hint=CLIENT.hint)
