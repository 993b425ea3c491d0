"""Signing in on another screen: the device authorization grant (RFC 8628)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from tokenctl.errors import LoginRequired, Refused, Unreachable
from tokenctl.flows import authentication
from tokenctl.flows.flow import Arrived, SignIn
from tokenctl.oauth import device_code as grant
from tokenctl.oauth.client_auth import Client, preferred
from tokenctl.oauth.metadata import require_endpoint
from tokenctl.oauth.wire import describe


@contextmanager
def sign_in(start: SignIn) -> Iterator[Arrived]:
    """Show the code and the page, then poll until the person is done.

    Raises LoginRequired when the code or the deadline passes first, Refused when the person said no.
    """
    runtime, server = start.runtime, start.server
    endpoint = require_endpoint(server.device_authorization_endpoint, "device authorization endpoint", server.issuer)
    device, candidates = _begin(start, endpoint)
    _show(start, device)
    with runtime.terminal.progressing():
        sent = _final_answer(start, device, candidates)
    yield Arrived(tokens=authentication.tokens(start, sent, (device.device_code,)), client=sent.client)


def _final_answer(
    start: SignIn, device: grant.DeviceAuthorization, candidates: tuple[Client, ...]
) -> authentication.Sent:
    """Poll as one of the clients until the server's answer is final, and return the poll with that answer.

    A connection that breaks, a page or a redirect of a captive portal, and a server that fails mean to poll less often
    (RFC 8628 section 3.5), and not to give up.
    """
    runtime = start.runtime
    ends, interval, problem = min(device.expires_at, runtime.now() + start.timeout), device.interval, ""
    while True:
        _wait(start, interval, ends, problem)
        try:
            sent = _poll(start, candidates, device)
        except (Unreachable, Refused) as error:
            if isinstance(error, Refused) and error.error is not None:
                raise  # the server's own word, and not a redirect
            problem, interval = error.message, grant.after_no_answer(interval)
            runtime.terminal.detail(problem)
            continue
        response = sent.response
        pending, problem = grant.pending(response), ""
        if pending is None:
            return sent
        if pending is grant.Pending.NO_ANSWER:
            problem = f"the token endpoint answered {describe(response)}"
            interval = grant.after_no_answer(interval, response.retry_after)
            runtime.terminal.detail(problem)
            continue
        candidates = (sent.client,)  # the server knows the client now
        if pending is grant.Pending.SLOW_DOWN:
            interval = grant.after_slow_down(interval, response)


def _begin(start: SignIn, endpoint: str) -> tuple[grant.DeviceAuthorization, tuple[Client, ...]]:
    """Ask for a code, and return it with the clients to poll as, the one that the server accepted first.

    Some servers want no secret here and do not allow one (RFC 8628 section 3.1), so the client_id alone is tried last.
    """
    asked = (start.profile.scope, start.profile.resource, start.profile.audience)
    public = replace(start.client, auth_method="none", make_assertion=None)
    candidates = start.clients if start.client.auth_method == "none" else (*start.clients, public)
    attempts = ((each, grant.device_request(endpoint, each, *asked)) for each in candidates)
    sent = authentication.send(start, attempts)
    return grant.parse_device(sent.response, sent.known), preferred(start.clients, sent.client)


def _poll(start: SignIn, candidates: tuple[Client, ...], device: grant.DeviceAuthorization) -> authentication.Sent:
    """Poll once. As long as no client authentication was accepted, the others are tried at once."""
    asked = (device.device_code, start.profile.resource)
    polls = ((each, grant.poll_request(start.token_endpoint, each, *asked)) for each in candidates)
    return authentication.send(start, polls) if len(candidates) > 1 else authentication.send_as(start, *next(polls))


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


def _wait(start: SignIn, interval: int, ends: int, problem: str) -> None:
    """Wait before a poll. `problem` is what went wrong with the one before. Raises LoginRequired at the deadline."""
    runtime, terminal = start.runtime, start.runtime.terminal
    for _ in range(interval):
        left = ends - runtime.now()
        if left <= 0:
            last = f"; at last, {problem}" if problem else ""
            raise LoginRequired(f"nobody entered the code in time{last}", hint="run the same command again")
        terminal.progress(f"tokenctl: waiting for the sign-in on the other screen, {left // 60}:{left % 60:02} left ")
        runtime.sleep(1)
