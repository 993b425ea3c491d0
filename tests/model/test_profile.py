"""The profile: what may stand in it, and what is said when it may not."""

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenctl.errors import UsageError
from tokenctl.model.choices import AUTH_METHODS, FLOWS, STORES
from tokenctl.model.profile import CHECKS, Profile, check_name, from_members, members_of
from tokenctl.model.profile_checks import check_resource, duration


def test_a_full_profile_is_read() -> None:
    """Every kind of setting, each in its own form."""
    found = from_members(
        "work",
        {
            "issuer": "https://a.example",
            "client_id": "c",
            "scope": ["openid", "api"],
            "resource": "https://api.example.com",
            "min_ttl": "5m",
            "port": 8080,
            "params": {"prompt": "login"},
            "env": "TOKEN=Bearer {access_token}",
            "store": "file",
        },
        "here",
    )
    assert found == Profile(
        name="work",
        issuer="https://a.example",
        client_id="c",
        scope="openid api",
        resource=("https://api.example.com",),
        min_ttl=300,
        port=8080,
        params=(("prompt", "login"),),
        env="TOKEN=Bearer {access_token}",
        store="file",
    )


def test_a_profile_names_its_own_endpoints() -> None:
    """Only those it has, named as in the metadata."""
    profile = Profile(
        name="x", token_endpoint="https://a.example/t", jwks_uri="https://a.example/k", redirect_uri="http://x"
    )
    assert profile.endpoints == {"token_endpoint": "https://a.example/t", "jwks_uri": "https://a.example/k"}
    assert Profile(name="x").endpoints == {}


@pytest.mark.parametrize(
    ("params", "seconds"), [({"max_age": "0"}, 0), ({"max_age": "3600"}, 3600), ({"max_age": ""}, None), ({}, None)]
)
def test_max_age_is_a_number_of_seconds(params: dict[str, str], seconds: int | None) -> None:
    """What the authorization request asks for can be checked afterwards; an empty one asks for nothing."""
    assert from_members("x", {"params": params}, "here").max_age == seconds


WRONG: dict[str, tuple[object, ...]] = {
    "issuer": (None, 7, True, "", [], {}, "a\nb", "a\x1b[31m", "a\u202eb", "a\0"),
    "client_id": (7, "", ["c"]),
    "scope": ("", [], [7], 7, {"a": "b"}, ["a\nb"]),
    "resource": (7, [7], {"a": "b"}, ["/x"], "https://x/#f", "https://x/#", "x y:z", "https://é", ""),
    "renewal_ends_access_token": (None, "true", "yes", 1, 0, "", []),
    "flow": ("", "password", "implicit", "Browser", 7),
    "store": ("plaintext", "KEYRING", "", None),
    "token_endpoint_auth_method": ("tls_client_auth", ""),
    "env": ("", "1A", "A B", "A-B", "=x", "A\n=x", 7),
    "min_ttl": (
        -1,
        True,
        1.5,
        "",
        "5x",
        "-5",
        "1h1h",
        "30m1h",
        "m30",
        "h",
        "1h30",
        " 5",
        "5 s",
        "\u0665",
        "1" * 10,
        None,
        [],
    ),
    "port": (0, 65536, -1, True, "8080", 80.0, None),
    "params": (
        *("a=b", [["a", "b"]], {"a": 7}, {"a": None}, 7),
        *({"max_age": each} for each in ("-1", "soon", "1.5", "1h", " 1", "1\n", "\u0665", "1" * 10)),
    ),
    "ca_file": (7, "", "a\nb"),
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in WRONG.items() for value in values])
def test_a_wrong_setting_is_named_with_its_place(key: str, value: object) -> None:
    """The message says where, which key, and does not fill the screen or move the cursor."""
    with pytest.raises(UsageError, match=f"config file f: profiles.work: {key}") as caught:
        from_members("work", {key: value}, "config file f: profiles.work")
    assert caught.value.message.isprintable() and len(caught.value.message) < 250


@pytest.mark.parametrize("key", ["name", "client_secret", "refresh_token", "password", "Issuer", "", "x" * 999, "a\nb"])
def test_an_unknown_setting_is_named_and_its_value_is_not(key: str) -> None:
    """Whoever puts a secret there does not find it on the terminal."""
    with pytest.raises(UsageError, match="not a setting of a profile") as caught:
        from_members("work", {key: "s3cr3t"}, "here")
    assert "s3cr3t" not in caught.value.message + (caught.value.hint or "")


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("isuer", "did you mean 'issuer'?"),
        ("Issuer", "did you mean 'issuer'?"),
        ("client-id", "did you mean 'client_id'?"),
        ("min-ttl", "did you mean 'min_ttl'?"),
        ("colour", "run 'tokenctl help config' for the settings"),
        (
            "client_secret",
            "a secret is never in the config file: 'tokenctl login' asks for it and keeps it in the keyring",
        ),
    ],
)
def test_an_unknown_setting_gets_the_nearest_one(key: str, hint: str) -> None:
    """One name, and not the list of all of them; without a near one, the page that explains them."""
    with pytest.raises(UsageError) as caught:
        from_members("work", {key: "x"}, "here")
    assert caught.value.hint == hint


@pytest.mark.parametrize(("key", "value", "near"), [("flow", "Browser", "browser"), ("store", "keyrng", "keyring")])
def test_an_unknown_choice_gets_the_nearest_one(key: str, value: str, near: str) -> None:
    """As a command and an option do."""
    with pytest.raises(UsageError, match="must be one of") as caught:
        from_members("work", {key: value}, "here")
    assert caught.value.hint == f"did you mean {near!r}?"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("15m", 900),
        ("1h30m", 5400),
        ("1d12h", 129600),
        ("1d2h3m4s", 93784),
        ("0", 0),
        ("90m", 5400),
    ],
)
def test_a_duration_is_one_number_or_units_from_long_to_short(text: str, seconds: int) -> None:
    """As a person says it: one hour and thirty minutes."""
    assert from_members("work", {"min_ttl": text}, "here").min_ttl == seconds


@pytest.mark.parametrize("name", ["a", "work", "A.b_c-1", "0", "x" * 64])
def test_a_decent_name_is_taken(name: str) -> None:
    """Letters, digits and three signs."""
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "-x", "_x", "a/b", "../x", "a\\b", "a b", "a\n", "a:b", "é", "x" * 65, "a\0"]
)
def test_a_name_that_could_leave_its_folder_is_refused(name: str) -> None:
    """It becomes part of a path and of the keyring entry's name."""
    with pytest.raises(UsageError, match="not a valid profile name"):
        from_members(name, {}, "here")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("15m", 900), ("2h", 7200), ("7d", 604800), ("0", 0), (0, 0), (60, 60), ("007", 7)],
)
def test_a_duration_is_read_as_seconds(text: object, seconds: int) -> None:
    """The five ways to write one, and a plain number."""
    assert duration(text) == seconds


@given(st.text() | st.integers() | st.booleans() | st.floats() | st.none())
def test_any_duration_is_seconds_or_a_usage_error(text: object) -> None:
    """Nothing a person can type makes it fail in another way."""
    try:
        assert duration(text) >= 0
    except UsageError:
        assert text not in ("90", 90)


@pytest.mark.parametrize("value", ["https://api.example.com", "urn:a:b", "api:x", "https://x/?a=b", "a+b-c.d:e"])
def test_an_absolute_uri_is_a_resource(value: str) -> None:
    """RFC 8707 section 2 wants no more."""
    check_resource(value, "here")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
keys = [*Profile.__slots__, "unknown"]


def test_every_setting_has_a_check() -> None:
    """The table is complete: each field but the name carries the function that reads it."""
    assert {each.name for each in fields(Profile)} - {"name"} == set(CHECKS)
    assert all(callable(check) for check in CHECKS.values())


@given(st.text(max_size=5) | st.just("work"), st.dictionaries(st.sampled_from(keys), anything, max_size=3))
def test_any_members_are_a_profile_or_a_usage_error(name: str, members: dict[str, Any]) -> None:
    """No TOML value makes the reader fail in another way."""
    try:
        found = from_members(name, members, "here")
    except UsageError as reason:
        found = None
        said = reason.message
    assert found is not None or said.isprintable()
    assert found is None or (found.flow in FLOWS and found.store in STORES and found.min_ttl >= 0)
    assert found is None or found.token_endpoint_auth_method in (None, *AUTH_METHODS)


json_text = st.text(st.characters(), max_size=9) | st.sampled_from(["a/b", "/x", "~", "a:b", "A=b", "7", "-1", "{x}"])
json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | json_text,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["max_age", "login", "url", "body", "username"]) | json_text, inner, max_size=3
        )
    ),
    max_leaves=8,
)


@settings(max_examples=40)
@pytest.mark.parametrize("key", CHECKS)
@given(json_like)
def test_any_value_is_read_or_refused_by_its_key(key: str, value: object) -> None:
    """Whatever a document has for a setting, the answer is a profile, or a UsageError that names the setting.

    A profile that was read can be written, and is then read again as the same.
    """
    try:
        found = from_members("work", {key: value}, "here")
    except UsageError as reason:
        said = reason.message
    else:
        assert from_members("work", members_of(found), "here") == found
        return
    assert key in said and said.isprintable() and len(said) < 250
