"""The authorization code grant (RFC 6749 section 4.1) with PKCE, `state`, `nonce` and `iss` (RFC 9207)."""

from dataclasses import dataclass, field
from hmac import compare_digest

from tokenctl.errors import Refused, UsageError
from tokenctl.oauth.client_auth import Client, request
from tokenctl.oauth.pkce import challenge, unreserved
from tokenctl.oauth.wire import Request, with_query

ENTROPY = 96
"""Random bytes that one attempt takes: 32 each for verifier, state and nonce."""

OURS = frozenset(
    (
        *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "response_mode", "resource"),
        *("code_challenge", "code_challenge_method", "request", "request_uri", "client_secret"),
    )
)
"""Parameters that `--param` may not set: they carry the protections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One sign-in that is under way: what is expected back, and by whom."""

    issuer: str
    redirect_uri: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    iss_required: bool


def begin(issuer: str, redirect_uri: str, entropy: bytes, *, iss_required: bool) -> Attempt:
    """Start an attempt from `ENTROPY` random bytes."""
    if len(entropy) != ENTROPY:
        raise ValueError("an attempt takes exactly 96 random bytes")
    return Attempt(
        issuer=issuer,
        redirect_uri=redirect_uri,
        verifier=unreserved(entropy[:32]),
        state=unreserved(entropy[32:64]),
        nonce=unreserved(entropy[64:]),
        iss_required=iss_required,
    )


def authorization_parameters(
    attempt: Attempt,
    client_id: str,
    scope: str | None,
    resource: tuple[str, ...] = (),
    extra: tuple[tuple[str, str], ...] = (),
) -> tuple[tuple[str, str], ...]:
    """List the authorization request's parameters (RFC 6749 section 4.1.1, RFC 7636 section 4.3).

    `offline_access` needs `prompt=consent` (OpenID Connect Core section 11): it is added unless
    `extra` says otherwise; an empty value there leaves a parameter out. Raises UsageError when
    `extra` names a parameter of ours.
    """
    taken = OURS.intersection(name for name, _ in extra)
    if taken:
        raise UsageError(f"--param may not set {', '.join(sorted(taken))}", hint="tokenctl sets it itself")
    scopes = (scope or "").split()
    added = dict(extra)
    if "offline_access" in scopes:
        added.setdefault("prompt", "consent")
    return (
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", attempt.redirect_uri),
        *((("scope", scope),) if scope else ()),
        ("state", attempt.state),
        *((("nonce", attempt.nonce),) if "openid" in scopes else ()),
        ("code_challenge", challenge(attempt.verifier)),
        ("code_challenge_method", "S256"),
        *(("resource", each) for each in resource),
        *((name, value) for name, value in added.items() if value),
    )


def authorization_url(endpoint: str, parameters: tuple[tuple[str, str], ...]) -> str:
    """Build the URL the person opens."""
    return with_query(endpoint, parameters)


class NotOurs(Exception):
    """A callback that belongs to no attempt of ours: answer it with an error page and go on waiting."""


def parse_callback(attempt: Attempt, parameters: dict[str, str]) -> str:
    """Check the parameters of a callback and return the code (RFC 6749 section 4.1.2).

    Raises NotOurs when `state` is absent or another's: anybody on this machine can send that, so it
    decides nothing. With the right state an error, or an `iss` that is not our issuer's (RFC 9207
    section 2.4), is final: Refused.
    """
    if not compare_digest(parameters.get("state", "").encode(), attempt.state.encode()):
        raise NotOurs("it is of another sign-in, or not whole")
    iss = parameters.get("iss")
    if (iss is None and attempt.iss_required) or (iss is not None and iss != attempt.issuer):
        raise Refused(
            f"the answer came from issuer {iss!r:.200}, and the sign-in was at {attempt.issuer}",
            hint="nothing was sent on; if you did not start two sign-ins, report this to who runs the server",
        )
    if "error" in parameters:
        text = parameters.get("error_description")
        raise Refused(
            f"the sign-in was refused: {parameters['error']:.100}" + (f": {text:.300}" if text else ""),
            error=parameters["error"],
        )
    if not parameters.get("code"):
        raise NotOurs("there is no code")
    return parameters["code"]


def code_request(endpoint: str, client: Client, attempt: Attempt, code: str, resource: tuple[str, ...] = ()) -> Request:
    """Build the exchange of the code (RFC 6749 section 4.1.3). It is sent once: a code has one use."""
    return request(
        endpoint,
        client,
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", attempt.redirect_uri),
        ("code_verifier", attempt.verifier),
        *(("resource", each) for each in resource),
    )
