"""A machine in its own name: the client credentials grant (RFC 6749 section 4.4)."""

from tokenctl.errors import UsageError
from tokenctl.flows.sign_in import Finish, Plan
from tokenctl.model.session import Session
from tokenctl.oauth import token_response
from tokenctl.oauth.client_credentials import client_credentials_request


def run(plan: Plan, finish: Finish) -> Session:
    """Present the client's credentials. Raises UsageError when there are none."""
    profile, client = plan.profile, plan.client
    if client.auth_method == "none":
        raise UsageError(
            "the client-credentials flow needs a client secret",
            hint="pipe it in with --client-secret-stdin, or set TOKENCTL_CLIENT_SECRET_FILE",
        )
    request = client_credentials_request(plan.token_endpoint, client, profile.scope, profile.resource, profile.audience)
    response = plan.runtime.send(profile, request)
    return finish(token_response.parse(response, (*client.secrets, *request.secrets), token_response.CLIENT))
