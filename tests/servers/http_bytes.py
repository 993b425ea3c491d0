"""HTTP/1.1 as bytes (RFC 9112), read by rules of its own: a strict reader, and lenient ones as some servers have them.

Where the readers see different requests in the same bytes, one of two servers in a row can be made to see a request
that the other one did not see.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

Headers = tuple[tuple[bytes, bytes], ...]

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
REQUEST_LINE = re.compile(rb"(%s) ([!-~]+) HTTP/1\.1" % TOKEN)
STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2}) [\t -~\x80-\xff]*")
HEADER = re.compile(rb"(%s):[ \t]*((?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?)[ \t]*" % TOKEN)
CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})\r\n")
DIGITS = re.compile(rb"[0-9]{1,18}")


class Malformed(Exception):
    """Bytes that no strict server accepts, or that two servers could understand differently."""


class Incomplete(Exception):
    """The end has not come yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request or an answer. `first` is the method or the status, `target` is empty for an answer."""

    first: bytes
    target: bytes
    headers: Headers
    body: bytes

    def all(self, name: bytes) -> list[bytes]:
        """Every value of a header, whose name is in lower case."""
        return [value for each, value in self.headers if each.lower() == name]

    def one(self, name: bytes) -> bytes | None:
        """The value of a header that stands there once, or not at all."""
        values = self.all(name)
        assert len(values) <= 1, (name, values)
        return values[0] if values else None

    @property
    def status(self) -> int:
        """The status of an answer."""
        return int(self.first)


def request(received: bytes) -> tuple[Message, bytes]:
    """Read the first request strictly; the bytes behind it come second. Raises Malformed, Incomplete."""
    message = head(received)
    body, rest = _body(message, received.partition(b"\r\n\r\n")[2])
    return replace(message, body=body), rest


def head(received: bytes) -> Message:
    """Read the first request without its body. Raises Malformed, Incomplete."""
    line, headers, _ = _head(received)
    found = REQUEST_LINE.fullmatch(line)
    if found is None:
        raise Malformed(line)
    message = Message(first=found[1], target=found[2], headers=headers, body=b"")
    if len(message.all(b"host")) != 1:
        raise Malformed("Host must stand there once", headers)
    return message


def answer(received: bytes, method: str = "GET", *, ended: bool = False) -> tuple[Message, bytes]:
    """Read the first answer strictly; `ended` says that the connection was closed. Raises Malformed, Incomplete."""
    line, headers, rest = _head(received)
    found = STATUS_LINE.fullmatch(line)
    if found is None:
        raise Malformed(line)
    message = Message(first=found[1], target=b"", headers=headers, body=b"")
    if method == "HEAD" or found[1][:1] == b"1" or found[1] in (b"204", b"304"):
        return message, rest
    if not message.all(b"content-length") and not message.all(b"transfer-encoding"):
        if not ended:
            raise Incomplete
        body, rest = rest, b""
    else:
        body, rest = _body(message, rest)
    return replace(message, body=body), rest


def _head(received: bytes) -> tuple[bytes, Headers, bytes]:
    head, blank, rest = received.partition(b"\r\n\r\n")
    if not blank:
        raise Incomplete
    line, *lines = head.split(b"\r\n")
    headers = []
    for each in lines:
        found = HEADER.fullmatch(each)
        if found is None:
            raise Malformed(each)
        headers.append((found[1], found[2]))
    return line, tuple(headers), rest


def _body(message: Message, rest: bytes) -> tuple[bytes, bytes]:
    lengths, codings = message.all(b"content-length"), message.all(b"transfer-encoding")
    if len(lengths) + len(codings) > 1:
        raise Malformed("more than one length", message.headers)
    if codings:
        if codings[0].lower() != b"chunked":
            raise Malformed(codings[0])
        return _chunks(rest)
    if not lengths:
        return b"", rest
    if not DIGITS.fullmatch(lengths[0]):
        raise Malformed(lengths[0])
    length = int(lengths[0])
    if len(rest) < length:
        raise Incomplete
    return rest[:length], rest[length:]


def _chunks(rest: bytes) -> tuple[bytes, bytes]:
    body = b""
    while True:
        found = CHUNK.match(rest)
        if found is None:
            if b"\r\n" in rest[:20]:
                raise Malformed(rest[:20])
            raise Incomplete
        length, rest = int(found[1], 16), rest[found.end() :]
        if len(rest) < length + 2:
            raise Incomplete
        if rest[length : length + 2] != b"\r\n":
            raise Malformed(rest[length : length + 2])
        body, rest = body + rest[:length], rest[length + 2 :]
        if length == 0:
            return body, rest


# -- as others read ------------------------------------------------------------------------------------

Seen = tuple[bytes, bytes, bytes]
"""Method, target, body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lenient:
    """A server that accepts what it should refuse: line ends, spaces, names and lengths of several kinds."""

    line_end: bytes = rb"\r?\n"
    length_first: bool = False
    """Content-Length counts where there is a Transfer-Encoding too."""
    last: bool = False
    """Of several values the last one counts."""

    def read(self, received: bytes) -> Iterator[Seen]:
        """Read one request after the other, to the end."""
        while received:
            lines, received = self._lines(received)
            method, target = [*lines[0].split(), b"", b""][:2]
            headers = self._headers(lines[1:])
            body, received = self._body(headers, received)
            yield method, target, body

    def _lines(self, received: bytes) -> tuple[list[bytes], bytes]:
        lines: list[bytes] = []
        while True:
            line, received = self._line(received)
            if (not line and lines) or not received:
                return lines or [line], received
            if line[:1] in (b" ", b"\t") and lines:
                lines[-1] += line
            elif line:
                lines.append(line)

    def _line(self, received: bytes) -> tuple[bytes, bytes]:
        found = re.search(self.line_end, received)
        return (received, b"") if found is None else (received[: found.start()], received[found.end() :])

    def _headers(self, lines: list[bytes]) -> dict[bytes, bytes]:
        headers: dict[bytes, bytes] = {}
        for line in lines:
            name, _, value = line.partition(b":")
            name = re.sub(rb"[^0-9a-z-]", b"", name.replace(b"_", b"-").lower())
            if self.last or name not in headers:
                headers[name] = value.strip()
        return headers

    def _body(self, headers: dict[bytes, bytes], received: bytes) -> tuple[bytes, bytes]:
        chunked = b"chunked" in headers.get(b"transfer-encoding", b"").lower()
        length = re.search(rb"[0-9]+", headers.get(b"content-length", b""))
        if chunked and not (length and self.length_first):
            return self._chunks(received)
        size = int(length[0]) if length else 0
        return received[:size], received[size:]

    def _chunks(self, received: bytes) -> tuple[bytes, bytes]:
        body = b""
        while True:
            line, received = self._line(received)
            found = re.match(rb"\s*(?:0[xX])?([0-9A-Fa-f]+)", line)
            size = int(found[1], 16) if found else 0
            body, received = body + received[:size], received[size:]
            _, received = self._line(received)
            if not size:
                return body, received


OTHERS = (
    Lenient(),
    Lenient(line_end=rb"\r\n|\r|\n"),
    Lenient(length_first=True),
    Lenient(last=True),
    Lenient(length_first=True, last=True),
)
