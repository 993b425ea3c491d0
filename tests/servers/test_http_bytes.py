"""The readers that judge the proxy: the strict one refuses what the others understand in different ways."""

import pytest

from tests.handoff.proxy.attacks import DOTS
from tests.servers import http_bytes
from tests.servers.http_bytes import OTHERS, Incomplete, Malformed, Seen
from tests.support.dot_segments import dangers

HEAD = b"POST /a HTTP/1.1\r\nHost: x\r\n"
INNER = b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n"


def strictly(received: bytes) -> tuple[Seen, ...]:
    """What the strict reader sees, up to where it refuses to go on."""
    seen = []
    while received:
        try:
            request, received = http_bytes.request(received)
        except (Malformed, Incomplete):
            break
        seen.append((request.first, request.target, request.body))
    return tuple(seen)


@pytest.mark.parametrize(
    "received",
    [
        HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + INNER,
        HEAD + b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(INNER) + INNER,
        HEAD + b"X-A: b\rTransfer-Encoding: chunked\r\n\r\n" + b"1c\r\n" + INNER + b"\r\n0\r\n\r\n",
        HEAD + b"Transfer_Encoding: chunked\r\n\r\n1c\r\n" + INNER + b"\r\n0\r\n\r\n",
    ],
)
def test_what_two_servers_understand_differently(received: bytes) -> None:
    """The strict reader refuses it, or the lenient ones show the difference."""
    assert {strictly(received)} != {tuple(other.read(received)) for other in OTHERS}


@pytest.mark.parametrize(
    "received", [INNER * 3, HEAD + b"Transfer-Encoding: chunked\r\n\r\n1c\r\n" + INNER + b"\r\n0\r\n\r\n"]
)
def test_what_all_understand_alike(received: bytes) -> None:
    """The lenient readers see what the strict one sees."""
    assert {strictly(received)} == {tuple(other.read(received)) for other in OTHERS}


@pytest.mark.parametrize("dots", DOTS)
def test_a_dot_segment_is_found_in_every_encoding(dots: bytes) -> None:
    """And what only looks like one is none."""
    assert dangers(b"/v1/" + dots + b"/x")
    assert not dangers(b"/v1/x?" + dots)
