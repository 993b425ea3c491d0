"""The proxy and bytes that nobody thought of: from radamsa, a fuzzer that knows nothing of this program, and hypothesis."""

import secrets
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.handoff.proxy import attacks
from tests.handoff.proxy.attacks import END, chunk
from tests.handoff.proxy.test_hostile_upstream import CUT, RIGHT, WRONG
from tests.servers import http_bytes
from tests.servers.http_bytes import Incomplete, Message
from tests.servers.recording_upstream import RecordingUpstream, with_tag
from tests.support.proxied import HOP_BY_HOP, Proxied, proxied
from tests.support.raw_client import RawClient
from tests.support.real_parts import available, library

pytestmark = pytest.mark.slow  # thousands of requests

CASES = 2000
AT_ONCE = 40
ATTACKS = [*attacks.LENGTHS, *attacks.LINES, *attacks.SECRETS, *attacks.HOSTS, *attacks.TARGETS]
SEEDS = [each.sent for each in ATTACKS if len(each.sent) < 1000]
FEW = settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def shared() -> Iterator[Proxied]:
    """One proxy without `--allow`, so that as much as possible reaches the upstream."""
    with RecordingUpstream() as upstream, proxied(upstream) as proxy:
        yield proxy


@pytest.fixture
def proxy(shared: Proxied) -> Iterator[Proxied]:
    """The shared proxy, whose upstream answers well again afterwards."""
    yield shared
    shared.upstream.answer = with_tag


def bombard(proxy: Proxied, *cases: bytes) -> None:
    """Send each on a connection of its own; then expect honest answers, none that is a defect, and a clean upstream."""
    proxy.upstream.forget()
    clients = [proxy.connect() for _ in cases]
    try:
        for client, case in zip(clients, cases, strict=True):
            client.send(case)
        proxy.goes_on()
        answers = [whole_answers(client) for client in clients]
    finally:
        for client in clients:
            client.socket.close()
    assert not [status for each in answers for status in each if status == 500], (cases, answers)
    proxy.goes_on()
    proxy.check()


def whole_answers(client: RawClient) -> list[int]:
    """The answers that have come by now; each must be HTTP by the letter."""
    client.socket.setblocking(False)
    try:
        while part := client.socket.recv(65536):
            client.received += part
    except (BlockingIOError, ConnectionResetError):
        pass
    found = []
    while client.received:
        try:
            answer, client.received = http_bytes.answer(client.received)
        except Incomplete:
            break
        found.append(answer.status)
    return found


def _radamsa() -> Any:
    with available():
        return library("pyradamsa").Radamsa()


def test_radamsa_gets_nothing_through(proxy: Proxied) -> None:
    """Radamsa changes the attacks two thousand times, each time in the same way; the upstream stays clean."""
    radamsa = _radamsa()
    seeds = [proxy.filled(each) for each in SEEDS]
    cases = [radamsa.fuzz(seeds[number % len(seeds)], seed=number) for number in range(CASES)]
    for first in range(0, CASES, AT_ONCE):
        bombard(proxy, *cases[first : first + AT_ONCE])


def test_radamsa_at_the_upstream_brings_no_client_a_foreign_answer(proxy: Proxied) -> None:
    """Radamsa changes what an upstream answers: each client gets HTTP by the letter, or a connection that is cut."""
    radamsa = _radamsa()
    seeds = [*WRONG.values(), *(said for said, _ in RIGHT.values()), *CUT.values()]
    seeds = [each for each in seeds if 0 < len(each) < 1000]
    said = [radamsa.fuzz(seeds[number % len(seeds)], seed=number) for number in range(CASES // 2)]

    def answer(connection: socket.socket, request: Message) -> None:
        case = request.one(b"x-case")
        if case is None:
            with_tag(connection, request)
            return
        connection.sendall(said[int(case)])
        if int(case) % 2:
            connection.shutdown(socket.SHUT_RDWR)

    proxy.upstream.answer = answer
    for first in range(0, len(said), AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, len(said)))
        bombard(proxy, *(proxy.filled(attacks.get(headers=b"X-Case: %d\r\n" % number)) for number in numbers))


PIECES = (
    *(b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"\0", b"/", b"..", b"%2e", b"?", b"#", b",", b";", b"0", b"3", b"abc", b"\xff", b"\r\n\r\n"),
    *(b"GET ", b"POST ", b"/v1/x", b" HTTP/1.1\r\n", b"<HOST>", b"<AUTH>", b"<SECRET>", b"Content-Length: 3\r\n", b"Content-Length: 5\r\n"),
    *(attacks.CHUNKED, END, chunk(b"abc"), attacks.INNER, b"Connection: ", b"X-A: b", b"Authorization: ", b"Expect: 100-continue\r\n"),
    *(attacks.get(), attacks.post(attacks.CHUNKED, b""), attacks.post(b"Content-Length: 3\r\n", b"")),
)  # fmt: skip


@FEW
@given(cases=st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=10))
def test_any_bytes(proxy: Proxied, cases: list[bytes]) -> None:
    """Bytes at random are no request."""
    bombard(proxy, *cases)
    assert {each.target for each in proxy.upstream.requests} == {b"/base/v1/honest"}


@FEW
@given(
    cases=st.lists(
        st.lists(st.sampled_from(PIECES) | st.binary(max_size=3), min_size=1, max_size=12).map(b"".join),
        min_size=1,
        max_size=10,
    )
)
def test_pieces_of_http_in_any_order(proxy: Proxied, cases: list[bytes]) -> None:
    """Whatever is made of pieces of HTTP, the upstream sees whole and clean requests."""
    bombard(proxy, *(proxy.filled(each) for each in cases))


OURS = {b"host", b"authorization", b"x-api-key", b"content-length", b"transfer-encoding", b"x-tag"}
NAMES = st.from_regex(rb"[a-z][!#$%&'*+.^`|~0-9A-Za-z]{0,10}-[!#$%&'*+.^`|~0-9A-Za-z-]{1,10}", fullmatch=True).filter(
    lambda name: name.lower() not in HOP_BY_HOP | OURS
)
VALUES = st.binary(max_size=30).map(lambda value: bytes(each for each in value if each >= 32 and each != 127).strip())
SEGMENTS = st.from_regex(rb"[A-Za-z0-9!$&'()*+,=:@~_-]{0,8}(%[2-7][0-9A]){0,2}[a-z]", fullmatch=True)
QUERIES = st.just(b"") | st.from_regex(rb"\?[!\"$-\[\]-~]{0,20}", fullmatch=True)
BODIES = st.binary(max_size=300)


@FEW
@given(
    method=st.sampled_from([b"GET", b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"QUERY"]),
    path=st.lists(SEGMENTS, min_size=1, max_size=4).map(b"/".join).filter(lambda path: b"%5" not in path),
    query=QUERIES,
    headers=st.lists(st.tuples(NAMES, VALUES), max_size=8),
    body=BODIES,
    chunked=st.booleans(),
)
def test_an_honest_request_passes_unchanged(
    proxy: Proxied,
    method: bytes,
    path: bytes,
    query: bytes,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
    chunked: bool,
) -> None:
    """Target, headers and body arrive as they were sent; the secret has become the token; nothing else is new."""
    proxy.upstream.forget()
    target = b"/v1/" + path + query
    tag = secrets.token_hex(8).encode()
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(body)
    lines = [name + b": " + value for name, value in [*headers, (b"X-Tag", tag)]]
    with proxy.connect() as client:
        client.send(
            proxy.filled(b"%s %s HTTP/1.1\r\n<HOST><AUTH>%s\r\n" % (method, target, framing)),
            b"\r\n".join([*lines, b"", b""]),
            (chunk(body) if body else b"") + END if chunked else body,
        )
        answer = client.answer()
    assert (answer.status, answer.body) == (200, tag)
    proxy.check()
    (seen,) = proxy.upstream.requests
    assert (seen.first, seen.target, seen.body) == (method, b"/base" + target, body)
    passed = [(name.lower(), value) for name, value in seen.headers if name.lower() not in OURS - {b"x-tag"}]
    assert passed == [(name.lower(), value) for name, value in headers] + [(b"x-tag", tag)]
