"""A machine with an API key, at a token API that is not OAuth: the profile describes the calls."""

from collections.abc import Iterator
from contextlib import contextmanager

from tokenctl.errors import LoginRequired, Refused, Unreachable, UsageError
from tokenctl.flows import clients
from tokenctl.flows.flow import API_KEY, Answer, Arrived, Flow, SignIn
from tokenctl.flows.sign_out import forget_hint, living_token
from tokenctl.model.profile import Profile
from tokenctl.model.renewal_job import RenewalJob
from tokenctl.model.session import Session
from tokenctl.model.token_api import Call, TokenApi
from tokenctl.oauth import json_api
from tokenctl.oauth.client_auth import Client
from tokenctl.oauth.metadata import Metadata
from tokenctl.oauth.wire import Request, Response
from tokenctl.runtime import Runtime
from tokenctl.storage.vault import Vault


def described(profile: Profile) -> TokenApi:
    """Return how the token API is called. Raises UsageError when the profile does not say it."""
    if profile.api is None:
        raise UsageError(
            f"profile {profile.name!r} does not say how its token API is called",
            hint=f"describe it in [profiles.{profile.name}.api.login]: url, body and access_token; see 'tokenctl help token-apis'",
        )
    return profile.api


@contextmanager
def sign_in(start: SignIn) -> Iterator[Arrived]:
    """Present the key. Raises UsageError when there is none."""
    profile, secret = start.profile, start.client.secret
    call = described(profile).login
    if not secret:
        raise UsageError(
            "the api-key flow needs an API key",
            hint=clients.secret_hint(profile, API_KEY),
        )
    request = json_api.request(call, _values(profile, secret), "signing in with the API key")
    tokens = json_api.parse(call, start.runtime.send(profile, request), "login")
    yield Arrived(tokens=tokens, client=start.client)


def check_renewable(job: RenewalJob) -> None:
    """Raise LoginRequired when the profile has come to name another endpoint than the one pinned at login."""
    _call(job)


def renewal_request(runtime: Runtime, job: RenewalJob, client: Client) -> Request:
    """Make the API's refresh call, or its login call once more."""
    call, _ = _call(job)
    return json_api.request(call, _values(job.profile, client.secret, job.session))


def read(job: RenewalJob, reply: Response, known: tuple[str, ...]) -> Answer:
    """Read the reply as the profile describes it."""
    call, what = _call(job)
    rotated = json_api.rotated(call, reply)
    try:
        return Answer(refresh_token=rotated, tokens=json_api.parse(call, reply, what))
    except (LoginRequired, Refused, Unreachable) as error:
        return Answer(refresh_token=rotated, tokens=error)


def revoke(runtime: Runtime, vault: Vault, session: Session) -> bool:
    """Make the API's revoke call, at the endpoint pinned at login; see `Flow.revoke`."""
    profile = vault.profile
    if not living_token(runtime, session):
        return False
    call = profile.api.revoke if profile.api else None
    if session.revocation_endpoint is None:
        raise Refused(
            f"{session.issuer} offers no revocation: nothing was revoked, the session is kept",
            hint=forget_hint(profile),
        )
    if call is None or call.url != session.revocation_endpoint:
        raise Refused(
            "the profile now names another endpoint to revoke at; the session is kept", hint=forget_hint(profile)
        )
    client = clients.of_vault(runtime, vault, session)
    values = _values(profile, client.secret, session)
    request = json_api.request(call, values, "signing out")
    known = tuple(each for name, each in values.items() if each and name != "username")
    reason = json_api.check_revoked(runtime.send(profile, request), (*known, *request.secrets))
    if reason is not None:
        raise Refused(f"the server did not revoke the session ({reason}); it is kept", hint=forget_hint(profile))
    return True


def _call(job: RenewalJob) -> tuple[Call, str]:
    """Choose the call that renews the session, and name it: `refresh` or `login`. Raises LoginRequired."""
    profile, session, api = job.profile, job.session, job.profile.api
    if api is None or (api.refresh or api.login).url != session.token_endpoint:
        raise LoginRequired(
            f"the session of {profile.name!r} is with {session.token_endpoint}, and the profile now says otherwise",
            hint=f"{profile.login_hint}, or undo the change; the session was not touched",
        )
    if api.refresh is not None and job.presents_refresh_token:
        return api.refresh, "refresh"
    if not api.is_at(session.issuer):
        raise LoginRequired(
            f"the profile {profile.name!r} now signs in at another server than {session.issuer}",
            hint=f"{profile.login_hint}, or undo the change; the API key was not sent",
        )
    return api.login, "login"


def _values(profile: Profile, secret: str | None, session: Session | None = None) -> dict[str, str | None]:
    """Say what the placeholders of the API's description stand for."""
    return {
        "api_key": secret,
        "password": secret,
        "username": profile.api.username if profile.api else None,
        "refresh_token": session.refresh_token if session else None,
        "access_token": session.access_token if session else None,
    }


def _clients(runtime: Runtime, profile: Profile, server: Metadata, secret: str | None) -> tuple[Client, ...]:
    return (Client(client_id=profile.client_id or "api-key", auth_method="api_key", secret=secret),)


FLOW = Flow(
    name="api-key",
    secret=API_KEY,
    by_machine=True,
    by_platform=False,
    needs_client_id=False,
    check_profile=described,
    narrows=False,
    begins_at=None,
    clients=_clients,
    sign_in=sign_in,
    check_renewable=check_renewable,
    renewal_request=renewal_request,
    read=read,
    revoke=revoke,
)
