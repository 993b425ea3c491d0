"""The description of a token API: what a profile may say, and what is refused with its name."""

from typing import Any

import pytest

from tokenctl.errors import UsageError
from tokenctl.model.token_api import from_members, members_of

GOOD: dict[str, Any] = {
    "username": "ada",
    "login": {
        "url": "https://api.example.com/login",
        "headers": {"X-Version": "2"},
        "body": {"key": "{api_key}", "nested": {"list": ["{username}", 1, True]}},
        "access_token": "/data/access",
        "refresh_token": "/data/refresh",
        "expires_in": "/data/expires_in",
    },
    "refresh": {"url": "https://api.example.com/refresh", "method": "PUT", "access_token": "/a~1b/0"},
    "revoke": {"url": "https://api.example.com/revoke", "method": "DELETE"},
}


def changed(call: str, **members: object) -> dict[str, Any]:
    """The good description with one call changed."""
    return GOOD | {call: GOOD[call] | members}


def test_a_description_is_written_as_it_was_read() -> None:
    """What the config file says comes back the same."""
    api = from_members(GOOD, "x")
    assert api.refresh is not None and api.refresh.method == "PUT"
    assert members_of(api) == GOOD and from_members(members_of(api), "x") == api


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ("text", "must be a table"),
        ({}, "no login"),
        (GOOD | {"logout": {}}, "'logout' is unknown"),
        (GOOD | {"username": 7}, "username"),
        (GOOD | {"login": "https://a.example"}, "login must be a table"),
        (changed("login", url=""), "url is missing"),
        (changed("login", verb="GET"), "'verb' is unknown"),
        (changed("login", method="TRACE"), "method"),
        (changed("login", headers={"A": 1}), "headers"),
        (changed("login", headers={"A": "x\ny"}), "headers"),
        (changed("login", body="x"), "body"),
        (changed("login", body={"a": ["{token}"]}), "no placeholder '{token}'"),
        (changed("login", headers={"A": "{secret}"}), "no placeholder '{secret}'"),
        (changed("login", access_token="access"), "JSON Pointer"),
        (changed("login", expires_in="/a~2"), "JSON Pointer"),
        (GOOD | {"login": {"url": "https://a.example"}}, "access_token is missing"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_named(members: Any, says: str) -> None:
    """The error says where, what, and what there is."""
    with pytest.raises(UsageError, match=says):
        from_members(members, "profiles.x.api")


def test_an_unknown_placeholder_names_those_there_are() -> None:
    """So that nobody has to look them up."""
    with pytest.raises(UsageError) as caught:
        from_members(changed("login", body={"a": "{token}"}), "x")
    assert "{api_key}" in (caught.value.hint or "") and "{refresh_token}" in (caught.value.hint or "")
