"""An upstream that answers wrong: the client gets a clean answer or none, and the next one gets its own."""

import contextlib
import gzip
import secrets
import socket
from collections.abc import Iterator

import pytest

from tests.handoff.proxy.attacks import get
from tests.servers.http_bytes import Message
from tests.servers.recording_upstream import Answer, RecordingUpstream, saying, with_tag
from tests.support.proxied import Proxied, proxied

OK = b"HTTP/1.1 200 OK\r\n"
EVIL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Tag: evil\r\n\r\nevil"


@pytest.fixture(scope="module")
def shared() -> Iterator[Proxied]:
    """One proxy for all answers, so that each meets the connections that the ones before it have left."""
    with RecordingUpstream() as upstream, proxied(upstream) as proxy:
        yield proxy


@pytest.fixture
def proxy(shared: Proxied) -> Iterator[Proxied]:
    """The shared proxy, whose upstream has forgotten what came before, and answers well again afterwards."""
    shared.upstream.forget()
    yield shared
    shared.upstream.answer = with_tag


def once(answer: Answer) -> Answer:
    """Answer requests for `/bad` so, and all others well."""

    def choose(connection: socket.socket, request: Message) -> None:
        (answer if request.target.startswith(b"/base/bad") else with_tag)(connection, request)

    return choose


def ask(proxy: Proxied, method: str = "GET", target: str = "/bad") -> Message | None:
    """Send a request that gets the bad answer; on the same connection, if it stays open, honest ones get their own."""
    head = proxy.filled(f"{method} {target} HTTP/1.1\r\n<HOST><AUTH>\r\n".encode())
    with proxy.connect() as client:
        answer = client.send(head).answer_or_end(method)
        for _ in range(3):
            tag = secrets.token_hex(8).encode()
            honest = proxy.honest(client, tag).answer_or_end()
            if honest is None:
                break
            assert (honest.status, honest.body) == (200, tag)
    for _ in range(3):
        proxy.goes_on()
    proxy.check()
    return answer


WRONG = {
    "two lengths": OK + b"Content-Length: 4\r\nContent-Length: 80\r\n\r\nabcd" + EVIL,
    "two lengths in one line": OK + b"Content-Length: 4, 80\r\n\r\nabcd" + EVIL,
    "two Transfer-Encodings": OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + EVIL,
    "a coding that is not chunked": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + EVIL,
    "a negative length": OK + b"Content-Length: -1\r\n\r\n" + EVIL,
    "no status": b"HTTP/1.1\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 99 X\r\nContent-Length: 0\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 1000 X\r\nContent-Length: 0\r\n\r\n",
    "a status of 000": b"HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n",
    "HTTP/0.9": b"<html>hello</html>\r\n\r\n",
    "HTTP/2": b"\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x80\0\4\0\1\0\0\0\5\0\xff\xff\xff\r\n\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x46\r\n\r\n",
    "nothing": b"",
    "half of a head": OK + b"Content-Le",
    "NUL in a header": OK + b"X-A: a\0b\r\nContent-Length: 0\r\n\r\n",
    "CR in a header": OK + b"X-A: a\rSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n",
    "CR CR in a header": OK + b"X-A: a\r\rSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n",
    "a space before the colon": OK + b"Content-Length : 4\r\n\r\nabcd",
    "a header without a name": OK + b": x\r\nContent-Length: 0\r\n\r\n",
    "a header of 200,000 characters": OK + b"X-A: " + b"a" * 200_000 + b"\r\n\r\n",
    "a switch of protocols that nobody asked for": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + EVIL,
}  # fmt: skip


@pytest.mark.parametrize("said", WRONG.values(), ids=WRONG.keys())
def test_what_is_no_http_is_a_502_or_a_cut(proxy: Proxied, said: bytes) -> None:
    """A problem document."""
    proxy.upstream.answer = once(saying(said, then_close=True))
    answer = ask(proxy)
    assert answer is not None and answer.status == 502, answer
    assert answer.one(b"content-type") == b"application/problem+json"
    assert b"evil" not in answer.body


@pytest.mark.parametrize(
    "said",
    [
        OK + b"X-A: @\r@\r\n\r\n",
        b"HTTP/9 @\r\n\r\n",
        b"@\r\n\r\n",
        OK + b"Content-Length: @\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n@\r\n",
    ],
)
def test_a_token_that_comes_back_in_what_is_no_http_stays_here(proxy: Proxied, said: bytes) -> None:
    """An upstream that repeats the token where HTTP allows no such bytes does not bring it to the client."""

    def repeat(connection: socket.socket, request: Message) -> None:
        saying(said.replace(b"@", request.one(b"authorization") or b""), then_close=True)(connection, request)

    proxy.upstream.answer = once(repeat)
    with proxy.connect() as client:
        received = client.send(proxy.filled(get(b"/bad", b"Connection: close\r\n"))).rest()
    assert proxy.token not in received, received


RIGHT = {
    "Content-Length and Transfer-Encoding": (OK + b"Content-Length: 90\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", b"abc"),
    "trailers": (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nSet-Cookie: a=b\r\n\r\n", b"abc"),
    "chunk extensions": (OK + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\n\r\n", b"abc"),
    "a body longer than its length": (OK + b"Content-Length: 3\r\n\r\nabcdef", b"abc"),
    "another answer behind the body": (OK + b"Content-Length: 3\r\n\r\nabc" + EVIL * 5, b"abc"),
    "another answer behind the chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + EVIL * 5, b"abc"),
    "204 with a body": (b"HTTP/1.1 204 No Content\r\n\r\n" + EVIL, b""),
    "304 with a body": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n" + EVIL, b""),
    "1,000 provisional answers": (b"HTTP/1.1 100 Continue\r\n\r\n" * 500 + b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 500 + OK + b"Content-Length: 3\r\n\r\nabc", b"abc"),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
    "bare LF": (b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc", b"abc"),
    "obs-fold": (OK + b"X-A: a\r\n Set-Cookie: a=b\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
    "a length that Connection names": (OK + b"Connection: content-length\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
}  # fmt: skip


@pytest.mark.parametrize(("said", "body"), RIGHT.values(), ids=RIGHT.keys())
def test_what_is_strange_and_clear_passes(proxy: Proxied, said: bytes, body: bytes) -> None:
    """The client gets that one answer, with one length, and nothing of what stands behind it."""
    proxy.upstream.answer = once(saying(said))
    answer = ask(proxy)
    assert answer is not None and answer.body == body, answer
    assert not answer.all(b"set-cookie")
    assert len(answer.all(b"content-length")) + len(answer.all(b"transfer-encoding")) <= 1


@pytest.mark.parametrize("status", [200, 401, 404])
def test_a_body_behind_the_answer_to_head(proxy: Proxied, status: int) -> None:
    """It is nobody's answer."""
    proxy.upstream.answer = once(saying(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(EVIL), EVIL)))
    answer = ask(proxy, "HEAD")
    assert answer is not None and answer.status == status and answer.one(b"content-length") == b"%d" % len(EVIL)


@pytest.mark.parametrize(
    "late", [EVIL, b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", b"x", b""]
)
def test_what_comes_on_a_connection_that_is_not_used_is_nobodys_answer(proxy: Proxied, late: bytes) -> None:
    """An upstream that goes on speaking, or ends the connection, between two requests: the next one gets its own answer."""
    for _ in range(3):
        proxy.goes_on()
        for each in proxy.upstream.open:
            with contextlib.suppress(OSError):  # the proxy may have closed it
                each.socket.sendall(late)
                each.socket.shutdown(socket.SHUT_WR)
        proxy.goes_on()
    proxy.check()


CUT = {
    "a length": OK + b"Content-Length: 10\r\n\r\nabc",
    "chunks": OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "in a chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n8\r\nabc",
    "what is no chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
    "a chunk that is longer": OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("said", CUT.values(), ids=CUT.keys())
def test_a_body_that_ends_too_early_is_cut_for_the_client_too(proxy: Proxied, said: bytes) -> None:
    """The connection ends before the body does, so that the client knows."""
    proxy.upstream.answer = once(saying(said, then_close=True))
    answer = ask(proxy)
    assert answer is None or answer.status == 502


def test_a_body_without_a_length_ends_with_the_connection(proxy: Proxied) -> None:
    """All of it arrives."""
    proxy.upstream.answer = once(saying(OK + b"\r\n", b"abc" * 1000, then_close=True))
    answer = ask(proxy)
    assert answer is not None and answer.body == b"abc" * 1000


def test_a_gzip_bomb_stays_packed(proxy: Proxied) -> None:
    """The bytes pass as they are."""
    bomb = gzip.compress(bytes(50_000_000), mtime=0)
    proxy.upstream.answer = once(saying(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb), bomb))
    answer = ask(proxy)
    assert answer is not None and answer.body == bomb and answer.one(b"content-encoding") == b"gzip"


def test_headers_pass_and_those_for_the_connection_do_not(proxy: Proxied) -> None:
    """The client gets what the upstream said, and no header more."""
    kept = [
        (b"Content-Length", b"3"),
        (b"Set-Cookie", b"a=b"),
        (b"Set-Cookie", b"c=d; Path=/"),
        (b"X-Strange", b"\xe9\xff"),
        (b"Location", b"http://evil.example/../x"),
        (b"WWW-Authenticate", b'Bearer realm="a"'),
    ]
    dropped = [
        (b"Connection", b"keep-alive, x-gone"),
        (b"X-Gone", b"1"),
        (b"Keep-Alive", b"timeout=9"),
        (b"Proxy-Authenticate", b"Basic"),
        (b"Proxy-Connection", b"keep-alive"),
        (b"Trailer", b"X-A"),
        (b"Upgrade", b"h2c"),
    ]
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in [*kept, *dropped])
    proxy.upstream.answer = once(saying(b"HTTP/1.1 302 Found\r\n" + lines + b"\r\nabc"))
    answer = ask(proxy)
    assert answer is not None and answer.status == 302 and answer.body == b"abc"
    assert [(name.lower(), value) for name, value in answer.headers] == [(name.lower(), value) for name, value in kept]
    assert [each.target for each in proxy.upstream.requests].count(b"/base/bad") == 1
    assert not [each for each in proxy.upstream.requests if each.all(b"cookie")], "a cookie was kept and sent back"


def test_an_answer_that_comes_before_the_body_was_sent() -> None:
    """The client gets it, and the rest of its body becomes nobody's request."""
    early = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig"
    with RecordingUpstream() as upstream, proxied(upstream) as proxy:
        upstream.on_head = saying(early, then_close=True)
        with proxy.connect() as client:
            body = b"GET /v1/hidden HTTP/1.1\r\nHost: x\r\n\r\n" * 50_000
            head = proxy.filled(b"POST /v1/x HTTP/1.1\r\n<HOST><AUTH>Content-Length: %d\r\n\r\n" % len(body))
            answer = client.send(head, body).answer_or_end()
            assert answer is None or answer.status in (413, 502), answer
        proxy.goes_on()
        proxy.check()
        assert [each.target for each in upstream.requests] == [b"/base/v1/honest"]
