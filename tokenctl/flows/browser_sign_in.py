"""Signing in with a browser: authorization code, PKCE, and a redirect to this machine (RFC 8252)."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from queue import Empty, SimpleQueue
from urllib.parse import urlsplit, urlunsplit

from tokenctl.adapters import callback_page
from tokenctl.adapters.line_editor import addresses
from tokenctl.adapters.redirect_listener import FIXED_PORT, Callback, listening
from tokenctl.adapters.terminal import Terminal
from tokenctl.errors import LoginRequired, Refused, TokenctlError
from tokenctl.flows import authentication
from tokenctl.flows.flow import Arrived, SignIn
from tokenctl.model.profile import Profile
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
        _send_person(start, url, callback.redirect_uri)
        with _next_step():
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


@contextmanager
def _next_step() -> Iterator[None]:
    """Let an error of the sign-in name the next step that the browser's last page names."""
    step = callback_page.NEXT_STEP
    try:
        yield
    except TokenctlError as error:
        if isinstance(error, LoginRequired) and step not in (error.hint or ""):
            error.hint = step
        elif step not in (error.hint or ""):
            error.hint = f"{error.hint}; then {step}" if error.hint else step
        raise


def _authorization_url(start: SignIn, endpoint: str, attempt: grant.Attempt) -> tuple[str, tuple[Client, ...]]:
    """Build the address to open. Where the parameters are pushed, that shows which client authentication comes first."""
    profile, server, candidates = start.profile, start.server, start.clients
    audience = (("audience", profile.audience),) if profile.audience else ()
    parameters = grant.authorization_parameters(
        attempt, start.client.client_id, profile.scope, profile.resource, audience + profile.params
    )
    if server.require_pushed_authorization_requests:
        pushed = server.pushed_authorization_request_endpoint
        if pushed is None:
            raise Refused(
                f"{server.issuer} wants pushed authorization requests, and its metadata names no endpoint for them",
                hint="ask the server's operator to correct the metadata, or choose another --flow",
            )
        attempts = ((each, pushed_request.pushed_request(pushed, each, parameters)) for each in candidates)
        sent = authentication.send(start, attempts)
        candidates = preferred(candidates, sent.client)
        request_uri = pushed_request.parse(sent.response, (attempt.verifier, *sent.known))
        parameters = (("client_id", start.client.client_id), ("request_uri", request_uri))
    return grant.authorization_url(endpoint, parameters), candidates


def _send_person(start: SignIn, url: str, redirect_uri: str) -> None:
    terminal, profile = start.runtime.terminal, start.profile
    opens = start.runtime.browser.present and not start.no_browser
    terminal.instruction(
        "your browser opens to sign in; if it does not, open this address:"
        if opens
        else "to sign in, open this address:"
    )
    terminal.plain_line(url)
    if not opens and start.server.device_authorization_endpoint:
        terminal.instruction(
            f"or sign in with a short code on any device: {callback_page.NEXT_STEP} with --flow device"
        )
    terminal.instruction(_about_redirect(profile, redirect_uri))
    if opens:
        start.runtime.browser.open(url)


def _about_redirect(profile: Profile, redirect_uri: str) -> str:
    """Say what to register, and what to pass then: many servers want the redirect URI to the character.

    It has no line of its own: the address to open is the only one.
    """
    client = f"if the browser shows an error about the client, check the client ID {profile.client_id!r:.120}"
    if profile.port or urlsplit(profile.redirect_uri or "").port:
        return f"{client}; if about the redirect URI, register exactly this one there: {redirect_uri}"
    parts = urlsplit(redirect_uri)
    fixed = urlunsplit(parts._replace(netloc=parts.netloc.rpartition(":")[0] + f":{FIXED_PORT}"))
    return (
        f"{client}; if about the redirect URI, register {fixed} there,"
        f" and {callback_page.NEXT_STEP} with --port {FIXED_PORT}"
    )


def _wait(start: SignIn, callback: Callback) -> str:
    wait = _wait_for_either if start.runtime.terminal.attended else _wait_for_browser
    code = wait(start, callback)
    if code is None:
        said = callback.last_unproven
        refused = f"; the browser came back with an error: {said}" if said else ""
        raise LoginRequired(
            f"nobody signed in within {start.timeout} s{refused}",
            hint=f"{callback_page.NEXT_STEP}, with --timeout 15m if it takes longer",
        )
    return code


def _wait_for_browser(start: SignIn, callback: Callback) -> str | None:
    runtime, terminal = start.runtime, start.runtime.terminal
    ends, code = runtime.now() + start.timeout, None
    while code is None and (left := ends - runtime.now()) > 0:
        terminal.progress(f"tokenctl: waiting for the sign-in, {left // 60}:{left % 60:02} left ")
        code = callback.wait(min(1.0, left))
        _tell_unproven(terminal, callback)
    return code


def _wait_for_either(start: SignIn, callback: Callback) -> str | None:
    """Wait for the browser, or for the address that the person pastes; no line counts down where somebody types."""
    runtime, terminal = start.runtime, start.runtime.terminal
    ends, code, broken = runtime.now() + start.timeout, None, ""
    with terminal.lines() as typed:
        terminal.instruction(
            "browser on another machine? when it ends on a page that cannot be reached, paste that page's address here"
        )
        terminal.message(f"waiting for the sign-in, {start.timeout // 60}:{start.timeout % 60:02} at most")
        while code is None and (left := ends - runtime.now()) > 0:
            code = callback.wait(min(0.5, left))
            _tell_unproven(terminal, callback)
            if code is None and not typed.empty():
                broken = _offer(terminal, callback, broken, _lines_so_far(typed))
    return code


def _tell_unproven(terminal: Terminal, callback: Callback) -> None:
    for refusal in callback.unproven():
        terminal.warning(
            f"the browser came back with an error and without this sign-in's state: {refusal};"
            " nothing proves that the server sent it, so this goes on waiting (Ctrl-C ends it)"
        )


def _lines_so_far(typed: "SimpleQueue[str]") -> str:
    """Take the lines that came together: a paste of several lines can still be on its way."""
    lines = []
    with contextlib.suppress(Empty):
        while True:
            lines.append(typed.get(timeout=0.1))
    return "\n".join(lines)


def _offer(terminal: Terminal, callback: Callback, broken: str, typed: str) -> str:
    """Offer what was pasted as the callback, and return what was no callback: the rest of it can come later."""
    reason: Exception | None = None
    for forms in addresses(f"{broken}\n{typed}"):
        for form in forms:
            try:
                callback.offer(form)
            except (grant.UnexpectedCallback, ValueError) as refused:
                reason = refused
            else:
                return ""
        if forms[0] != broken:
            terminal.warning(f"that is not the address this sign-in ends on ({reason}); still waiting")
        broken = forms[0]
    return broken
