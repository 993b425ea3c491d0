"""How token endpoints say that a grant is dead, so that only a person who signs in again can go on.

RFC 6749 section 5.2 has one code for that, and servers have more. Each row has its reason. The HTTP status decides
nothing here: servers send these codes with 200, 400, 401 and 403. A server that is overloaded (429, 5xx) decides nothing
about a grant, whatever its body says; see `token_response`.
"""

import re
from collections.abc import Mapping

DEAD_CODES: Mapping[str, str] = {
    "invalid_grant": "RFC 6749 section 5.2: the refresh token is invalid, expired, revoked or of another client",
    "interaction_required": "OpenID Connect Core section 3.1.2.6, Entra: a person must be at the browser, as for MFA",
    "login_required": "OpenID Connect Core section 3.1.2.6: the person must sign in again",
    "consent_required": "OpenID Connect Core section 3.1.2.6, Entra: the person must consent again",
    "account_selection_required": "OpenID Connect Core section 3.1.2.6: the person must choose an account",
    "bad_refresh_token": "GitHub, with 200, and HubSpot in capitals: the refresh token is incorrect or expired",
    "invalid_refresh_token": "Slack, with 200: the refresh token is used up or unknown",
    "invalid_token": "RFC 6750 section 3.1 is about access tokens; some servers say it of the refresh token presented",
    "expired_token": "RFC 8628 section 3.5 is about device codes; some servers say it of the refresh token presented",
}
"""Error code -> why it means that a person must sign in again. The codes are in lower case."""

DEAD_WORDS: Mapping[str | None, str] = {
    "unauthorized_client": "Atlassian, with 403: 'refresh_token is invalid'; others mean that the client may not refresh",
    "invalid_request": "Dex: 'Refresh token is invalid or has already been claimed'; else the request has a defect",
    None: "Twitch and HubSpot send no code: 'Invalid refresh token', 'missing or unknown refresh token'",
}
"""Error code with more than one meaning, or None for no code -> why the words of the error decide."""

DEAD_TOKEN_CODES: Mapping[str, str] = {
    "invalid_token": "RFC 6750 section 3.1, Google and others: the token is expired, revoked or unknown",
    "invalid_grant": "RFC 6749 section 5.2, by servers that use one table of errors for all endpoints",
    "expired_token": "some servers name the reason",
    "token_expired": "some servers name the reason",
    "token_revoked": "some servers name the reason",
    "bad_refresh_token": "GitHub",
    "invalid_refresh_token": "Slack",
}
"""Error code of a revocation endpoint -> why it means that the token is dead already. The codes are in lower case.

RFC 7009 section 2.2 wants 200 for such a token.
"""

CLIENT_CODES: Mapping[str, str] = {
    "invalid_client": "RFC 6749 section 5.2, with 400, 401, 403 or 200",
    "incorrect_client_credentials": "GitHub, with 200",
    "invalid_client_id": "Salesforce; Slack, with 200",
    "bad_client_secret": "Slack, with 200",
}
"""Error code -> who says with it that the client's credentials are refused. The codes are in lower case."""

PASSING_CODES = ("server_error", "temporarily_unavailable", "slow_down")
"""Codes that say: try again later (RFC 6749 section 4.1.2.1, RFC 8628 section 3.5)."""

_STATES = "(invalid|unknown|expired|revoked)"
_DEAD_TOKEN = re.compile(rf"\b{_STATES} (access[ _-]?|refresh[ _-]?)?token\b")
_DEAD = re.compile(
    rf"\b{_STATES} refresh[ _-]?token\b|\brefresh[ _-]?token\b (has |was |is |has been )?({_STATES}|not found)\b"
)


def is_dead(code: str | None, words: str) -> bool:
    """Tell whether an error means that the grant is dead. `words` is the error's description."""
    code = None if code is None else code.lower()
    return code in DEAD_CODES or (code in DEAD_WORDS and _DEAD.search(words.lower()) is not None)


def why_dead(code: str | None, words: str) -> str | None:
    """Name the reason that a server gives for a dead grant; see `_WHY`. None when it gives none, or several."""
    if code is not None and code.lower() in _PERSON:
        return "interaction"
    found = [reason for reason, pattern in _WHY.items() if pattern.search(words.lower())]
    return found[0] if found else None


_PERSON = ("interaction_required", "login_required", "consent_required", "account_selection_required")
_WHY: Mapping[str, re.Pattern[str]] = {
    # Keycloak: 'Stale token', 'Maximum allowed refresh token reuse exceeded'; Ory: 'was already used'. But not 'invalid or
    # has already been claimed' (Dex), which is said of every token that is not known.
    "reuse": re.compile(
        r"(?<!\bor )(?<!\bor has )already (been )?(used|claimed|redeemed|consumed|rotated)|\bused before\b"
        r"|\breuse|\bstale token|\btoken reused"
    ),
    # Rules that let a session end although its refresh token is new. Entra, AADSTS70043, after some hours: 'has expired or
    # is invalid due to sign-in frequency checks'; Google Workspace, after 16 hours: 'reauth related error (invalid_rapt)'
    "interaction": re.compile(r"\bsign-?in frequency\b|\breauth"),
    # Entra, AADSTS50173: 'The user might have changed or reset their password'
    "password": re.compile(r"password"),
    # Entra, AADSTS700082: 'has expired due to inactivity'; Keycloak: 'Token is not active', 'Session not active'. But not
    # 'incorrect or expired' (GitHub) or 'expired access/refresh token' (Salesforce), which are every reason at once.
    "expired": re.compile(
        r"^(?!.*(\b(or|invalid|revoked|unknown)\b|access/refresh)).*(\bexpired\b|\bnot active\b|\binactiv)"
    ),
}
"""Why a grant is dead, as the words of an error say it. The first row that fits counts."""


def is_dead_token(code: str | None, words: str) -> bool:
    """Tell whether a revocation endpoint says that the token is dead or unknown, so that nothing is left to revoke.

    Twitch sends no code: 'Invalid token'.
    """
    if code is None:
        return _DEAD_TOKEN.search(words.lower()) is not None
    return code.lower() in DEAD_TOKEN_CODES
