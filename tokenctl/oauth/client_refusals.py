"""How servers say at a sign-in that they do not accept the client's credentials, before they look at anything else.

RFC 6749 section 5.2 has one code for that, `invalid_client`, and servers have more. Each row has its reason. After such an
answer the same code or device code can be presented with another client authentication. So an answer counts only if it is
clearly about the client: a firewall's page (403), an overloaded server (429, 5xx) and a refused grant do not.
"""

import re
from collections.abc import Mapping

from tokenctl.oauth.answers import members
from tokenctl.oauth.error_response import code_of, redacted, words_of
from tokenctl.oauth.refusals import CLIENT_CODES
from tokenctl.oauth.wire import Response, describe, overloaded

CLIENT_WORDS: Mapping[str | None, str] = {
    "unauthorized_client": "Keycloak: 'Invalid client or Invalid client credentials'; else the client may not use the grant",
    "invalid_request": "Google: 'client_secret is missing.', LinkedIn: 'client_id is missing'; else the request has a defect",
    None: "Twitch, HubSpot: 'invalid client secret', 'missing or invalid client id'",
}
"""Error code with more than one meaning, or None for no code -> why the words of the error decide."""

_SECRET = re.compile(r"\bclient[ _-]?(secret|credentials?|authentication)\b|\binvalid client\b|authorization header")
_CLIENT_ID = re.compile(
    r"\b(missing|required|invalid|unknown)\b.{0,40}\bclient[ _-]?id\b"
    r"|\bclient[ _-]?id\b.{0,40}\b(missing|required|invalid|not (provided|found))\b"
)
_PAGE = re.compile(rf"\b({'|'.join(CLIENT_CODES)})\b|\b(bad|invalid|incorrect) client (secret|credentials)\b")


def refuses_client(response: Response) -> bool:
    """Tell whether the answer to a sign-in's request refuses the client's credentials, or wants some."""
    try:
        document = members(response.body)
    except ValueError:
        return _page_refuses(response)
    code = (code_of(document) or "").lower() or None
    if response.status in (429, 503) or (response.succeeded and not document.get("error")):
        return False
    if code in CLIENT_CODES:
        return True
    words = words_of(document, ()).lower()
    if code == "unauthorized_client" and response.status in (401, 403) and not words:
        return True  # Glewlwyd; RFC 6749 has 400 for a client that may not use the grant
    if response.status == 401 and (
        code in (None, "unauthorized") or (code, words) == ("access_denied", "unauthorized")
    ):
        return True  # Spring; Auth0 and Atlassian
    return code in CLIENT_WORDS and not overloaded(response) and _about_client(code, words)


def names_client(response: Response) -> bool:
    """Tell whether an answer that `refuses_client` does so in words.

    A status alone can come from a captive portal, a firewall or a proxy in the server's place.
    """
    try:
        document = members(response.body)
    except ValueError:
        return _PAGE.search(_text(response)) is not None
    code, words = (code_of(document) or "").lower() or None, words_of(document, ()).lower()
    if code is None:
        return _about_client(code, words)
    return code != "unauthorized" or words not in ("", "unauthorized")


def said(response: Response, known: tuple[str, ...]) -> str:
    """Say in a few words what the server answered, without the `known` secrets."""
    try:
        document = members(response.body)
    except ValueError:
        return describe(response)
    parts = (redacted(code_of(document) or "", known), words_of(document, known))
    return ": ".join(each[:200] for each in parts if each) or describe(response)


def _page_refuses(response: Response) -> bool:
    """Judge an answer that is neither JSON nor a form: empty, or a page."""
    if response.status == 401 or (response.status == 403 and not response.body):
        return True
    return not overloaded(response) and _PAGE.search(_text(response)) is not None


def _text(response: Response) -> str:
    return response.body[:8192].decode("ascii", "replace").lower()


def _about_client(code: str | None, words: str) -> bool:
    """Tell whether the words of an error are about the client's secret or its ID."""
    wants_id = code != "unauthorized_client" and "redirect" not in words and _CLIENT_ID.search(words) is not None
    return wants_id or _SECRET.search(words) is not None
