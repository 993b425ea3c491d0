"""The proxy of a request, chosen from its URL and the environment."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl.adapters.proxies import Proxy, choose, with_system_settings
from tokenctl.errors import UsageError

URL = "https://login.example/token"
PROXY = "http://proxy.example:3128"


def chosen(value: str) -> Proxy:
    """The proxy that the variable names."""
    proxy = choose(URL, {"HTTPS_PROXY": value})
    assert proxy is not None
    return proxy


@pytest.mark.parametrize(
    ("environ", "variable"),
    [
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other", "ALL_PROXY": "http://other"}, "https_proxy"),
        ({"HTTPS_PROXY": PROXY, "http_proxy": "http://other", "all_proxy": "http://other"}, "HTTPS_PROXY"),
        ({"https_proxy": "", "HTTPS_PROXY": PROXY}, "HTTPS_PROXY"),
        ({"all_proxy": PROXY, "ALL_PROXY": "http://other"}, "all_proxy"),
        ({"ALL_PROXY": PROXY}, "ALL_PROXY"),
        ({"HTTPS_PROXY": PROXY, "ALL_PROXY": "socks5://127.0.0.1:1080"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": PROXY, "ALL_PROXY": "nonsense://[", "HTTP_PROXY": "ftp://x"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": PROXY, "REQUEST_METHOD": "GET"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "", "no_proxy": " "}, "HTTPS_PROXY"),
    ],
)
def test_only_the_variable_that_the_request_needs_counts(environ: dict[str, str], variable: str) -> None:
    """The one of its scheme comes first, then the one for all; the one in lower case before the one in upper case."""
    proxy = choose(URL, environ)
    assert proxy is not None and (proxy.name, proxy.variable) == ("proxy.example:3128", variable)


@pytest.mark.parametrize(
    ("url", "environ"),
    [
        (URL, {}),
        (URL, {"HTTP_PROXY": PROXY, "FTP_PROXY": PROXY}),
        (URL, {"HTTPS_PROXY": "", "ALL_PROXY": " "}),
        (URL, {"HTTPS_PROXY": "ftp://[", "NO_PROXY": "login.example"}),
        (URL, {"HTTPS_PROXY": PROXY, "no_proxy": "login.example", "NO_PROXY": "other.example"}),
        (URL, {"HTTPS_PROXY": PROXY, "NO_PROXY": "login.example:443"}),
        ("http://login.example:80/", {"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}),
        ("https://[2001:db8::1]:8443/", {"HTTPS_PROXY": PROXY, "NO_PROXY": "[2001:db8::1]:8443"}),
        ("https://127.0.0.1/", {"HTTPS_PROXY": PROXY, "ALL_PROXY": PROXY}),
        ("https://[::1]:1/", {"HTTPS_PROXY": PROXY}),
        ("http://localhost:1/", {"http_proxy": PROXY}),
    ],
)
def test_a_request_without_a_proxy_goes_directly(url: str, environ: dict[str, str]) -> None:
    """Loopback and the hosts of NO_PROXY never have one, and then no proxy is looked at."""
    assert choose(url, environ) is None


@pytest.mark.parametrize(
    ("value", "scheme", "name"),
    [
        ("proxy.example:3128", "http", "proxy.example:3128"),
        ("proxy.example", "http", "proxy.example:80"),
        ("someone:secret@proxy.example:3128", "http", "proxy.example:3128"),
        ("HTTP://proxy.example/", "http", "proxy.example:80"),
        ("https://proxy.example", "https", "proxy.example:443"),
        ("https://proxy.example:/path?query#fragment", "https", "proxy.example:443"),
        ("socks5://127.0.0.1", "socks5", "127.0.0.1:1080"),
        ("socks5h://127.0.0.1:9050", "socks5", "127.0.0.1:9050"),
        ("socks://127.0.0.1:1080/", "socks5", "127.0.0.1:1080"),
        ("http://[2001:db8::1]:3128", "http", "[2001:db8::1]:3128"),
        ("[2001:db8::1]", "http", "[2001:db8::1]:80"),
        ("2001:db8::1", "http", "[2001:db8::1]:80"),
        ("http://bücher.example:1", "http", "xn--bcher-kva.example:1"),
    ],
)
def test_a_proxy_is_read_as_people_write_it(value: str, scheme: str, name: str) -> None:
    """With a scheme or without, with a port or without."""
    proxy = chosen(f" {value} ")
    assert (proxy.scheme, proxy.name) == (scheme, name)


@pytest.mark.parametrize(
    "value",
    [
        *("ftp://proxy.example", "socks4://proxy.example", "socks4a://proxy.example", "http://", "http://:3128"),
        *(
            "http://proxy.example:0",
            "http://proxy.example:65536",
            "http://proxy.example:x",
            "http://[::1",
            "http://[x]",
        ),
        *("http://pro xy", "http://proxy:1:2", "http://user:secret@", "quic://secret@x"),
    ],
)
def test_what_is_no_proxy_is_named_by_its_variable(value: str) -> None:
    """The message never has the value, which can have a password."""
    with pytest.raises(UsageError, match=r"^HTTPS_PROXY names ") as caught:
        chosen(value)
    assert "secret" not in f"{caught.value.message} {caught.value.hint}"


@given(st.text(st.characters(codec="utf-8", exclude_characters="%", exclude_categories=["Cc", "Cs"]), max_size=20))
def test_a_password_may_have_every_character(password: str) -> None:
    """Only a % must be written as %25, and only where two hexadecimal digits follow it."""
    for written in (f"http://someone:{password}@proxy.example:3128", f"someone:{password}@proxy.example:3128"):
        proxy = choose(URL, {"https_proxy": written})
        assert proxy is not None and proxy.name == "proxy.example:3128"
        assert (proxy.user, proxy.password) == (b"someone", password.encode())
        assert not password or len(password) < 12 or password not in repr(proxy)


@pytest.mark.parametrize(
    ("written", "password"),
    [("p%23%40%25%2F", b"p#@%/"), ("100%", b"100%"), ("5%zz", b"5%zz"), ("a#b@c/d?e:f", b"a#b@c/d?e:f"), ("", b"")],
)
def test_a_password_may_be_encoded(written: str, password: bytes) -> None:
    """As in every URL; a % that begins no code is a %."""
    proxy = chosen(f"http://someone:{written}@proxy.example:3128")
    assert (proxy.user, proxy.password, proxy.name) == (b"someone", password, "proxy.example:3128")


def test_a_proxy_without_credentials_has_none() -> None:
    """Then nothing is sent to it that looks like some."""
    assert chosen(PROXY).user is None


def test_the_settings_of_the_system_count_where_the_environment_names_no_proxy() -> None:
    """Windows and macOS have such settings; elsewhere the environment is all there is."""
    environ = {"HTTPS_PROXY": PROXY}
    assert with_system_settings(URL, environ) is environ
    assert "PATH" not in os.environ or with_system_settings(URL, os.environ)["PATH"] == os.environ["PATH"]
