"""How a client proves who it is."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.responses import SECRET
from tokenctl.errors import UsageError
from tokenctl.oauth.client_auth import METHODS, SENDING_METHODS, Client, candidates, preferred, request
from tokenctl.oauth.metadata import Metadata


def server(*methods: str) -> Metadata:
    """A server that lists these methods."""
    return Metadata(issuer="https://a.example", token_endpoint_auth_methods_supported=methods or None)


def credentials(header: str) -> str:
    """What a Basic header says."""
    return base64.b64decode(header.removeprefix("Basic ")).decode()


PRIVATE_KEY = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("client_id", "secret", "said"),
    [
        ("c", "s", "c:s"),
        ("a:b%", "p+ss w%rd:&=é/", "a%3Ab%25:p%2Bss%20w%25rd%3A%26%3D%C3%A9%2F"),
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
        ((), "s", None, "client_secret_basic client_secret_post"),
        ((), "s b", None, "client_secret_basic client_secret_basic_raw client_secret_post"),
        (("client_secret_basic",), "s", None, "client_secret_basic client_secret_post"),
        (("client_secret_post", "client_secret_basic"), "s", None, "client_secret_post client_secret_basic"),
        (("client_secret_post",), "s%", None, "client_secret_post client_secret_basic client_secret_basic_raw"),
        (("client_secret_post", "private_key_jwt"), "s", None, "client_secret_post client_secret_basic"),
        (("none", "private_key_jwt"), "s", None, "client_secret_basic client_secret_post"),
        (("client_secret_jwt", "private_key_jwt"), "s", None, "client_secret_jwt"),
        (("client_secret_jwt", "client_secret_post"), "s", None, "client_secret_post client_secret_basic"),
        (("client_secret_basic",), "s", "client_secret_post", "client_secret_post"),
        (("client_secret_basic",), "s ", "client_secret_basic", "client_secret_basic"),
        (("client_secret_basic",), "s", "client_secret_basic_raw", "client_secret_basic_raw"),
        (("client_secret_basic",), "s", "client_secret_jwt", "client_secret_jwt"),
        ((), "s", "none", "none"),
        (("client_secret_basic",), PRIVATE_KEY, None, "private_key_jwt"),
        ((), PRIVATE_KEY, "private_key_jwt", "private_key_jwt"),
    ],
)
def test_the_profile_chooses_then_the_server(
    listed: tuple[str, ...], secret: str | None, wanted: str | None, method: str
) -> None:
    """The profile's method stands alone; else each method that sends the secret is tried, what the server lists first."""
    found = candidates(server(*listed), "c", secret, wanted)
    assert [each.auth_method for each in found] == method.split()
    assert {(each.client_id, each.secret) for each in found} == {("c", secret)}


@pytest.mark.parametrize("wanted", [*SENDING_METHODS, "client_secret_basic_raw", "client_secret_jwt"])
def test_a_private_key_is_never_sent(wanted: str) -> None:
    """It can be the stored secret of a profile whose method was changed since."""
    with pytest.raises(UsageError, match="is a private key") as caught:
        candidates(server(wanted), "c", PRIVATE_KEY, wanted)
    assert "private_key_jwt" in (caught.value.hint or "")


def test_a_client_id_with_a_colon_is_never_sent_raw() -> None:
    """Without the encoding its colon would end it, and the server would read another client and another secret."""
    assert [each.auth_method for each in candidates(server(), "a:b", "s s")] == list(SENDING_METHODS)


@given(
    st.lists(st.sampled_from((*sorted(METHODS), "tls_client_auth", "", "CLIENT_SECRET_POST"))),
    st.text(min_size=1),
    st.text(min_size=1),
    st.sampled_from(SENDING_METHODS),
)
def test_the_order_of_methods(listed: list[str], client_id: str, secret: str, accepted: str) -> None:
    """At most three methods, each once and each with other bytes, what the server lists first, and none that only signs."""
    found = candidates(server(*listed), client_id, secret)
    names = [each.auth_method for each in found]
    if not set(SENDING_METHODS) & set(listed) and "client_secret_jwt" in listed:
        assert names == ["client_secret_jwt"]
        return
    assert set(SENDING_METHODS) <= set(names) <= {*SENDING_METHODS, "client_secret_basic_raw"}
    assert len({repr(sent(each)) for each in found}) == len(names) <= 3
    offered = [name for name in dict.fromkeys(listed) if name in SENDING_METHODS]
    assert [name for name in names if name in SENDING_METHODS][: len(offered)] == offered
    if "client_secret_basic_raw" in names:
        assert names.index("client_secret_basic_raw") == names.index("client_secret_basic") + 1
    first = preferred(found, Client(client_id=client_id, auth_method=accepted, secret=secret))
    assert first[0].auth_method == accepted and set(first) == set(found)


def sent(client: Client) -> object:
    """Tell what a request of the client sends."""
    built = request("https://a.example", client)
    return built.headers, built.form


@pytest.mark.parametrize("secret", [None, ""])
@pytest.mark.parametrize("wanted", ["client_secret_basic", "client_secret_basic_raw", "client_secret_post"])
def test_a_method_without_its_secret_is_a_usage_error(secret: str | None, wanted: str) -> None:
    """An empty secret is none, and the hint says how to give one."""
    with pytest.raises(UsageError, match=wanted) as caught:
        candidates(server(), "c", secret, wanted)
    assert "--client-secret-stdin" in (caught.value.hint or "")


def test_a_client_does_not_show_its_secret() -> None:
    """What is printed of a record holds no secret."""
    assert SECRET not in repr(Client(client_id="c", auth_method="client_secret_post", secret=SECRET))
