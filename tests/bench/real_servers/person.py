"""A person at any server's pages: fills in the forms, agrees, and goes on until the pages end or lead elsewhere."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import HTTPCookieProcessor, OpenerDirector, ProxyHandler, Request, build_opener

from tests.bench.real_servers.parts import LOGIN, PASSWORD

STEPS = 12
NAMES = re.compile(r"^(user(name)?|login|email|identifier|sub|user\[login\])$", re.IGNORECASE)
REFUSES = re.compile(r"cancel|deny|refuse|reject|decline|log.?out|sign.?out|switch|forgot|reset|delete", re.IGNORECASE)


@dataclass(kw_only=True)
class Form:
    """One form of a page: where it goes, how, what its fields hold, and its buttons (name, value, text)."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    """All the forms of a page."""

    def __init__(self, page: str, login: str, password: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._login, self._password = login, password
        self._button: tuple[str, str] | None = None
        self._open = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        its = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(action=its.get("action", ""), method=its.get("method", "get").lower()))
            self._open = True
        elif self._open and tag == "input":
            self._input(self.forms[-1], its)
        elif self._open and tag == "button" and its.get("type", "submit") == "submit":
            self._button = (its.get("name", ""), its.get("value", ""))
            self.forms[-1].buttons.append((*self._button, its.get("formaction", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = False
        elif tag == "button":
            self._button = None

    def handle_data(self, text: str) -> None:
        if self._button is not None and text.strip():
            name, value, said = self.forms[-1].buttons[-1]
            self.forms[-1].buttons[-1] = (name, value, f"{said} {text.strip()}")

    def _input(self, form: Form, its: dict[str, str]) -> None:
        name, kind, value = its.get("name", ""), its.get("type", "text").lower(), its.get("value", "")
        if kind == "submit":
            form.buttons.append((name, value, value))
        elif kind == "password":
            form.fields.append((name, self._password))
        elif NAMES.match(name) and kind in ("text", "email"):
            form.fields.append((name, self._login))
        elif name and kind in ("checkbox", "radio"):
            form.fields.append((name, value or "on"))
        elif name and kind != "button":
            form.fields.append((name, value))


@dataclass(frozen=True, kw_only=True)
class Visit:
    """Where the person ended up, and what was on that page."""

    url: str
    status: int
    text: str


def sign_in(url: str, login: str = LOGIN, password: str = PASSWORD) -> Visit:
    """Go through the pages that this address leads to."""
    opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))
    server = urlsplit(url).netloc
    visit, body, seen = _open(opener, url, None), None, set[str]()
    for _ in range(STEPS):
        form = _next_form(_Forms(visit.text, login, password).forms)
        if urlsplit(visit.url).netloc != server or visit.status >= 400 or form is None:
            return visit
        chosen = _fields(form)
        url = urljoin(visit.url, form.action) if form.action else visit.url
        body = urlencode(chosen)
        shown = f"{url} {[name for name, _ in chosen]}"
        if shown in seen:
            return visit
        seen.add(shown)
        if form.method == "get":
            visit = _open(opener, f"{url.partition('?')[0]}?{body}", None)
        else:
            visit = _open(opener, url, body.encode(), visit.url)
    raise RuntimeError(f"still not signed in after {STEPS} pages: {visit.url}")


def _next_form(forms: list[Form]) -> Form | None:
    for form in forms:
        agrees = [button for button in form.buttons if not REFUSES.search(" ".join(button))]
        if agrees and not REFUSES.search(form.action):
            form.buttons = agrees
            return form
    return None


def _fields(form: Form) -> list[tuple[str, str]]:
    name, value, _ = form.buttons[0]
    return [*form.fields, *([(name, value)] if name else [])]


def _open(opener: OpenerDirector, url: str, body: bytes | None, referer: str = "") -> Visit:
    request = Request(url, body, {"Referer": referer} if referer else {})
    try:
        with opener.open(request, timeout=60) as answer:
            return Visit(url=answer.url, status=answer.status, text=answer.read().decode(errors="replace"))
    except HTTPError as refused:
        with refused:
            return Visit(url=refused.url or url, status=refused.code, text=refused.read().decode(errors="replace"))
