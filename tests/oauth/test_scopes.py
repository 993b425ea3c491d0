"""Scopes in an answer: how servers write them, and when something was not granted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl.oauth.scopes import granted, not_granted

NO_SCOPES: tuple[object, ...] = (None, "", " ", [], 7, {}, ["a", 7], True)


@pytest.mark.parametrize(
    ("document", "scope"),
    [
        *(({"scope": scope}, "a b") for scope in ("a b", "a,b", " a  b ", "a, b", "a,b,")),
        *(({"scope": scope}, "a b") for scope in (["a", "b"], ["a b"])),
        *(({"scopes": scope}, "a b") for scope in ("a b", "a,b")),
        ({"scope": "a", "scopes": "b"}, "a"),
        ({"scope": "a,b c"}, "a,b c"),  # a comma can be part of a scope
        ({"scope": ","}, ""),
        *(({"scope": scope}, None) for scope in NO_SCOPES),
        ({}, None),
    ],
)
def test_a_scope_is_read_however_it_is_written(document: dict[str, object], scope: str | None) -> None:
    """Spaces, commas or a list; what is empty or no text says nothing, and stays what was asked for."""
    assert granted(document) == scope


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("openid profile email address phone offline_access api", "api"),
        ("openid", ""),
        ("User.Read", "https://graph.example/user.read"),
        ("https://graph.example/User.Read", "User.Read"),
        ("https://graph.example/.default", "https://graph.example/Mail.Read"),
        (".default", "x"),
        ("repo:status user:email", "repo user"),
        ("read:org write:x", "admin:org admin:x"),
        ("api", "api more"),
        ("", "x"),
        (None, None),
    ],
)
def test_what_the_server_calls_otherwise_was_granted(asked: str | None, answered: str | None) -> None:
    """The OpenID scopes are often left out, and a name can come back as a URL, or as a wider scope."""
    assert not_granted(asked, answered) == ()


@pytest.mark.parametrize(
    ("asked", "answered", "missing"),
    [
        ("a b c", "b", ("a", "c")),
        ("a", None, ("a",)),
        ("repo", "repo:status", ("repo",)),
        ("write:org", "read:org", ("write:org",)),
        ("read", "x/read", ("read",)),
        ("Read", "https://a.example/ReadAll", ("Read",)),
        ("https://a.example/.default", "", ("https://a.example/.default",)),
        ("https://a.example/x", "https://b.example/x", ("https://a.example/x",)),
    ],
)
def test_what_is_not_there_is_named(asked: str, answered: str | None, missing: tuple[str, ...]) -> None:
    """A narrower scope, or another server's, is not what was asked for."""
    assert not_granted(asked, answered) == missing


@given(st.text(), st.text())
def test_what_was_asked_for_and_answered_is_never_missing(one: str, two: str) -> None:
    """Any text is compared without a failure, and a scope is granted by itself."""
    assert not_granted(one, f"{two} {one}") == ()
