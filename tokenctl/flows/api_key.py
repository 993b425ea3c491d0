"""A machine with an API key, at a token API that is not OAuth: the profile describes the calls."""

from tokenctl.errors import UsageError
from tokenctl.flows.renewal import api_values
from tokenctl.flows.sign_in import Finish, Plan
from tokenctl.model.session import Session
from tokenctl.oauth import json_api


def run(plan: Plan, finish: Finish) -> Session:
    """Present the key. Raises UsageError when there is none, or the profile describes no API."""
    profile, secret = plan.profile, plan.client.secret
    if profile.api is None:
        raise UsageError(
            f"profile {profile.name!r} does not say how its token API is called",
            hint=f"describe it in [profiles.{profile.name}.api.login]: url, body and access_token; see the README",
        )
    if not secret:
        raise UsageError(
            "the api-key flow needs an API key",
            hint="pipe it in with --api-key-stdin, or set TOKENCTL_API_KEY or TOKENCTL_API_KEY_FILE",
        )
    request = json_api.request(profile.api.login, api_values(profile, secret))
    return finish(json_api.parse(profile.api.login, plan.runtime.send(profile, request), "login"))
