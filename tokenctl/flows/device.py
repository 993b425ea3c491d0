"""Signing in on another screen: the row of the table. A renewal loads no polling; see `device_sign_in`."""

from contextlib import AbstractContextManager

from tokenctl.flows import clients, refreshing
from tokenctl.flows.flow import CLIENT_SECRET, Arrived, Flow, SignIn
from tokenctl.flows.sign_out import revoke_tokens


def sign_in(start: SignIn) -> AbstractContextManager[Arrived]:
    """Sign in; see `device_sign_in.sign_in`."""
    from tokenctl.flows.device_sign_in import sign_in

    return sign_in(start)


FLOW = Flow(
    name="device",
    secret=CLIENT_SECRET,
    by_machine=False,
    by_platform=False,
    needs_client_id=True,
    check_profile=clients.check_profile,
    narrows=True,
    begins_at="device_authorization_endpoint",
    clients=clients.by_metadata,
    sign_in=sign_in,
    check_renewable=refreshing.check_refresh_token,
    renewal_request=refreshing.refreshed,
    read=refreshing.read,
    revoke=revoke_tokens,
)
