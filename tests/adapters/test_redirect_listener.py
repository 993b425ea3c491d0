"""The redirect listener, knocked on by real connections: what counts, what does not, and what it answers."""

import contextlib
import http.client
import math
import re
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Iterator
from functools import partial
from urllib.parse import quote, urlencode, urlsplit

import pytest

from tests.killing.scene import wait_until
from tests.support.commandline import LONG
from tokenctl.adapters import callback_page
from tokenctl.adapters.redirect_listener import CLOSE_TIMEOUT, FOLLOW_TIMEOUT, RESULT_PATH, Callback, listening
from tokenctl.errors import Refused, UsageError
from tokenctl.oauth.authorization_code import ENTROPY, Attempt, begin, parse_callback

ISSUER = "https://issuer.example"


class Answer:
    """One answer of the listener."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()


class Door:
    """The listener as a browser, or whoever else, meets it."""

    def __init__(self, callback: Callback, attempt: Attempt) -> None:
        self.callback = callback
        self.attempt = attempt
        self.address = urlsplit(callback.redirect_uri)

    def ask(self, target: str, method: str = "GET", host: str | None = None, **parameters: str) -> Answer:
        """Make one request; `host` replaces the Host header."""
        connection = http.client.HTTPConnection(self.address.hostname or "", self.address.port, timeout=120)
        query = f"?{urlencode(parameters)}" if parameters else ""
        try:
            connection.request(method, target + query, headers={"Host": host} if host is not None else {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def good(self, code: str = "the-code") -> Answer:
        """Make the callback that the sign-in waits for."""
        return self.ask("/callback", code=code, state=self.attempt.state)

    @property
    def waiting(self) -> bool:
        """Tell whether nothing has arrived yet."""
        return self.callback.wait(0.05) is None


@contextlib.contextmanager
def opened(redirect_uri: str | None = None, port: int | None = None) -> Iterator[Door]:
    """Listen for one attempt."""
    with listening(redirect_uri, port) as callback:
        attempt = begin(ISSUER, callback.redirect_uri, bytes(range(ENTROPY)), iss_required=False)
        callback.accept = partial(parse_callback, attempt)
        door = Door(callback, attempt)
        yield door
        callback.note_result_sent()  # no test needs the moment that a browser gets


@pytest.fixture
def door() -> Iterator[Door]:
    """A listener on an ephemeral port."""
    with opened() as found:
        yield found


def connects(host: str, port: int) -> bool:
    """Tell whether somebody listens there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(120)
        return probe.connect_ex((host, port)) == 0


def has_ipv6() -> bool:
    """Tell whether this machine has an IPv6 loopback."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")


# -- what counts -----------------------------------------------------------------------------------


def test_the_right_callback_gives_the_code(door: Door) -> None:
    """The right path with the right state ends the wait."""
    answer = door.good()
    assert (answer.status, answer.headers["Location"]) == (303, RESULT_PATH)
    assert door.callback.wait(LONG) == "the-code"


def test_the_browser_ends_on_a_page_without_the_code(door: Door) -> None:
    """The last page waits until the sign-in has ended, and says that all went well."""
    door.good()
    pages: list[Answer] = []
    browser = threading.Thread(target=lambda: pages.append(door.ask(RESULT_PATH)))
    browser.start()
    browser.join(0.3)
    assert browser.is_alive() and pages == []
    door.callback.end(failed=False)
    browser.join(5)
    assert (pages[0].status, pages[0].body) == (200, callback_page.SIGNED_IN)


def test_the_result_page_says_when_the_sign_in_failed(door: Door) -> None:
    """The page claims no success that there was not."""
    door.good()
    door.callback.end(failed=True)
    assert door.ask(RESULT_PATH).body == callback_page.FAILED


def test_the_result_page_is_not_there_before_a_callback(door: Door) -> None:
    """Nobody holds a connection open by asking for the last page early."""
    assert door.ask(RESULT_PATH).status == 404


def test_a_refusal_with_the_right_state_ends_the_wait(door: Door) -> None:
    """`error=access_denied` with our state is the server's answer."""
    answer = door.ask("/callback", error="access_denied", state=door.attempt.state)
    assert answer.status == 303
    with pytest.raises(Refused, match="access_denied"):
        door.callback.wait(LONG)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "code=evil",
        "code=evil&state=",
        "code=evil&state=wrong",
        "code=evil&state=wrong%E2%98%83",
        "error=access_denied&state=wrong",
        "error=access_denied&iss=https://evil.example",
        "error=",
        "state={state}",
        "code=&state={state}",
        "code=evil&state={state}&state={state}",
        "code=evil&state={state}&state=wrong",
        "code=evil&code=other&state={state}",
        "code=evil&state={state}" + "&x=" * 60,
        "code=evil&STATE={state}",
    ],
)
def test_a_callback_that_is_not_ours_changes_nothing(door: Door, query: str) -> None:
    """Absent, wrong or repeated parameters get a 4xx page, and the right callback still counts."""
    answer = door.ask("/callback?" + query.format(state=door.attempt.state))
    assert (answer.status, answer.body) == (400, callback_page.UNEXPECTED)
    assert door.waiting
    door.good()
    assert door.callback.wait(LONG) == "the-code"


def test_an_error_without_state_ends_nothing_and_is_told(door: Door) -> None:
    """Some servers leave the state out of errors, and anybody can send that: the person decides what it is worth."""
    for parameters in (
        {"error": "access_denied"},
        {"error": "access_denied", "error_description": "not you", "state": ""},
    ):
        answer = door.ask("/callback", **parameters)
        assert (answer.status, answer.body) == (400, callback_page.UNPROVEN)
    assert door.waiting
    assert door.callback.unproven() == ["access_denied", "access_denied: not you"] and door.callback.unproven() == []
    for number in range(50):
        door.ask("/callback", error=f"buy-{number // 2}")
    assert door.callback.unproven() == ["buy-0"], "no page fills the terminal"
    door.good()
    assert door.callback.wait(LONG) == "the-code"


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/callback/", "/callback/x", "/CALLBACK", "/a/../callback"])
def test_another_path_is_not_found(door: Door, path: str) -> None:
    """Only the exact path counts, even with the right state."""
    assert door.ask(path, code="evil", state=door.attempt.state).status == 404
    assert door.waiting


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD", "OPTIONS", "NONSENSE"])
def test_another_method_is_not_allowed(door: Door, method: str) -> None:
    """Only GET counts, even with the right state."""
    answer = door.ask("/callback", method, code="evil", state=door.attempt.state)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET")
    assert door.waiting


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "localhost:{port}", "127.0.0.1", "127.0.0.1:1", ""]
)
def test_another_host_is_refused(door: Door, host: str) -> None:
    """A name that was made to point at this machine is not our address (DNS rebinding)."""
    named = host.format(port=door.address.port)
    assert door.ask("/callback", host=named, code="evil", state=door.attempt.state).status == 400
    assert door.waiting


def test_a_request_without_a_host_is_refused(door: Door) -> None:
    """HTTP/1.0 and 0.9 need no Host, and we do."""
    for version in (b" HTTP/1.0", b""):
        with socket.create_connection((door.address.hostname, door.address.port), timeout=120) as connection:
            connection.sendall(b"GET /callback?code=evil&state=" + door.attempt.state.encode() + version + b"\r\n\r\n")
            connection.recv(65536)
    assert door.waiting


def test_a_replay_is_refused(door: Door) -> None:
    """A second callback gets a 4xx page, and its code is never seen."""
    door.good()
    assert door.good("another-code").status == 400
    assert door.callback.wait(LONG) == "the-code"
    assert door.good("a-third-code").status == 400
    assert door.waiting


def test_of_many_callbacks_at_once_one_counts(door: Door) -> None:
    """Two callbacks at the same moment do not give two codes."""
    answers: list[Answer] = []
    visitors = [threading.Thread(target=lambda: answers.append(door.good())) for _ in range(8)]
    for each in visitors:
        each.start()
    for each in visitors:
        each.join(10)
    assert sorted(answer.status for answer in answers) == [303] + [400] * 7


def test_nothing_is_expected_before_the_attempt() -> None:
    """A callback that comes before the sign-in has begun is not ours."""
    with listening() as callback:
        assert Door(callback, begin(ISSUER, "", bytes(ENTROPY), iss_required=False)).good().status == 400


# -- what it answers -------------------------------------------------------------------------------


def test_every_answer_has_the_protective_headers(door: Door) -> None:
    """No answer is cached, sniffed, framed, scripted or referred from."""
    state = door.attempt.state
    answers = [
        door.ask("/"),
        door.ask("/callback", "POST"),
        door.ask("/callback", host="evil.example"),
        door.ask("/callback", state="wrong"),
        door.ask("/callback", code="c", state=state),
    ]
    door.callback.end(failed=False)
    answers.append(door.ask(RESULT_PATH))
    assert [each.status for each in answers] == [404, 405, 400, 400, 303, 200]
    for each in answers:
        assert each.headers["Cache-Control"] == "no-store"
        assert each.headers["X-Content-Type-Options"] == "nosniff"
        assert each.headers["Referrer-Policy"] == "no-referrer"
        assert each.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
        assert "script" not in each.headers["Content-Security-Policy"]
        assert each.headers["Server"] is None
        assert each.headers["Set-Cookie"] is None


@pytest.mark.parametrize(
    "page",
    [
        callback_page.SIGNED_IN,
        callback_page.FAILED,
        callback_page.UNEXPECTED,
        callback_page.UNPROVEN,
        callback_page.NOT_FOUND,
    ],
)
def test_pages_have_no_script_and_nothing_from_outside(page: bytes) -> None:
    """A page is fixed bytes: no script, no event, no address."""
    assert not re.search(rb"<script|<link|<img|<iframe|\bon\w+=|https?://|url\(", page)


def test_nothing_of_a_request_is_echoed(door: Door) -> None:
    """Whatever a request says is not on the page, nor in a header."""
    bad = "<script>alert(1)</script>"
    answers = [
        door.ask("/" + quote(bad)),
        door.ask(f"/callback?{quote(bad)}={quote(bad)}"),
        door.ask("/callback", state="x", error=bad, error_description=bad),
        door.ask("/callback", error=bad, error_description=bad),
        door.ask("/callback", host=bad),
        door.ask("/callback", "<SCRIPT>"),
        door.ask("/callback", state=door.attempt.state, error=bad, error_description=bad, next="https://evil.example"),
    ]
    for each in answers:
        told = (each.body + str(each.headers).encode()).lower()
        assert b"alert" not in told and b"script>" not in told and b"evil" not in told


def test_the_code_is_logged_nowhere(door: Door, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither stdout nor stderr sees the request line."""
    door.good()
    door.ask("/nowhere?code=the-code")
    assert capfd.readouterr() == ("", "")


def test_broken_requests_disturb_nobody(door: Door, capfd: pytest.CaptureFixture[str]) -> None:
    """Garbage, endless lines and connections that break off are answered or dropped, without a word."""
    for garbage in (
        b"\x16\x03\x01\x02\x00\x01",
        b"GET\r\n\r\n",
        b"GET /" + b"a" * 70_000,
        b"GET / HTTP/9.9\r\n\r\n",
        b"",
    ):
        address = (door.address.hostname, door.address.port)
        with socket.create_connection(address, timeout=120) as connection, contextlib.suppress(OSError):
            connection.sendall(garbage)
    assert door.good().status == 303
    assert capfd.readouterr() == ("", "")


def test_idle_connections_do_not_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty connections that say nothing do not keep the callback out."""
    monkeypatch.setattr(socketserver.TCPServer, "request_queue_size", 64)  # else connecting takes seconds
    with opened() as door, contextlib.ExitStack() as stack:
        for _ in range(50):
            idle = socket.create_connection((door.address.hostname, door.address.port), timeout=120)
            stack.enter_context(idle).sendall(b"GET /callback")
        # One after the other they would have 5 s each, which is longer than the callback waits.
        assert door.good().status == 303


# -- where it listens ------------------------------------------------------------------------------


def test_it_listens_on_the_loopback_address_only(door: Door) -> None:
    """The port is open on 127.0.0.1 and on no other address, not even another one of this machine."""
    port = door.address.port
    assert door.callback.redirect_uri == f"http://127.0.0.1:{port}/callback"
    assert port is not None and connects("127.0.0.1", port)
    assert not connects("127.0.0.2", port)
    assert not has_ipv6() or not connects("::1", port)


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "http://0.0.0.0/callback",
        "http://192.0.2.1/callback",
        "http://localhost.evil.example/callback",
        "http://[::]/callback",
        "https://127.0.0.1/callback",
        "http://127.0.0.1/callback?x=1",
        "http://127.0.0.1/callback#x",
        "http://a@127.0.0.1/callback",
        "http://127.0.0.1:99999/callback",
        "http:///callback",
        "tokenctl://callback",
        "http://[/",
    ],
)
def test_a_redirect_uri_elsewhere_is_a_usage_error(redirect_uri: str) -> None:
    """Nothing but an http address of this machine can be listened on."""
    with pytest.raises(UsageError), listening(redirect_uri):
        pass


@needs_ipv6
def test_localhost_listens_on_both_addresses() -> None:
    """A registered `localhost` is served on whichever address the browser takes."""
    with opened("http://localhost/cb") as door:
        port = door.address.port
        assert door.callback.redirect_uri == f"http://localhost:{port}/cb"
        assert port is not None and connects("127.0.0.1", port) and connects("::1", port)
        assert door.ask("/cb", code="c", state=door.attempt.state).status == 303


@needs_ipv6
def test_the_ipv6_literal_works() -> None:
    """A registered `[::1]` is listened on, and written with its brackets."""
    with opened("http://[::1]/callback") as door:
        assert door.callback.redirect_uri == f"http://[::1]:{door.address.port}/callback"
        assert door.good().status == 303


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_an_exact_port_is_used() -> None:
    """Where the server wants one port, that one is listened on, and named with it."""
    port = free_port()
    with opened(port=port) as door:
        assert door.callback.redirect_uri == f"http://127.0.0.1:{port}/callback"
        assert door.good().status == 303
    port = free_port()
    with opened(f"http://127.0.0.1:{port}/callback") as door:
        assert door.callback.redirect_uri == f"http://127.0.0.1:{port}/callback"


def test_an_exact_port_can_be_used_again_at_once() -> None:
    """A second sign-in on the same port does not have to wait for the first one's connections."""
    port = free_port()
    for _ in range(2):
        with opened(port=port), socket.create_connection(("127.0.0.1", port), timeout=120) as browser:
            browser.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while browser.recv(65536):
                pass  # the listener closes first, as it does for every browser that waits for the end


def test_a_port_in_use_is_a_usage_error() -> None:
    """A port that another program has is named, with what to do."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port}") as caught, listening(port=port):
            pass
        assert "--port" in (caught.value.hint or "")


@needs_ipv6
def test_a_localhost_port_in_use_on_one_address_is_a_usage_error() -> None:
    """Nobody else may have the other address of `localhost`: the browser could bring the code there."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as other:
        port = other.getsockname()[1]
        with pytest.raises(UsageError), listening(f"http://localhost:{port}/callback"):
            pass


@pytest.mark.parametrize("fails", [False, True])
def test_it_is_closed_afterwards(fails: bool) -> None:
    """When the sign-in ends, well or not, the port is closed."""
    with contextlib.suppress(KeyboardInterrupt), opened() as door:
        door.good()
        if fails:
            door.callback.note_result_sent()
            raise KeyboardInterrupt
    assert door.address.port is not None and not connects("127.0.0.1", door.address.port)


def test_a_sign_in_that_breaks_off_tells_the_browser() -> None:
    """A failure after the callback shows in the browser that was sent on."""
    pages: list[Answer] = []
    with contextlib.suppress(Refused), listening() as callback:
        attempt = begin(ISSUER, callback.redirect_uri, bytes(ENTROPY), iss_required=False)
        callback.accept = partial(parse_callback, attempt)
        door = Door(callback, attempt)
        door.good()
        browser = threading.Thread(target=lambda: pages.append(door.ask(RESULT_PATH)))
        browser.start()
        raise Refused("the code was refused")
    browser.join(5)
    assert pages[0].body == callback_page.FAILED


# -- how long the listener stays for the last page ---------------------------------------------------


def test_a_browser_that_does_not_ask_for_the_last_page_is_not_waited_for(door: Door) -> None:
    """It has a second from its redirect, which the sign-in itself mostly needs; a browser that asked gets its page."""
    assert door.callback.seconds_for_browser(time.monotonic()) == 0, "nobody was redirected"
    before = time.monotonic()
    door.good()
    after = time.monotonic()
    assert door.callback.seconds_for_browser(before) >= FOLLOW_TIMEOUT
    assert door.callback.seconds_for_browser(after + FOLLOW_TIMEOUT) == 0
    browser = threading.Thread(target=door.ask, args=(RESULT_PATH,))
    browser.start()
    wait_until(lambda: door.callback.seconds_for_browser(after + FOLLOW_TIMEOUT) == CLOSE_TIMEOUT)
    door.callback.end(failed=False)
    browser.join(LONG)
    wait_until(lambda: door.callback.seconds_for_browser(after) == 0)


def test_a_browser_that_goes_away_is_not_waited_for(door: Door) -> None:
    """The tab was closed while the last page was on its way: there is nobody to wait for."""
    door.good()
    with socket.create_connection((door.address.hostname, door.address.port), timeout=120) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # the close is a reset
        connection.sendall(f"GET {RESULT_PATH} HTTP/1.1\r\nHost: {door.address.netloc}\r\n\r\n".encode())
        wait_until(lambda: door.callback.seconds_for_browser(math.inf) == CLOSE_TIMEOUT)
    door.callback.end(failed=False)
    wait_until(lambda: door.callback.seconds_for_browser(math.inf) == 0)
