"""Signing in on another screen: the device authorization grant (RFC 8628)."""

from collections.abc import Iterator
from contextlib import contextmanager

from tokenctl.errors import LoginRequired, Unreachable
from tokenctl.flows import clients, refreshing
from tokenctl.flows.flow import CLIENT_SECRET, Arrived, Flow, SignIn
from tokenctl.flows.sign_out import revoke_tokens
from tokenctl.oauth import device_code as grant
from tokenctl.oauth import token_response
from tokenctl.oauth.metadata import require_endpoint
from tokenctl.oauth.wire import overloaded


@contextmanager
def sign_in(start: SignIn) -> Iterator[Arrived]:
    """Show the code and the page, then poll until the person is done.

    Raises LoginRequired when the code or the deadline passes first, Refused when the person said no.
    """
    runtime, profile, server = start.runtime, start.profile, start.server
    endpoint = require_endpoint(server.device_authorization_endpoint, "device authorization endpoint", server.issuer)
    request = grant.device_request(endpoint, start.client, profile.scope, profile.resource, profile.audience)
    device = grant.parse_device(runtime.send(profile, request), (*start.client.secrets, *request.secrets))
    _show(start, device)
    ends = min(device.expires_at, runtime.now() + start.timeout)
    interval = device.interval
    while True:
        _wait(start, interval, ends)
        try:
            poll = grant.poll_request(start.token_endpoint, start.client, device.device_code, profile.resource)
            response = runtime.send(profile, poll)
        except Unreachable as error:
            # RFC 8628 section 3.5: a connection that fails means to poll less often, not to give up.
            runtime.terminal.detail(error.message)
            interval = min(interval * 2, grant.LONGEST_INTERVAL)
            continue
        pending = grant.pending(response)
        if pending is grant.Pending.SLOW_DOWN:
            interval += grant.SLOW_DOWN
        elif pending is None and overloaded(response):
            interval = max(min(interval * 2, grant.LONGEST_INTERVAL), response.retry_after or 0)
        elif pending is None:
            runtime.terminal.end_progress()
            known = (device.device_code, *start.client.secrets, *poll.secrets)
            yield Arrived(tokens=token_response.parse(response, known))
            return


def _show(start: SignIn, device: grant.DeviceAuthorization) -> None:
    terminal = start.runtime.terminal
    terminal.instruction(
        f"to sign in to {start.server.issuer} as {start.client.client_id}, open this address on any device:"
    )
    terminal.plain_line(device.verification_uri)
    terminal.instruction("and enter this code there:")
    terminal.plain_line("")
    terminal.plain_line(f"    {device.user_code}")
    terminal.plain_line("")
    if device.verification_uri_complete:
        terminal.instruction("or open the address with the code in it, and compare:")
        terminal.plain_line(device.verification_uri_complete)
    terminal.instruction("only go on if you started this sign-in yourself")


def _wait(start: SignIn, interval: int, ends: int) -> None:
    runtime, terminal = start.runtime, start.runtime.terminal
    for _ in range(interval):
        left = ends - runtime.now()
        if left <= 0:
            raise LoginRequired("nobody entered the code in time", hint="run the same command again")
        terminal.progress(f"tokenctl: waiting for the sign-in on the other screen, {left // 60}:{left % 60:02} left ")
        runtime.sleep(1)


FLOW = Flow(
    name="device",
    secret=CLIENT_SECRET,
    by_machine=False,
    by_platform=False,
    needs_client_id=True,
    narrows=True,
    client=clients.by_metadata,
    sign_in=sign_in,
    check_renewable=refreshing.check_refresh_token,
    renewal_request=refreshing.refreshed,
    read=refreshing.read,
    revoke=revoke_tokens,
)
