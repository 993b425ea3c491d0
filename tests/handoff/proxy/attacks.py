"""The attacks: what a client may send to make a proxy do what it must not do, and what must come of it.

`<HOST>` and `<AUTH>` stand for the lines that an honest client sends, `<SECRET>` and `<PORT>` for their values.
"""

from dataclasses import dataclass

from tests.servers.http_bytes import Seen

REFUSALS = frozenset({400, 403, 404, 405, 411, 413, 414, 417, 421, 431, 501, 505})
"""What says no, when any reason will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """What is sent. `statuses` are the answers that may come to it; `seen` is what the upstream may see of it."""

    name: str
    sent: bytes
    statuses: frozenset[int]
    seen: tuple[Seen, ...] | None

    @property
    def method(self) -> str:
        """The method, which the reader of an answer must know."""
        return "HEAD" if self.sent.startswith(b"HEAD ") else "GET"

    def __str__(self) -> str:
        return self.name


def refused(name: str, sent: bytes, *statuses: int) -> Attack:
    """Nothing of it reaches the upstream."""
    return Attack(name=name, sent=sent, statuses=frozenset(statuses) or REFUSALS, seen=())


def passes(name: str, sent: bytes, *seen: Seen) -> Attack:
    """It looks strange, and is allowed: the upstream sees exactly this."""
    return Attack(name=name, sent=sent, statuses=frozenset({200}), seen=seen)


def either(name: str, sent: bytes) -> Attack:
    """Refused or not: what the upstream sees must be clean."""
    return Attack(name=name, sent=sent, statuses=REFUSALS | {200, 401}, seen=None)


def get(target: bytes = b"/v1/x", headers: bytes = b"", *, method: bytes = b"GET", body: bytes = b"") -> bytes:
    """A request with the secret and the right Host."""
    return b"%s %s HTTP/1.1\r\n<HOST><AUTH>%s\r\n%s" % (method, target, headers, body)


def post(headers: bytes, body: bytes, target: bytes = b"/v1/x") -> bytes:
    """A request with a body, whose length the headers tell in some way."""
    return get(target, headers, method=b"POST", body=body)


INNER = b"GET /admin HTTP/1.1\r\nHost: evil\r\nAuthorization: Bearer mine\r\n\r\n"
"""A request that is to be smuggled past the proxy."""
CHUNKED = b"Transfer-Encoding: chunked\r\n"
END = b"0\r\n\r\n"


def chunk(body: bytes) -> bytes:
    """One chunk."""
    return b"%x\r\n%s\r\n" % (len(body), body)


# -- the length of a body (RFC 9112 section 6) -----------------------------------------------------------

LENGTHS = [
    passes(
        "Content-Length and Transfer-Encoding, the body ends by chunks",
        post(b"Content-Length: 4\r\n" + CHUNKED, chunk(INNER) + END),
        (b"POST", b"/base/v1/x", INNER),
    ),
    passes(
        "Transfer-Encoding and Content-Length, the body ends by chunks",
        post(CHUNKED + b"Content-Length: 400\r\n", chunk(b"abc") + END),
        (b"POST", b"/base/v1/x", b"abc"),
    ),
    passes("Content-Length twice and equal", post(b"Content-Length: 3\r\n" * 2, b"abc"), (b"POST", b"/base/v1/x", b"abc")),
    passes("a request as body", post(b"Content-Length: %d\r\n" % len(INNER), INNER), (b"POST", b"/base/v1/x", INNER)),
    passes("Chunked in other letters", post(b"transfer-ENCODING: CHUNKED\r\n", chunk(b"a") + END), (b"POST", b"/base/v1/x", b"a")),
    passes("trailers", post(CHUNKED, chunk(b"a") + b"0\r\nAuthorization: Bearer mine\r\nX-Late: 1\r\n\r\n"), (b"POST", b"/base/v1/x", b"a")),
    passes("a body of GET", get(headers=b"Content-Length: %d\r\n" % len(INNER), body=INNER), (b"GET", b"/base/v1/x", INNER)),
    passes(
        "a request behind the chunks is another request, and refused",
        post(b"Content-Length: 90\r\n" + CHUNKED, END + get(b"/admin")),
        (b"POST", b"/base/v1/x", b""),
    ),
    refused("two lengths", post(b"Content-Length: 3\r\nContent-Length: %d\r\n" % len(INNER), INNER), 400),
    refused("two lengths in one line", post(b"Content-Length: 3, 4\r\n", b"abcd"), 400),
    refused("two Transfer-Encodings", post(CHUNKED + b"Transfer-Encoding: identity\r\n", END + INNER), 400, 501),
    *(refused(f"Content-Length: {value!r}", post(b"Content-Length: " + value + b"\r\n", b"abc"), 400) for value in (
        b"+3", b"-3", b"0x3", b"3;", b"3 3", b"3,", b"", b"1e1", b"3.0", b"\xef\xbc\x93", b"\xb3", b"9" * 40, b"3\x0b", b"3\x00", b"_3", b"1_0",
    )),
    *(refused(f"Transfer-Encoding: {value!r}", post(b"Transfer-Encoding: " + value + b"\r\n", chunk(b"abc") + END), 400, 501) for value in (
        b"xchunked", b"chunked, identity", b"identity, chunked", b"chunked, chunked", b"gzip, chunked", b"chunked;q=1", b"identity", b"",
        b"chunked\x0b", b"\x0bchunked", b"chunked\x00", b'"chunked"', b"chunked,", b",chunked", b"chu\xe2\x84\xaaed", b"chunKed\xa0", b"cow",
    )),
    *(refused(f"the name of a length: {line!r}", post(line, chunk(b"abc") + END), *REFUSALS) for line in (
        b"Transfer-Encoding : chunked\r\n", b"Transfer-Encoding\t: chunked\r\n",
        b"Transfer-Encoding\x00: chunked\r\n", b"Transfer-Encoding\r: chunked\r\n", b"Content-Length : 11\r\n",
        b"\xa0Transfer-Encoding: chunked\r\n", b"Transfer Encoding: chunked\r\n", b"Transfer_Encoding: chunked\r\n", b"Content_Length: 11\r\n",
    )),
    *(refused(f"a chunk: {chunks!r:.60}", post(CHUNKED, chunks)) for chunks in (
        b"0x3\r\nabc\r\n" + END, b"+3\r\nabc\r\n" + END, b"-1\r\nabc\r\n" + END, b"\r\nabc\r\n" + END, b" 3\r\nabc\r\n" + END, b"3_0\r\nabc\r\n" + END,
        b"3\r\nabcdef\r\n" + END, b"3\r\nabcXX" + END, b"3\r\nabc\n\r" + END, b"g\r\nabc\r\n" + END, b"f" * 30 + b"\r\nabc\r\n" + END,
    )),
    *(either(f"a chunk as some accept it: {chunks!r:.60}", post(CHUNKED, chunks)) for chunks in (
        b"3;a=b\r\nabc\r\n" + END, b"3 \r\nabc\r\n" + END, b"3;a=\nb\r\nabc\r\n" + END, b"003\r\nabc\r\n" + b"000\r\n\r\n", b"3;\"\r\nabc\r\n" + END,
        b"3\r\nabc\r\n0\r\n\n", b"3\r\nabc\r\n0\r\nX : y\r\n\r\n", b"3\r\nabc\r\n0\r\n y\r\n\r\n", b"3;" + b"x" * 100_000 + b"\r\nabc\r\n" + END,
    )),
    either("Connection names Content-Length", post(b"Connection: content-length\r\nContent-Length: %d\r\n" % len(INNER), INNER)),
    either("Connection names Transfer-Encoding", post(b"Connection: transfer-encoding\r\n" + CHUNKED, chunk(INNER) + END)),
    either("HTTP/1.0 with chunks", post(CHUNKED, chunk(INNER) + END).replace(b"HTTP/1.1", b"HTTP/1.0", 1)),
]  # fmt: skip

# -- lines and headers (RFC 9112 sections 2.2 and 5) -----------------------------------------------------

LINES = [
    *(refused(f"a header line: {line!r:.60}", get(headers=line + b"\r\n")) for line in (
        b"X-A : b", b"X A: b", b": b", b"X-A", b"X-A\x00: b", b"X-A: a\x00b", b"X-A\xe9: b", b"X-A(: b", b'"X-A": b', b"X-A: a\rAuthorization: Bearer mine",
        b"X-A: a\r\rAuthorization: Bearer mine", b"X-A@: b", b"\x00", b"X-\x7f: b", b"Host\x0b: evil", b"X-A: a\x0bb", b"X-A: \x0c",
    )),
    *(refused(f"a control character in a value: {value!r}", get(headers=b"X-A: a" + value + b"b\r\n")) for value in (b"\x01", b"\x07", b"\x1b[31m", b"\x1f", b"\x7f")),
    *(refused(f"a line end that is not CRLF: {sent!r:.60}", get(headers=sent), 400) for sent in (
        b"X-A: a\nX-B: b\r\n", b"X-A: a\nAuthorization: Bearer mine\r\n",
        b"X-A: a\n\nGET /admin HTTP/1.1\r\nHost: evil\r\n",
    )),
    *(refused(f"obs-fold: {sent!r:.60}", get(headers=sent), 400) for sent in (
        b"X-A: a\r\n b\r\n", b"X-A: a\r\n\tAuthorization: Bearer mine\r\n", b"X-A:\r\n \r\n b\r\n", b"X-A: a\n  b\r\n", b"X-A: a\r\n Content-Length: 5\r\n",
    )),
    refused("Transfer-Encoding behind LF", get(headers=b"X-A: a\nTransfer-Encoding: chunked\r\n", body=chunk(INNER) + END)),
    refused("Content-Length behind LF", get(headers=b"X-A: a\nContent-Length: 5\r\n", body=b"abcde")),
    refused("Transfer-Encoding behind obs-fold of the secret", get(headers=b" Transfer-Encoding: chunked\r\n", body=chunk(INNER) + END)),
    refused("Transfer-Encoding by obs-fold", post(b"Transfer-Encoding:\r\n chunked\r\n", chunk(INNER) + END)),
    refused("Content-Length by obs-fold", post(b"Content-Length:\r\n %d\r\n" % len(INNER), INNER)),
    refused("obs-fold before the first header", b"GET /v1/x HTTP/1.1\r\n X-A: b\r\n<HOST><AUTH>\r\n"),
    refused("headers of more than 64 KiB", get(headers=b"X-A: " + b"a" * 70_000 + b"\r\n"), 400, 431),
    refused("10,000 headers", get(headers=b"A: b\r\n" * 12_000), 400, 431),
    refused("a target of 70,000 characters", get(b"/v1/" + b"x" * 70_000), 400, 414, 431),
    passes("a target of 8,000 characters", get(b"/v1/" + b"x" * 8000), (b"GET", b"/base/v1/" + b"x" * 8000, b"")),
    passes("a name with an underscore", get(headers=b"X_A: b\r\n"), (b"GET", b"/base/v1/x", b"")),
    passes("bytes that are no ASCII in a value", get(headers=b"X-A: \xe9\xff\r\n"), (b"GET", b"/base/v1/x", b"")),
    *(refused(f"a first line: {line!r:.50}", line + b"\r\n<HOST><AUTH>\r\n") for line in (
        b"GET /v1/x", b"GET  /v1/x HTTP/1.1", b"GET /v1/x  HTTP/1.1", b" GET /v1/x HTTP/1.1", b"GET\t/v1/x\tHTTP/1.1", b"GET /v1/x HTTP/1.1 ",
        b"GET /v1/x HTTP/1.1 HTTP/1.1", b"GET /v1/x HTTP/11", b"GET /v1/x http/1.1", b"GET /v1/x HTTPS/1.1", b"GET /v1/x HTTP/1.1\x00", b"GET /v1/x\x00 HTTP/1.1",
        b"GET /v1/x\xa0HTTP/1.1", b"G\x00ET /v1/x HTTP/1.1", b"GE T /v1/x HTTP/1.1", b"(GET) /v1/x HTTP/1.1", b"GET /v1/x\rHTTP/1.1", b"HTTP/1.1 200 OK",
        b"GET /v1/\xc3\xa9 HTTP/1.1", b"GET /v1/x y HTTP/1.1", b"GET HTTP/1.1", b"/v1/x HTTP/1.1", b"GET /v1/x HTTP/2.0", b"GET /v1/x HTTP/3.7", b"GET /v1/x HTTP/0.9",
    )),
    either("an empty line before the request", b"\r\n" + get()),
    refused("HTTP/2 with prior knowledge", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"),
    refused("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(40)) * 12, 400),
    refused("SSH", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", 400),
    refused("SOCKS 5", b"\x05\x01\x00", 400),
    refused("a PROXY line before the request", b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n" + get(), 400),
]  # fmt: skip

# -- who may ask ------------------------------------------------------------------------------------------


def bare(headers: bytes, target: bytes = b"/v1/x", first: bytes = b"<HOST>") -> bytes:
    """A request without the secret."""
    return b"GET %s HTTP/1.1\r\n%s%s\r\n" % (target, first, headers)


SEEN = (b"GET", b"/base/v1/x", b"")

SECRETS = [
    *(refused(f"no secret: {line!r:.60}", bare(line), 400, 401) for line in (
        b"", b"Authorization: Bearer wrong\r\n", b"Authorization: Bearer\r\n", b"Authorization:\r\n", b"Authorization: <SECRET>\r\n",
        b"Authorization: Digest <SECRET>\r\n", b"Authorization: Bearer <SECRET>x\r\n", b"Authorization: Bearer x<SECRET>\r\n",
        b"Authorization: Bearer \xe9\r\n", b"Authorization: Basic \xe9\r\n", b"Authorization: Basic !!!\r\n", b"Authorization: Basic <SECRET>\r\n",
        b"Authorization: Basic YTpi\r\n", b"Authorization: Basic /w==\r\n", b"Authorization: Basic " + b"QUFB" * 9000 + b"\r\n", b"X-Api-Key: wrong\r\n", b"X-Api-Key:\r\n",
        b"X-Api-Key: Bearer <SECRET>\r\n", b"X-Other: <SECRET>\r\n", b"Proxy-Authorization: Bearer <SECRET>\r\n", b"Cookie: secret=<SECRET>\r\n",
        b"X_Api_Key: <SECRET>\r\n", b"Authorization : Bearer <SECRET>\r\n", b"Authorization\x00: Bearer <SECRET>\r\n",
        b"Connection: authorization\r\nX-A: b\r\n", b"Authorization: Bearer \x00<SECRET>\r\n",
    )),
    refused("the secret in the query alone", bare(b"", b"/v1/x?key=<SECRET>"), 401),
    refused("the secret in the path alone", bare(b"", b"/v1/<SECRET>"), 401),
    *(passes(f"the secret: {line!r}", bare(line), SEEN) for line in (
        b"Authorization: Bearer <SECRET>\r\n", b"authorization: bearer <SECRET>\r\n", b"AUTHORIZATION: BEARER <SECRET>\r\n", b"Authorization: Basic <BASIC>\r\n",
        b"X-Api-Key: <SECRET>\r\n", b"x-api-key: <SECRET>\r\n", b"Authorization: Bearer <SECRET>\r\nX-Api-Key: <SECRET>\r\n",
        b"Authorization: Bearer mine\r\nX-Api-Key: <SECRET>\r\n", b"X-Api-Key: <SECRET>\r\nAuthorization: Digest a=b\r\n",
        b"Authorization: Bearer <SECRET>\r\nX-Api-Key: mine\r\n",
    )),
    *(either(f"a doubled secret: {line!r:.80}", bare(line)) for line in (
        b"Authorization: Bearer <SECRET>\r\n" * 2, b"Authorization: Bearer <SECRET>\r\nauthorization: Bearer mine\r\n",
        b"Authorization: Bearer mine\r\nAUTHORIZATION: Bearer <SECRET>\r\n", b"Authorization: Bearer <SECRET>, Bearer mine\r\n",
        b"Authorization: Bearer\r\n <SECRET>\r\n", b"Authorization: Bearer <SECRET>\r\n mine\r\n", b"Authorization:\tBearer <SECRET>\t\r\n", b"Authorization: Bearer  <SECRET>\r\n",
        b"X-Api-Key: <SECRET>\r\nX-Api-Key: mine\r\n", b"X-Api-Key: mine\r\nX-Api-Key: <SECRET>\r\n",
        b"X-Api-Key: <SECRET>\r\nX_Api_Key: <SECRET>\r\n", b"Connection: x-api-key\r\nX-Api-Key: <SECRET>\r\n",
        b"Connection: authorization, host, content-length, x-api-key\r\nAuthorization: Bearer <SECRET>\r\nContent-Length: 0\r\n",
        b"Authorization: Bearer <SECRET>\r\nProxy-Authorization: Bearer <SECRET>\r\n", b"Authorization: Bearer <SECRET>\r\nX-Authorization: Bearer <SECRET>\r\n",
        b"Authorization: Bearer <SECRET>\r\nCookie: key=<SECRET>\r\n", b"Authorization: Bearer <SECRET>\r\nReferer: http://x/?key=<SECRET>\r\n",
        b"Authorization: Bearer <SECRET>\r\nX-Forwarded-Authorization: Basic <BASIC>\r\n",
    )),
    refused("the secret, and once more as the name of a header", get(headers=b"<SECRET>: x\r\n"), 400),
    refused("the secret, and once more in the method", get(method=b"X<SECRET>"), 400, 403),
    either("the secret, and once more in the query", get(b"/v1/x?key=<SECRET>")),
    either("the secret, and once more in the path", get(b"/v1/<SECRET>/x")),
]  # fmt: skip

# -- a browser that was led here (DNS rebinding), and what else a page can send ----------------------------

HOSTS = [
    *(refused(f"Host: {host!r}", bare(b"<AUTH>", first=b"Host: " + host + b"\r\n"), 400, 403) for host in (
        b"evil.example", b"evil.example:<PORT>", b"127.0.0.1", b"localhost", b"127.0.0.1:1", b"localhost:1", b"127.0.0.1.:<PORT>", b"localhost.:<PORT>",
        b"127.1:<PORT>", b"2130706433:<PORT>", b"0x7f.0.0.1:<PORT>", b"0.0.0.0:<PORT>", b"[::1]:<PORT>", b"[::ffff:127.0.0.1]:<PORT>", b"127.0.0.2:<PORT>",
        b"127.0.0.1:0<PORT>", b"127.0.0.1:<PORT>0", b"x@127.0.0.1:<PORT>", b"127.0.0.1:<PORT>@evil", b"127.0.0.1:<PORT>/x", b"127.0.0.1:<PORT>,evil",
        b"127.0.0.1:<PORT> evil", b"evil 127.0.0.1:<PORT>", b"127.0.0.1.evil.example:<PORT>", b"localhost:<PORT>.evil", b"", b"http://127.0.0.1:<PORT>",
        b"127.0.0.1:<PORT>\xe9", b"127.0.0.1\xe3\x80\x82evil:<PORT>", b"127.0.0.1:+<PORT>", b"127.0.0.1::<PORT>", b"127.0.0.1:<PORT>\r\n evil",
    )),
    refused("no Host", bare(b"<AUTH>", first=b""), 400, 403),
    refused("no Host in HTTP/1.0", b"GET /v1/x HTTP/1.0\r\n<AUTH>\r\n", 400, 403),
    refused("two Hosts", bare(b"<HOST><AUTH>"), 400, 403),
    refused("two Hosts, one of them foreign", bare(b"Host: evil\r\n<AUTH>"), 400, 403),
    refused("two Hosts, the foreign one first", bare(b"<HOST><AUTH>", first=b"Host: evil\r\n"), 400, 403),
    refused("a foreign Host without the secret", bare(b"", first=b"Host: evil\r\n"), 400, 401, 403),
    passes("Host: localhost", bare(b"<AUTH>", first=b"Host: localhost:<PORT>\r\n"), SEEN),
    either("Host: LOCALHOST", bare(b"<AUTH>", first=b"Host: LOCALHOST:<PORT>\r\n")),
    passes("X-Forwarded-Host is a header as any other", get(headers=b"X-Forwarded-Host: evil\r\n"), SEEN),
    *(refused(f"Origin: {origin!r}", get(headers=b"Origin: " + origin + b"\r\n"), 403) for origin in (
        b"http://evil.example", b"null", b"", b"http://127.0.0.1:<PORT>", b"http://localhost:<PORT>", b"file://", b"chrome-extension://abc",
    )),
    refused("a preflight", get(headers=b"Origin: http://evil.example\r\nAccess-Control-Request-Method: GET\r\n", method=b"OPTIONS"), 403),
    *(passes(f"what is for the connection: {line!r:.60}", get(headers=line), SEEN) for line in (
        b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n",
        b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",
        b"Connection: keep-alive, x-a\r\nX-A: b\r\nKeep-Alive: timeout=5\r\n", b"Proxy-Connection: keep-alive\r\nTE: trailers\r\nTrailer: X-A\r\n",
        b"Connection: host\r\n", b"Connection: ,, ,\r\n", b"Connection: close\r\nConnection: x-a\r\nX-A: b\r\n",
        b"Proxy-Authorization: Basic YTpi\r\n",
    )),
]  # fmt: skip

WITHOUT_ALLOW = [
    *(refused(f"a method: {method!r}", get(method=method), 403) for method in (b"CONNECT", b"TRACE", b"trace", b"Connect", b"TRACK")),
    *(refused(f"not an origin-form: {target!r}", get(target), 400) for target in (b"*", b"http://evil.example/", b"evil.example:443", b"/v1/x#y", b"?x", b"https:/v1")),
    refused("CONNECT to a host", get(b"evil.example:443", method=b"CONNECT"), 400, 403),
    refused("HTTP/2 with prior knowledge", b"PRI * HTTP/2.0\r\n<HOST><AUTH>\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"),
    refused("the secret, and once more in the method", get(method=b"X<SECRET>"), 400),
    passes("two slashes are a path", get(b"//evil.example/x"), (b"GET", b"/base//evil.example/x", b"")),
    passes("a method that nobody knows", get(method=b"QUERY"), (b"QUERY", b"/base/v1/x", b"")),
    passes("a request behind the chunks is another request", post(CHUNKED, END + get(b"/next")), (b"POST", b"/base/v1/x", b""), (b"GET", b"/base/next", b"")),
]  # fmt: skip

# -- what may be asked ------------------------------------------------------------------------------------

DOTS = (
    b".", b"..", b"%2e", b"%2E", b"%2e%2e", b".%2e", b"%2e.", b"%2E%2E", b"%252e%252e", b"%252e", b"%25252e%25252e", b"%25%32%65%25%32%65",
    b"%c0%ae%c0%ae", b"%c0%2e%c0%2e", b"%e0%80%ae%e0%80%ae", b"%f0%80%80%ae%f0%80%80%ae", b"%u002e%u002e", b"..;", b"..;a=b", b"%2e%2e;", b"..%3b", b"..%3ba=b", b".;",
    b"%ef%bc%8e%ef%bc%8e", b"%e2%80%a5", b"..%00", b"..%0d%0a",
)  # fmt: skip
"""What one server or another takes for a dot segment."""
SLASHES = (b"%2f", b"%2F", b"%252f", b"\\", b"%5c", b"%5C", b"%255c", b"%c0%af", b"%u2215", b"%ef%bc%8f", b"%ef%bc%bc")

TARGETS = [
    *(refused(f"a dot segment: {dots!r} at {where!r}", get(where.replace(b"@", dots))) for dots in DOTS for where in (
        b"/v1/@/admin", b"/v1/x/@", b"/v1/a/../@?q",
    )),
    refused("a dot segment at the start", get(b"/../v1/x")),
    refused("a dot segment that leads back", get(b"/v1/../v1/x")),
    *(refused(f"dots behind a slash as {slash!r}", get(b"/v1/x" + slash + b".." + slash + b"admin")) for slash in SLASHES if slash != b"%u2215"),
    *(refused(f"a backslash or NUL: {path!r}", get(b"/v1/" + path)) for path in (b"a\\b", b"a%5cb", b"a%5Cb", b"a%00b", b"a%00", b"%00", b"a%255cb", b"a%2500b")),
    *(refused(f"not an origin-form: {target!r}", get(target)) for target in (
        b"http://evil.example/v1/x", b"https://evil.example/v1/x", b"HTTP://127.0.0.1:<PORT>/v1/x", b"http:/v1/x", b"//evil.example/v1/x", b"///evil.example", b"v1/x", b"*", b"?v1",
        b"@evil.example/v1/x", b":80/v1/x", b"evil.example:443", b"file:///etc/passwd", b"\\\\evil\\v1", b"/\\evil/v1/x", b";/v1/x", b"%2fv1/x", b".", b"..", b"javascript:x", b"/v1/x#y", b"#/v1/x",
    )),
    *(refused(f"a method: {method!r}", get(method=method)) for method in (
        b"CONNECT", b"TRACE", b"trace", b"TRACK", b"PUT", b"DELETE", b"get", b"Get", b"GETX", b"OPTIONS", b"PRI", b"G", b"PROPFIND", b"X" * 3000,
    )),
    refused("CONNECT to a host", get(b"evil.example:443", method=b"CONNECT")),
    refused("OPTIONS *", get(b"*", method=b"OPTIONS")),
    *(refused(f"a method by header: {line!r}", post(line, b"", b"/v2/x"), 403, 404) for line in (b"X-HTTP-Method-Override: GET\r\n", b"X-Original-URL: /v1/x\r\n")),
    *(refused(f"outside of what is allowed: {target!r}", get(target), 403, 404) for target in (
        b"/", b"/v2/x", b"/V1/x", b"/%761/x", b"/v%31/x", b"/x/v1/x", b"/?/v1/x", b"/v2?/v1/x", b"/v", b"/base/v1/x", b"/v1x", b"/v1%2fx", b"/v1%3fx", b"/v1;/x", b"/%2fv1/x",
    )),
    *(passes(f"a strange target: {target!r}", get(target), (b"GET", b"/base" + target, b"")) for target in (
        b"/v1/...", b"/v1/.hidden", b"/v1/x..", b"/v1/..x", b"/v1/a%2Fb", b"/v1/a%2fb", b"/v1//x", b"/v1/x/", b"/v1/x//", b"/v1/%e9", b"/v1/%E9%20", b"/v1/a;b=c", b"/v1/a:b@c",
        b"/v1/x?", b"/v1/x??", b"/v1/x?a=../../b", b"/v1/x?a=%2e%2e/&b=%00", b"/v1/x?a=b\\c", b"/v1/x?http://evil.example/", b"/v1/x?a=[1]&b={2}|3^4`\"<>", b"/v1/x?a=%zz", b"/v1/[x]",
        b"/v1/{x}|^`\"<>", b"/v1/~x", b"/v1/%7Ex", b"/v1/a+b", b"/v1/a%2Bb", b"/v1/x?a=b+c%20d", b"/v1/!$&'()*,=", b"/v1/http://evil.example/",
    )),
    passes("a query behind the allowed path", get(b"/v1?x"), (b"GET", b"/base/v1?x", b"")),
    passes("the allowed path alone", get(b"/v1"), (b"GET", b"/base/v1", b"")),
    passes("HEAD", get(method=b"HEAD"), (b"HEAD", b"/base/v1/x", b"")),
]  # fmt: skip
