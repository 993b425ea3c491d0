"""What an OAuth endpoint answers: the members of its body, and whether it was that endpoint that answered.

RFC 6749 section 5.1 has JSON. Some servers answer with a form (GitHub does so by default, to errors too), and some call
that `text/plain`. So the body itself decides how it is read, not its content type.
"""

import re
from urllib.parse import parse_qsl

from tokenctl.errors import Unreachable
from tokenctl.oauth.wire import JSON, Response, describe, json_object, loose_object

LONGEST_LIFETIME = 10 * 365 * 86400
"""Seconds; a longer lifetime is an error of the server."""
DECIMAL = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
"""A number of seconds as text."""
SPACES = " \t\r\n"
_BEFORE_TEXT = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"
"""Blanks and byte order marks."""
_FORM = re.compile(r"[!#-;=?-\[\]^_a-z|~]+")
"""A form: visible ASCII without the characters that mark a page or JSON."""
_OF_AN_ANSWER = {"access_token", "error", "device_code", "request_uri"}
"""Every form that is an answer has one of these members."""


def members(body: bytes) -> JSON:
    """Read the members of an answer: a JSON object, or a form.

    Raises ValueError for anything else, and when a member appears twice. The reason never quotes the text.
    """
    try:
        return json_object(body)
    except ValueError:
        pairs = _form(body)
        if not pairs:
            raise
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member appears twice")
    return found


def whole(body: bytes) -> JSON | None:
    """Read an answer that arrived whole, also one that `members` refuses; None when it is none, such as a page.

    It is for what must not be lost with the answer: a refresh token is used up by an answer that cannot be used, too.
    """
    found = loose_object(body)
    return (dict(_form(body)) or None) if found is None else found


def _form(body: bytes) -> list[tuple[str, str]]:
    """Read the pairs of a form; none when the body is something else, such as a page."""
    text = body.decode("latin-1").strip(SPACES)
    if not _FORM.fullmatch(text):
        return []
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=50)
    except ValueError:
        return []
    return pairs if _OF_AN_ANSWER & {name for name, _ in pairs} else []


def is_page(response: Response) -> bool:
    """Tell whether the body is a page, as of a captive portal or a firewall. `OK` as `text/html` is none."""
    html = "html" in response.content_type.lower() and b"<" in response.body
    return html or response.body.lstrip(_BEFORE_TEXT).startswith(b"<")


def seconds(value: object) -> float | None:
    """Read a number of seconds, which can be text and have a fraction; None when there is none.

    Raises ValueError for what is no number, negative, or more than `LONGEST_LIFETIME`.
    """
    if isinstance(value, str):
        value = value.strip(SPACES)
    if value is None or value == "":
        return None
    if isinstance(value, str) and DECIMAL.fullmatch(value):
        value = float(value)
    if type(value) not in (int, float) or not 0 <= value <= LONGEST_LIFETIME:  # type: ignore[operator]  # a number here
        raise ValueError("not a possible number of seconds")
    return value  # type: ignore[return-value]


def unanswered(response: Response) -> bool:
    """Tell whether the authorization server itself may not have answered.

    A gateway speaks for it (502, 504), or a 2xx response is no answer: it was cut short, or a captive portal sent a
    page. An answer that is whole and has a defect, such as a number that is none, is the server's own.
    """
    return response.status in (502, 504) or (response.succeeded and whole(response.body) is None)


def no_answer(response: Response, who: str) -> Unreachable:
    """Make the error for a reply that is not the server's own answer; see `unanswered`."""
    return Unreachable(f"{who} did not answer ({describe(response)})", hint="try again in a moment", sent=True)
