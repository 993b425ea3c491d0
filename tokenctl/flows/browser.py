"""Signing in with a browser: authorization code, PKCE, and a redirect to this machine (RFC 8252)."""

from functools import partial

from tokenctl.adapters.redirect_listener import Callback
from tokenctl.errors import LoginRequired
from tokenctl.flows.sign_in import Finish, Plan
from tokenctl.model.session import Session
from tokenctl.oauth import authorization_code as grant
from tokenctl.oauth import pushed_request, token_response
from tokenctl.oauth.metadata import need


def run(plan: Plan, finish: Finish) -> Session:
    """Open the browser, wait for the callback, exchange the code.

    The URL is always on stderr, alone on its line; pasting the address that the browser ended on does
    what the callback would have done. Raises LoginRequired when nobody signed in in time.
    """
    runtime, profile, server = plan.runtime, plan.profile, plan.server
    endpoint = need(server.authorization_endpoint, "authorization endpoint", server.issuer)
    began = runtime.now()
    with runtime.listening(profile.redirect_uri, profile.port) as callback:
        attempt = grant.begin(
            server.issuer,
            callback.redirect_uri,
            runtime.entropy(grant.ENTROPY),
            iss_required=server.authorization_response_iss_parameter_supported,
        )
        callback.accept = partial(grant.parse_callback, attempt)
        _send_person(plan, _authorization_url(plan, endpoint, attempt))
        code = _wait(plan, callback)
        runtime.terminal.detail("the callback came; exchanging the code")
        request = grant.code_request(plan.token_endpoint, plan.client, attempt, code, profile.resource)
        known = (code, attempt.verifier, *plan.client.secrets, *request.secrets)
        tokens = token_response.parse(runtime.send(profile, request), known)
        nonce = attempt.nonce if "openid" in (profile.scope or "").split() else None
        # What a person needed for it does not count: max_age is of the moment of the request.
        max_age = None if profile.max_age is None else profile.max_age + runtime.now() - began
        session = finish(tokens, nonce=nonce, max_age=max_age)
        callback.end(failed=False)
        return session


def _authorization_url(plan: Plan, endpoint: str, attempt: grant.Attempt) -> str:
    profile, server = plan.profile, plan.server
    audience = (("audience", profile.audience),) if profile.audience else ()
    parameters = grant.authorization_parameters(
        attempt, plan.client.client_id, profile.scope, profile.resource, audience + profile.params
    )
    if server.require_pushed_authorization_requests:
        pushed = need(server.pushed_authorization_request_endpoint, "pushed authorization endpoint", server.issuer)
        push = pushed_request.pushed_request(pushed, plan.client, parameters)
        answer = plan.runtime.send(profile, push)
        parameters = (
            ("client_id", plan.client.client_id),
            ("request_uri", pushed_request.parse(answer, (attempt.verifier, *plan.client.secrets, *push.secrets))),
        )
    return grant.authorization_url(endpoint, parameters)


def _send_person(plan: Plan, url: str) -> None:
    terminal = plan.runtime.terminal
    opens = plan.runtime.has_browser and not plan.no_browser
    terminal.message(
        "your browser opens to sign in; if it does not, open this address:"
        if opens
        else "to sign in, open this address:"
    )
    terminal.alone(url)
    if terminal.attended:
        terminal.message(
            "browser on another machine? when it ends on a page that cannot be reached, paste that page's address here"
        )
    if opens:
        plan.runtime.open_browser(url)


def _wait(plan: Plan, callback: Callback) -> str:
    runtime, terminal = plan.runtime, plan.runtime.terminal
    pasted = terminal.lines() if terminal.attended else None
    ends = runtime.now() + plan.timeout
    if pasted is not None:  # no line that counts down: it would wipe away what the person types
        terminal.message(f"waiting for the sign-in, {plan.timeout // 60}:{plan.timeout % 60:02} at most")
    while (left := ends - runtime.now()) > 0:
        if pasted is None:
            terminal.progress(f"tokenctl: waiting for the sign-in, {left // 60}:{left % 60:02} left ")
        code = callback.wait(min(1.0, left))
        if code is not None:
            terminal.end_progress()
            return code
        while pasted is not None and not pasted.empty():
            line = pasted.get().strip()
            if not line:
                continue
            try:
                callback.offer(line)
            except (grant.NotOurs, ValueError) as reason:
                terminal.warning(f"that is not the address this sign-in ends on ({reason}); still waiting")
    raise LoginRequired(
        f"nobody signed in within {plan.timeout} s",
        hint="run the same command again, with --timeout 15m if it takes longer",
    )
