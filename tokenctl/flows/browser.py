"""Signing in with a browser: authorization code, PKCE, and a redirect to this machine (RFC 8252)."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tokenctl.adapters.redirect_listener import Callback, listening
from tokenctl.errors import LoginRequired
from tokenctl.flows import authentication, clients, refreshing
from tokenctl.flows.flow import CLIENT_SECRET, Arrived, Flow, SignIn
from tokenctl.flows.sign_out import revoke_tokens
from tokenctl.oauth import authorization_code as grant
from tokenctl.oauth import pushed_request
from tokenctl.oauth.client_auth import Client, preferred
from tokenctl.oauth.metadata import require_endpoint


@contextmanager
def sign_in(start: SignIn) -> Iterator[Arrived]:
    """Open the browser, wait for the callback, exchange the code.

    The URL is always on stderr, alone on its line; pasting the address that the browser ended on does
    what the callback would have done. Raises LoginRequired when nobody signed in in time.
    """
    runtime, profile, server = start.runtime, start.profile, start.server
    endpoint = require_endpoint(server.authorization_endpoint, "authorization endpoint", server.issuer)
    began = runtime.now()
    with listening(profile.redirect_uri, profile.port) as callback:
        attempt = grant.begin(
            server.issuer,
            callback.redirect_uri,
            runtime.entropy(grant.ENTROPY),
            iss_required=server.authorization_response_iss_parameter_supported,
        )
        callback.accept = partial(grant.parse_callback, attempt)
        url, candidates = _authorization_url(start, endpoint, attempt)
        _send_person(start, url)
        with runtime.terminal.progressing():
            code = _wait(start, callback)
        runtime.terminal.detail("the callback came; exchanging the code")
        asked = (attempt, code, profile.resource)
        attempts = ((each, grant.code_request(start.token_endpoint, each, *asked)) for each in candidates)
        sent = authentication.send(start, attempts)
        tokens = authentication.tokens(start, sent, (code, attempt.verifier))
        nonce = attempt.nonce if "openid" in (profile.scope or "").split() else None
        # max_age counts from the request, so the time that the person needed is added.
        max_age = None if profile.max_age is None else profile.max_age + runtime.now() - began
        yield Arrived(tokens=tokens, client=sent.client, nonce=nonce, max_age=max_age)
        callback.end(failed=False)


def _authorization_url(start: SignIn, endpoint: str, attempt: grant.Attempt) -> tuple[str, tuple[Client, ...]]:
    """Build the address to open. Where the parameters are pushed, that shows which client authentication comes first."""
    profile, server, candidates = start.profile, start.server, start.clients
    audience = (("audience", profile.audience),) if profile.audience else ()
    parameters = grant.authorization_parameters(
        attempt, start.client.client_id, profile.scope, profile.resource, audience + profile.params
    )
    if server.require_pushed_authorization_requests:
        pushed = require_endpoint(
            server.pushed_authorization_request_endpoint, "pushed authorization endpoint", server.issuer
        )
        attempts = ((each, pushed_request.pushed_request(pushed, each, parameters)) for each in candidates)
        sent = authentication.send(start, attempts)
        candidates = preferred(candidates, sent.client)
        request_uri = pushed_request.parse(sent.response, (attempt.verifier, *sent.known))
        parameters = (("client_id", start.client.client_id), ("request_uri", request_uri))
    return grant.authorization_url(endpoint, parameters), candidates


def _send_person(start: SignIn, url: str) -> None:
    terminal = start.runtime.terminal
    opens = start.runtime.browser.present and not start.no_browser
    terminal.instruction(
        "your browser opens to sign in; if it does not, open this address:"
        if opens
        else "to sign in, open this address:"
    )
    terminal.plain_line(url)
    if terminal.attended:
        terminal.instruction(
            "browser on another machine? when it ends on a page that cannot be reached, paste that page's address here"
        )
    if opens:
        start.runtime.browser.open(url)


def _wait(start: SignIn, callback: Callback) -> str:
    runtime, terminal = start.runtime, start.runtime.terminal
    pasted = terminal.lines() if terminal.attended else None
    ends, refused = runtime.now() + start.timeout, ""
    if pasted is not None:  # no line that counts down: it would wipe away what the person types
        terminal.message(f"waiting for the sign-in, {start.timeout // 60}:{start.timeout % 60:02} at most")
    while (left := ends - runtime.now()) > 0:
        if pasted is None:
            terminal.progress(f"tokenctl: waiting for the sign-in, {left // 60}:{left % 60:02} left ")
        code = callback.wait(min(1.0, left))
        if code is not None:
            return code
        for refusal in callback.unproven():
            refused = f"; the browser came back with an error: {refusal}"
            terminal.warning(
                f"the browser came back with an error and without this sign-in's state: {refusal};"
                " nothing proves that the server sent it, so this goes on waiting (Ctrl-C ends it)"
            )
        while pasted is not None and not pasted.empty():
            line = pasted.get().strip()
            if not line:
                continue
            try:
                callback.offer(line)
            except (grant.UnexpectedCallback, ValueError) as reason:
                terminal.warning(f"that is not the address this sign-in ends on ({reason}); still waiting")
    raise LoginRequired(
        f"nobody signed in within {start.timeout} s{refused}",
        hint="run the same command again, with --timeout 15m if it takes longer",
    )


FLOW = Flow(
    name="browser",
    secret=CLIENT_SECRET,
    by_machine=False,
    by_platform=False,
    needs_client_id=True,
    narrows=True,
    begins_at="authorization_endpoint",
    clients=clients.by_metadata,
    sign_in=sign_in,
    check_renewable=refreshing.check_refresh_token,
    renewal_request=refreshing.refreshed,
    read=refreshing.read,
    revoke=revoke_tokens,
)
