"""A job with the identity its platform gives it, in one of three ways that the profile chooses; no secret is stored."""

from tokenctl.flows.renewal import workload_request
from tokenctl.flows.sign_in import Finish, Plan
from tokenctl.model.session import Session
from tokenctl.oauth import token_response
from tokenctl.oauth.token_exchange import check_issued

HINTS = {
    "unsupported_grant_type": "the server does not take a job's identity in this way: try another identity_use",
    "unauthorized_client": "this client may not sign in with a job's identity: ask who runs the server",
}
"""What to do next where another flow is no way out."""


def run(plan: Plan, finish: Finish) -> Session:
    """Present the job's identity. Raises UsageError when it has none, Refused or Unreachable."""
    profile = plan.profile
    request = workload_request(plan.runtime, profile, plan.token_endpoint, plan.client, profile.resource)
    response = plan.runtime.send(profile, request)
    if profile.identity_use == "token-exchange":
        check_issued(response)
    return finish(token_response.parse(response, request.secrets, token_response.IDENTITY, HINTS))
