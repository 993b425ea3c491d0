"""Addresses as HTTP sends them."""

import pytest

from tokenctl.adapters.http_address import address, host_and_port, host_header


@pytest.mark.parametrize(
    ("url", "host", "port", "target", "header"),
    [
        ("https://a.example", "a.example", None, "/", "a.example"),
        ("https://A.Example:443/Token?x=1", "a.example", 443, "/Token?x=1", "a.example"),
        ("http://127.0.0.1:8080/a%20b/?q=a%2Fb&r", "127.0.0.1", 8080, "/a%20b/?q=a%2Fb&r", "127.0.0.1:8080"),
        ("http://[::1]:80/", "::1", 80, "/", "[::1]"),
        ("https://[::1]:8443/?", "::1", 8443, "/", "[::1]:8443"),
        (
            "https://b\u00fccher.example:1/\u00fc?\u00fc",
            "xn--bcher-kva.example",
            1,
            "/%C3%BC?%C3%BC",
            "xn--bcher-kva.example:1",
        ),
        ("https://user:pa@a.example/a b", "a.example", None, "/a%20b", "a.example"),
        ("https://a.example/x#fragment", "a.example", None, "/x", "a.example"),
        (
            "https://a.example/;p=(1)/~a!$&'*+,:@?a[]=<>",
            "a.example",
            None,
            "/;p=(1)/~a!$&'*+,:@?a[]=%3C%3E",
            "a.example",
        ),
    ],
)
def test_an_address_is_written_for_the_wire(url: str, host: str, port: int | None, target: str, header: str) -> None:
    """What must be escaped is escaped once, a host name is ASCII, and nothing else is changed."""
    found = address(url)
    assert (found.host, found.port, found.target) == (host.encode(), port, target.encode())
    assert host_header(url) == header


@pytest.mark.parametrize(
    "url",
    [
        *("", "a.example", "//a.example/", "ftp://a.example/", "https://", "https:///x", "https://a.example:x/"),
        *(
            "https://a.example:65536/",
            "https://[::1/",
            "https://a.example/\r\nX: y",
            "https://a.example/\x00",
            "http://\ud800/",
        ),
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    """Nothing is sent to it."""
    with pytest.raises(ValueError):  # noqa: PT011  (some are a UnicodeError)
        address(url)


def test_a_person_is_told_host_and_port() -> None:
    """Without a password, and without the scheme's own port."""
    assert host_and_port("https://user:password@a.example:443/x") == "a.example"
    assert host_and_port("http://a.example:8080/x") == "a.example:8080"
