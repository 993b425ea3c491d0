"""The authorization code grant (RFC 6749 section 4.1) with PKCE, `state`, `nonce` and `iss` (RFC 9207)."""

from dataclasses import dataclass, field
from hmac import compare_digest

from tokenctl.errors import Refused, UsageError
from tokenctl.oauth.client_auth import Client, request
from tokenctl.oauth.pkce import challenge, unreserved
from tokenctl.oauth.wire import Request, with_query

ENTROPY = 96
"""Random bytes for one sign-in: 32 each for the code verifier, the state and the nonce."""

RESERVED_PARAMETERS = frozenset(
    (
        *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "response_mode", "resource"),
        *("code_challenge", "code_challenge_method", "request", "request_uri", "client_secret"),
    )
)
"""Parameters that `--param` cannot set, because they protect the sign-in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One sign-in that has started: what its callback is checked against."""

    issuer: str
    redirect_uri: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    iss_required: bool


def begin(issuer: str, redirect_uri: str, entropy: bytes, *, iss_required: bool) -> Attempt:
    """Start an attempt from `ENTROPY` random bytes. Raises ValueError for another number of bytes."""
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

    `offline_access` needs `prompt=consent` (OpenID Connect Core section 11). The parameter is added unless
    `extra` has a `prompt`. An empty value in `extra` leaves a parameter out. Raises UsageError when `extra`
    has one of the `RESERVED_PARAMETERS`.
    """
    reserved = RESERVED_PARAMETERS.intersection(name for name, _ in extra)
    if reserved:
        raise UsageError(f"--param cannot set {', '.join(sorted(reserved))}", hint="tokenctl sets it itself")
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
    """Build the URL that the person opens in a browser."""
    return with_query(endpoint, parameters)


class UnexpectedCallback(Exception):
    """A callback that does not belong to this attempt. The listener answers with an error page and keeps waiting."""


class UnprovenRefusal(UnexpectedCallback):
    """An error without `state`, which some servers leave out although RFC 6749 section 4.1.2.1 demands it.

    Every program on this machine, and every page in the browser, can send one. So it does not end the sign-in; the
    person is told what it said, and decides.
    """

    def __init__(self, said: str) -> None:
        super().__init__(f"it has no state; it says: {said}")
        self.said = said


def parse_callback(attempt: Attempt, parameters: dict[str, str]) -> str:
    """Check the parameters of a callback and return the code (RFC 6749 section 4.1.2).

    Raises UnexpectedCallback when `state` is absent or wrong: every program on this machine can send such a
    callback, so it must not end the sign-in. An error without `state` is an UnprovenRefusal. With the right `state`,
    raises Refused for an error and for an `iss` of another issuer (RFC 9207 section 2.4); both end the sign-in.
    """
    if not parameters.get("state") and parameters.get("error") and parameters.get("iss") in (None, attempt.issuer):
        raise UnprovenRefusal(_said(parameters))
    if not compare_digest(parameters.get("state", "").encode(), attempt.state.encode()):
        raise UnexpectedCallback("its state is absent or wrong")
    iss = parameters.get("iss")
    if (iss is None and attempt.iss_required) or (iss is not None and iss != attempt.issuer):
        says = f"; it says: {_said(parameters)}" if parameters.get("error") else ""
        raise Refused(
            f"the answer came from issuer {iss!r:.200}, and the sign-in was at {attempt.issuer}{says}",
            hint="the code was not used; if you did not start two sign-ins, report this to the server's operator",
        )
    if "error" in parameters:
        raise Refused(f"the sign-in was refused: {_said(parameters)}", error=parameters["error"])
    if not parameters.get("code"):
        raise UnexpectedCallback("it has no code")
    return parameters["code"]


def _said(parameters: dict[str, str]) -> str:
    """Put an error's code and description together, for a message."""
    text = parameters.get("error_description")
    return f"{parameters['error']:.100}" + (f": {text:.300}" if text else "")


def code_request(endpoint: str, client: Client, attempt: Attempt, code: str, resource: tuple[str, ...] = ()) -> Request:
    """Build the token request for the code (RFC 6749 section 4.1.3). Send it once: a code has one use."""
    return request(
        endpoint,
        client,
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", attempt.redirect_uri),
        ("code_verifier", attempt.verifier),
        *(("resource", each) for each in resource),
    )
