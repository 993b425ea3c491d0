"""A person without a browser: walks through the server's login and consent pages by HTTP, as fast as they answer.

For tests that need a session and not a browser. `python -m tests.servers.person URL` does the same from a command
line, so that it can stand in for the web browser a program opens.
"""

import ssl
import sys
from dataclasses import dataclass
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import HTTPCookieProcessor, HTTPSHandler, ProxyHandler, build_opener

SECONDS = 120.0
STEPS = 10  # a code sign-in takes three pages, a device sign-in five


@dataclass(frozen=True, kw_only=True)
class Visit:
    """Where the person ended up, and what was on that page."""

    url: str
    status: int
    text: str


class _Form(HTMLParser):
    """The first form of a page: where it goes and what its fields hold."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.cancel: str | None = None
        self.asks_for_a_code = False  # where a device sign-in that was refused or has expired ends
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = attributes["action"]
        elif tag == "input" and "name" in attributes:
            self.fields[attributes["name"]] = attributes.get("value", "")
            self.asks_for_a_code |= attributes["name"] == "user_code" and attributes.get("type") == "text"
        elif tag == "a" and attributes.get("href", "").endswith("/abort"):
            self.cancel = attributes["href"]


def sign_in(url: str, login: str = "alice", *, deny: bool = False, context: ssl.SSLContext | None = None) -> Visit:
    """Follow an authorization URL, or a device's `verification_uri_complete`, to its end.

    `deny` cancels at the first page that can be cancelled. `context` is for a server with a private CA.
    """
    opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()), HTTPSHandler(context=context))
    server = urlsplit(url).netloc
    body: bytes | None = None
    for _ in range(STEPS):
        try:
            with opener.open(url, body, timeout=SECONDS) as answer:
                visit = Visit(url=answer.url, status=answer.status, text=answer.read().decode())
        except HTTPError as refused:
            with refused:
                visit = Visit(url=refused.url or url, status=refused.code, text=refused.read().decode())
        form = _Form(visit.text)
        left = urlsplit(visit.url).netloc != server
        if left or visit.status >= 400 or form.action is None or form.asks_for_a_code:
            return visit
        if deny and form.cancel:
            url, body = urljoin(visit.url, form.cancel), None
            continue
        fields = form.fields | ({"login": login, "password": "x"} if "login" in form.fields else {})
        url, body = urljoin(visit.url, form.action), urlencode(fields).encode()
    raise RuntimeError(f"still not signed in after {STEPS} pages: {url}")


if __name__ == "__main__":
    sign_in(sys.argv[1])
