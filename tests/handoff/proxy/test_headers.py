"""Which headers pass, in both directions."""

import pytest

from tokenctl.handoff.proxy.headers import Headers, to_client, to_upstream

TOKEN = (b"Authorization", b"Bearer token")
HOST = (b"Host", b"api.example")


def upstream(headers: Headers) -> list[tuple[bytes, bytes]]:
    """What the upstream gets, without the host and the token, of which there is one each."""
    found = to_upstream(headers, host=b"api.example", authorization=b"Bearer token", secret_header=b"x-api-key")
    names = [name.lower() for name, _ in found]
    assert names.count(b"host") == names.count(b"authorization") == 1 and TOKEN in found and HOST in found
    return [each for each in found if each not in (TOKEN, HOST)]


def test_what_is_for_the_upstream_passes_unchanged() -> None:
    """Names keep their letters, and repeated headers their order; nothing is added."""
    headers = [(b"Accept", b"*/*"), (b"X-b", b"2"), (b"cookie", b"a=b"), (b"X-B", b"1"), (b"Content-Length", b"3")]
    assert upstream(headers) == headers


@pytest.mark.parametrize(
    "name",
    [
        "Connection",
        "Keep-Alive",
        "TE",
        "Trailer",
        "Upgrade",
        "Proxy-Authorization",
        "proxy-connection",
        "X-API-KEY",
        "Expect",
    ],
)
def test_what_is_for_this_hop_is_dropped(name: str) -> None:
    """It is between the client and this proxy (RFC 9110 section 7.6.1)."""
    assert upstream([(name.encode(), b"x"), (b"X-A", b"1")]) == [(b"X-A", b"1")]


def test_what_connection_names_is_dropped() -> None:
    """Each line of it, in any letters."""
    named = [
        (b"Connection", b"close, X-One"),
        (b"connection", b"x-TWO ,"),
        (b"X-One", b"1"),
        (b"x-two", b"2"),
        (b"X-3", b"3"),
    ]
    assert upstream(named) == [(b"X-3", b"3")]


@pytest.mark.parametrize("name", [b"authorization", b"host", b"content-length", b"transfer-encoding"])
def test_connection_takes_nothing_away_that_the_upstream_needs(name: bytes) -> None:
    """The token, the host and the end of the body are said whatever Connection names."""
    body = [(b"Content-Length", b"3")]
    assert upstream([(b"Host", b"x"), (b"Authorization", b"y"), (b"Connection", name), *body]) == body
    assert upstream([(b"Transfer-Encoding", b"chunked"), (b"Connection", name)]) == [(b"Transfer-Encoding", b"chunked")]


def test_a_length_beside_chunks_is_dropped() -> None:
    """The chunks tell where the body ends (RFC 9112 section 6.3)."""
    both = [(b"Content-Length", b"3"), (b"Transfer-Encoding", b"chunked")]
    assert upstream(both) == [(b"Transfer-Encoding", b"chunked")]
    assert to_client(both) == []


def test_an_answer_passes_unchanged_but_for_this_hop() -> None:
    """Cookies, the date and the server's name pass as they are."""
    kept = [(b"Date", b"x"), (b"Server", b"y"), (b"Set-Cookie", b"a"), (b"Set-Cookie", b"b"), (b"Content-Length", b"3")]
    dropped = [
        (b"Connection", b"close, x-a, content-length"),
        (b"X-A", b"1"),
        (b"Keep-Alive", b"5"),
        (b"Proxy-Authenticate", b"x"),
    ]
    assert to_client([*dropped, *kept]) == kept
