"""How a client proves who it is."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.responses import SECRET
from tokenctl.errors import UsageError
from tokenctl.oauth.client_auth import METHODS, Client, choose, request
from tokenctl.oauth.metadata import Metadata


def server(*methods: str) -> Metadata:
    """A server that lists these methods."""
    return Metadata(issuer="https://a.example", token_endpoint_auth_methods_supported=methods or None)


def credentials(header: str) -> str:
    """What a Basic header says."""
    return base64.b64decode(header.removeprefix("Basic ")).decode()


@pytest.mark.parametrize(
    ("client_id", "secret", "said"),
    [
        ("c", "s", "c:s"),
        ("a:b%", "p+ss w%rd:&=é/", "a%3Ab%25:p%2Bss+w%25rd%3A%26%3D%C3%A9%2F"),
    ],
)
def test_basic_encodes_both_parts_before_they_are_joined(client_id: str, secret: str, said: str) -> None:
    """RFC 6749 section 2.3.1: a colon in the id must not end it."""
    built = request("https://a.example", Client(client_id=client_id, auth_method="client_secret_basic", secret=secret))
    assert credentials(built.headers["Authorization"]) == said and built.form == ()


def test_raw_basic_encodes_nothing() -> None:
    """For the servers that forgot the encoding."""
    built = request("https://a.example", Client(client_id="c", auth_method="client_secret_basic_raw", secret="a b%é"))
    assert credentials(built.headers["Authorization"]) == "c:a b%é"


def test_post_puts_the_secret_into_the_body_only() -> None:
    """Never into the URL, and not into a header as well."""
    built = request(
        "https://a.example", Client(client_id="c", auth_method="client_secret_post", secret=SECRET), ("a", "b")
    )
    assert built.form == (("a", "b"), ("client_id", "c"), ("client_secret", SECRET))
    assert built.headers == {} and SECRET not in built.url


def test_a_public_client_says_only_who_it_is() -> None:
    """A secret it has all the same is not sent."""
    built = request("https://a.example", Client(client_id="c", secret=SECRET), ("a", "b"))
    assert built.form == (("a", "b"), ("client_id", "c")) and built.headers == {}


@given(st.sampled_from(sorted(METHODS)), st.text(min_size=1), st.text(min_size=1))
def test_exactly_one_method_is_used(method: str, client_id: str, secret: str) -> None:
    """Two at once are refused by servers (RFC 6749 section 2.3), and nothing that was given can break the request."""
    built = request("https://a.example", Client(client_id=client_id, auth_method=method, secret=secret))
    in_form = bool({"client_secret", "client_assertion"} & set(dict(built.form or ())))
    assert in_form + ("Authorization" in built.headers) == (method not in ("none", "api_key"))
    assert str(built.content).isascii() and all(
        value.isascii() and value.isprintable() for value in built.headers.values()
    )


@pytest.mark.parametrize(
    ("listed", "secret", "wanted", "method"),
    [
        ((), None, None, "none"),
        (("client_secret_basic",), None, None, "none"),
        ((), "s", None, "client_secret_basic"),
        (("client_secret_post", "client_secret_basic"), "s", None, "client_secret_basic"),
        (("client_secret_post", "private_key_jwt"), "s", None, "client_secret_post"),
        (("client_secret_basic",), "s", "client_secret_post", "client_secret_post"),
        (("client_secret_basic",), "s", "client_secret_basic_raw", "client_secret_basic_raw"),
        ((), "s", "none", "none"),
    ],
)
def test_the_profile_chooses_then_the_server(
    listed: tuple[str, ...], secret: str | None, wanted: str | None, method: str
) -> None:
    """Without a wish, Basic where the server lists it or lists nothing."""
    client = choose(server(*listed), "c", secret, wanted)
    assert (client.client_id, client.auth_method, client.secret) == ("c", method, secret)


@pytest.mark.parametrize("secret", [None, ""])
@pytest.mark.parametrize("wanted", ["client_secret_basic", "client_secret_basic_raw", "client_secret_post"])
def test_a_method_without_its_secret_is_a_usage_error(secret: str | None, wanted: str) -> None:
    """An empty secret is none, and the hint says how to give one."""
    with pytest.raises(UsageError, match=wanted) as caught:
        choose(server(), "c", secret, wanted)
    assert "--client-secret-stdin" in (caught.value.hint or "")


def test_a_client_does_not_show_its_secret() -> None:
    """What is printed of a record holds no secret."""
    assert SECRET not in repr(Client(client_id="c", auth_method="client_secret_post", secret=SECRET))
