"""Signing in on another screen: the device authorization grant (RFC 8628)."""

from tokenctl.errors import LoginRequired, Unreachable
from tokenctl.flows.sign_in import Finish, Plan
from tokenctl.model.session import Session
from tokenctl.oauth import device_code as grant
from tokenctl.oauth import token_response
from tokenctl.oauth.metadata import need
from tokenctl.oauth.wire import overloaded


def run(plan: Plan, finish: Finish) -> Session:
    """Show the code and the page, then poll until the person is done.

    Raises LoginRequired when the code or the deadline passes first, Refused when the person said no.
    """
    runtime, profile, server = plan.runtime, plan.profile, plan.server
    endpoint = need(server.device_authorization_endpoint, "device authorization endpoint", server.issuer)
    request = grant.device_request(endpoint, plan.client, profile.scope, profile.resource, profile.audience)
    device = grant.parse_device(runtime.send(profile, request), (*plan.client.secrets, *request.secrets))
    _show(plan, device)
    ends = min(device.expires_at, runtime.now() + plan.timeout)
    interval = device.interval
    while True:
        _wait(plan, interval, ends)
        try:
            poll = grant.poll_request(plan.token_endpoint, plan.client, device.device_code, profile.resource)
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
            return finish(token_response.parse(response, (device.device_code, *plan.client.secrets, *poll.secrets)))


def _show(plan: Plan, device: grant.DeviceAuthorization) -> None:
    terminal = plan.runtime.terminal
    terminal.message(f"to sign in to {plan.server.issuer} as {plan.client.client_id}, open this address on any device:")
    terminal.alone(device.verification_uri)
    terminal.message("and enter this code there:")
    terminal.alone("")
    terminal.alone(f"    {device.user_code}")
    terminal.alone("")
    if device.verification_uri_complete:
        terminal.message("or open the address with the code in it, and compare:")
        terminal.alone(device.verification_uri_complete)
    terminal.message("only go on if you started this sign-in yourself")


def _wait(plan: Plan, interval: int, ends: int) -> None:
    runtime, terminal = plan.runtime, plan.runtime.terminal
    for _ in range(interval):
        left = ends - runtime.now()
        if left <= 0:
            raise LoginRequired("nobody entered the code in time", hint="run the same command again")
        terminal.progress(f"tokenctl: waiting for the sign-in on the other screen, {left // 60}:{left % 60:02} left ")
        runtime.sleep(1)
