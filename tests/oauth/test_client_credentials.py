"""The client credentials grant."""

import pytest

from tests.support.responses import SECRET
from tokenctl.oauth.client_auth import Client
from tokenctl.oauth.client_credentials import client_credentials_request

CLIENT = Client(client_id="c", auth_method="client_secret_post", secret=SECRET)


@pytest.mark.parametrize(
    ("scope", "resource", "audience", "expected"),
    [
        (None, (), None, ()),
        ("", (), "", ()),
        ("a b", (), None, (("scope", "a b"),)),
        (
            "a",
            ("urn:x", "urn:y"),
            "z",
            (("scope", "a"), ("resource", "urn:x"), ("resource", "urn:y"), ("audience", "z")),
        ),
    ],
)
def test_what_was_asked_for_goes_along_and_nothing_else(
    scope: str | None, resource: tuple[str, ...], audience: str | None, expected: tuple[tuple[str, str], ...]
) -> None:
    """Empty settings are left out, and the secret is in the body alone."""
    built = client_credentials_request("https://a.example/token", CLIENT, scope, resource, audience)
    grant, last = ("grant_type", "client_credentials"), (("client_id", "c"), ("client_secret", SECRET))
    assert built.form == (grant, *expected, *last)
    assert built.url == "https://a.example/token" and SECRET not in repr(built)
