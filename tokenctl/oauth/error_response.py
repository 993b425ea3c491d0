"""Error responses (RFC 6749 section 5.2): what they mean, and the words for a person.

Servers differ: an error can have an empty body, an HTML page, or the status 200, 401, 403 or 500.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import quote, quote_plus

from tokenctl.errors import LoginRequired, Refused
from tokenctl.oauth.refusals import CLIENT_CODES, DEAD_CODES, PASSING_CODES, is_dead, why_dead
from tokenctl.oauth.wire import JSON, Response, describe, overloaded, try_later


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a request presented in the place of a session, as words for a message: a machine's credentials, for example.

    `name` names it, `hint` says what to check. No sign-in of a person would help, so its refusal is Refused and not
    LoginRequired. `of_client` tells whether it is also what the client proves itself with.
    """

    name: str
    hint: str
    of_client: bool = True


IDENTITY = Credentials(
    name="the identity of this job",
    hint="check that the server trusts its issuer, its subject and its audience (source_audience), and knows the client_id",
)
CLIENT = Credentials(
    name="the client's credentials",
    hint="check client_id, the client secret, and token_endpoint_auth_method in the profile",
)
SESSION_TOKEN = Credentials(
    name="the session's access token",
    hint="run 'tokenctl refresh', then try again; the session itself is kept",
    of_client=False,
)
_HINTS = {
    **dict.fromkeys(CLIENT_CODES, CLIENT.hint),
    "unauthorized_client": "the server does not let this client use this flow: ask the server's operator, or choose another --flow",
    "unsupported_grant_type": "the server does not know this flow: choose another --flow",
    "invalid_scope": "ask for other scopes with --scope",
    "invalid_target": "the server does not know this --resource",
    "device_flow_disabled": "switch the device flow on in the app's settings at the server, or sign in with --flow browser",
}


def check_grant(document: JSON, response: Response, known: tuple[str, ...], presented: Credentials | None) -> None:
    """Check that an error response of the token endpoint is not about the grant itself.

    `presented` names what was presented if that is no session. Raises LoginRequired when the session is dead, Refused when
    what `presented` names is not accepted.
    """
    error, text = code_of(document), words_of(document, known)
    if overloaded(response):
        return
    if presented is not None and (is_dead(error, text) or (error in CLIENT_CODES and presented.of_client)):
        raise Refused(
            f"the server does not accept {presented.name}: {_said(error, text, known)}",
            hint=presented.hint,
            error=error,
        )
    if is_dead(error, text):
        raise LoginRequired(
            f"the server no longer accepts this sign-in ({_said(error, text, known)})",
            hint="run 'tokenctl login'",
            page="audit" if why_dead(error, text) == "reuse" else None,  # it may have been stolen
        )


def raise_error(
    document: JSON, response: Response, known: tuple[str, ...] = (), hints: Mapping[str, str] = {}
) -> NoReturn:
    """Raise the error that an error response (RFC 6749 section 5.2) means, if it does not mean that a grant is dead.

    `known` secrets are removed from messages; `hints` maps an error code to the grant's own hint. 429 and 503 say
    "later" whatever the body says. Other statuses leave the word to the error code, but with 5xx no grant is dead.
    """
    error, text = code_of(document), words_of(document, known)
    undecided = overloaded(response) and (error is None or error.lower() in DEAD_CODES)
    if undecided or response.status in (429, 503) or error in PASSING_CODES:
        raise try_later(response, "the server")
    if error is None and not text:
        raise Refused(f"the server refused without a reason ({describe(response)})")
    if error is None:
        raise Refused(f"the server refused: {text}")
    hint = hints.get(error) or _HINTS.get(error)
    raise Refused(f"the server refused: {_said(error, text, known)}", hint=hint, error=error)


def code_of(document: JSON) -> str | None:
    """Read the error code; None when there is none, or it is no text."""
    error = document.get("error")
    return error if isinstance(error, str) and error else None


def words_of(document: JSON, known: tuple[str, ...]) -> str:
    """Read the error's description, which some servers call `message`."""
    for name in ("error_description", "message"):
        text = document.get(name)
        if isinstance(text, str) and text:
            return redacted(text, known)[:300]
    return ""


def _said(error: str | None, text: str, known: tuple[str, ...]) -> str:
    """Put code and description together, for a message."""
    return ": ".join(part for part in (redacted(error or "", known)[:100], text) if part)


SHORT = 8
"""A secret with fewer characters can be a part of a common word, such as `the` of `whether`."""


def redacted(text: str, known: tuple[str, ...]) -> str:
    """Replace known secrets in a text that a server wrote, also where it is percent-encoded.

    A short secret is replaced where it is a whole word: as a part of other words it is no secret, and the message must
    stay readable.
    """
    for secret in sorted(known, key=len, reverse=True):  # one can be part of another
        for form in sorted((secret, quote_plus(secret), quote(secret, safe="")), key=len, reverse=True):
            if form and len(secret) < SHORT:
                text = _whole(form).sub("***", text)
            elif form:
                text = text.replace(form, "***")
    return text


def _whole(form: str) -> re.Pattern[str]:
    """Match a text that no letter, digit or underscore touches, except for those of a percent-encoded character."""
    before = r"(?:(?<!\w)|(?<=%[0-9A-Fa-f]{2}))" if re.match(r"\w", form) else ""
    return re.compile(before + re.escape(form) + (r"(?!\w)" if re.search(r"\w$", form) else ""))
