"""Origins: which texts are one, and when two are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl.model import origins


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.example.com", "https://api.example.com"),
        ("https://api.example.com:443/v1?q#f", "https://api.example.com"),
        ("HTTPS://API.Example.COM/", "https://api.example.com"),
        ("https://api.example.com:0443", "https://api.example.com"),
        ("http://localhost:80", "http://localhost"),
        ("https://api.example.com:80", "https://api.example.com:80"),
        ("https://api.example.com.", "https://api.example.com."),
        ("http://[0:0::1]:8080/x", "http://[::1]:8080"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://a?b", "https://a"),
        ("https://a#b@c", "https://a"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, expected: str) -> None:
    """The scheme's own port is left out, the host is in lower case, and nothing else is changed."""
    assert origins.origin_of(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        *("", "api.example.com", "//api.example.com", "https://", "https:///x", "https:api.example.com"),
        *("ftp://a.example", "wss://a.example", "file:///etc", "unix:///run/x", "httpss://a.example"),
        *("https://user@a.example", "https://a.example@evil.example", "https://a:b@a.example", "https://@a.example"),
        *("https://a.example:", "https://a.example:0", "https://a.example:65536", "https://a.example:4 3"),
        *(
            "https://a.example:443:443",
            "https://a.example\\@evil.example",
            "https://a.example\n",
            "https://a.exa\0mple",
        ),
        *("https://a.example/\r\nHost: evil", " https://a.example", "https://a.example /", "https://bücher.example"),
        *("https://a%2eexample", "https://[::1", "https://::1", "https://[::1%25eth0]", "https://[1.2.3.4]"),
        *("https://[v1.x]", "https://*.example.com", "https://a,b", f"https://{'a' * 254}", f"https://a/{'a' * 9000}"),
    ],
)
def test_anything_else_has_no_origin(url: str) -> None:
    """User information, a backslash, control characters, names that are not ASCII, wildcards, other schemes."""
    with pytest.raises(ValueError, match="not a"):
        origins.origin_of(url) if "[" not in url else _refused(url)


def _refused(url: str) -> None:
    try:
        origins.origin_of(url)
    except ValueError:
        raise ValueError("not a URL: ipaddress has words of its own") from None


@given(st.text(max_size=60))
def test_no_text_makes_another_error(text: str) -> None:
    """Any text is an origin or a ValueError; what is an origin once stays the same."""
    for each in (text, f"https://{text}", f"https://a.example{text}"):
        try:
            found = origins.origin_of(each)
        except ValueError:
            continue
        assert origins.origin_of(found) == found
        assert origins.host_of(found) in found


@pytest.mark.parametrize(
    "other",
    [
        *("http://127.0.0.1:8000", "https://127.0.0.1:8001", "https://localhost:8000", "https://127.1:8000"),
        *("https://127.0.0.1", "https://[::1]:8000", "https://2130706433:8000", "https://127.0.0.1.:8000"),
        *("https://0x7f.1:8000", "https://127.0.0.2:8000", "https://[::ffff:127.0.0.1]:8000"),
    ],
)
def test_only_the_same_text_is_the_same_origin(other: str) -> None:
    """Another scheme, port or spelling of the host is another origin, even if the same server answers there."""
    assert origins.origin_of(other) != origins.origin_of("https://127.0.0.1:8000/")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *(("localhost", True), ("127.0.0.1", True), ("127.8.9.1", True), ("::1", True)),
        *(("localhost.", False), ("a.localhost", False), ("10.0.0.1", False), ("", False), (None, False)),
    ],
)
def test_only_literals_and_localhost_are_this_machine(host: str | None, expected: bool) -> None:
    """A name that some name server could point elsewhere does not count."""
    assert origins.is_loopback(host) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(("a.example", "//a.example"), ("A.example:5000", "//a.example:5000"), ("a.example:443/x", "//a.example:443")),
        *(("https://a.example:443/v1/", "https://a.example"), ("[::1]:5000", "//[::1]:5000"), ("a/b:c@d", "//a")),
    ],
)
def test_an_address_can_lack_the_scheme(text: str, expected: str) -> None:
    """A host with or without a port is an address of its own; a URL is its origin."""
    assert origins.address_of(text) == expected


@pytest.mark.parametrize(
    "text", ["", "//a", "a b", "user@a", "a\n", "a:", "a:0", "a:65536", "ftp://a", "a:1:2", "*.a", "<token>", "ü"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """User information, control characters, wildcards and ports that do not exist are no address."""
    with pytest.raises(ValueError, match="not a"):
        origins.address_of(text)


@pytest.mark.parametrize(
    ("address", "origin", "expected"),
    [
        *(("//a.example", "https://a.example", True), ("//a.example:443", "https://a.example", True)),
        *(("//a.example:80", "https://a.example", False), ("//a.example", "https://a.example:5000", False)),
        *(("//127.0.0.1", "http://127.0.0.1", True), ("//127.0.0.1:80", "http://127.0.0.1", True)),
        *(("//127.0.0.1:443", "http://127.0.0.1", False), ("//b.a.example", "https://a.example", False)),
        *(("//[::1]:5000", "http://[::1]:5000", True), ("https://a.example", "https://a.example", True)),
        *(("http://a.example", "https://a.example", False), ("//a.example", "https://a.example.evil.example", False)),
    ],
)
def test_an_address_means_an_origin_with_the_same_host_and_port(address: str, origin: str, expected: bool) -> None:
    """Without a scheme the port may be left out where it is the scheme's own; nothing else is alike."""
    assert origins.is_at(address, origin) is expected
