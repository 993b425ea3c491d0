"""Issuers as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl.oauth.issuers import no_metadata_hint, other_issuer_hint, spelling_hint, usual_hint, without_well_known


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("https://h.example/", "https://h.example"),
        ("https://h.example", "https://h.example/"),
        ("https://H.Example/t", "https://h.example/t"),
        ("https://h.example:443", "https://h.example"),
        ("https://h.example", "https://h.example/t1"),
        ("https://gitlab.com/", "https://gitlab.com"),
        ("https://login.microsoftonline.com/a.onmicrosoft.com/v2.0", "https://login.microsoftonline.com/0-1-2/v2.0"),
    ],
)
def test_the_servers_own_spelling_is_the_hint(typed: str, said: str) -> None:
    """Where the same host says another issuer, the hint has that one, to the character."""
    assert other_issuer_hint(typed, said).endswith(f"--issuer {said}")


def test_entra_without_its_version_is_told_the_form() -> None:
    """The older document at Entra is of another host: the hint has the form of the newer issuer."""
    hint = other_issuer_hint("https://login.microsoftonline.com/0-1-2", "https://sts.windows.net/0-1-2/")
    assert "https://login.microsoftonline.com/TENANT-ID/v2.0" in hint


def test_a_template_is_shown_with_a_tenant_in_it() -> None:
    """The braces are no part of any issuer."""
    hint = other_issuer_hint(
        "https://login.microsoftonline.com/common/v2.0", "https://login.microsoftonline.com/{tenantid}/v2.0"
    )
    assert "https://login.microsoftonline.com/TENANT-ID/v2.0" in hint and "{" not in hint


@pytest.mark.parametrize("said", ["http://h.example", "https://other.example", None, 7, "", "javascript:x", {}])
def test_no_hint_sends_to_another_host_or_to_http(said: object) -> None:
    """A document decides nothing about where a person signs in: its other host, or its http, is no advice."""
    assert "--issuer" not in other_issuer_hint("https://h.example", said)


@pytest.mark.parametrize(
    ("typed", "usual"),
    [
        ("https://github.com", "https://github.com/login/oauth"),
        ("https://github.com/login/oauth/authorize", "https://github.com/login/oauth"),
        ("https://www.google.com", "https://accounts.google.com"),
        ("https://gitlab.com/oauth", "https://gitlab.com"),
        ("https://login.microsoftonline.com", "https://login.microsoftonline.com/TENANT-ID/v2.0"),
    ],
)
def test_well_known_servers_have_their_usual_issuer(typed: str, usual: str) -> None:
    """What people type for them is no issuer, and the hint has the right one."""
    assert f"--issuer {usual}" in no_metadata_hint(typed)
    assert f"--issuer {usual}" in (spelling_hint(typed.removeprefix("https://")) or "")


@pytest.mark.parametrize(
    "typed", ["https://github.com/login/oauth", "https://accounts.google.com", "https://gitlab.com"]
)
def test_the_usual_issuer_needs_no_hint(typed: str) -> None:
    """Who typed it right is told what else to check."""
    assert usual_hint(typed) is None and "token_endpoint" in no_metadata_hint(typed)


@pytest.mark.parametrize("typed", ["https://github.com.evil.example", "https://evil.example/github.com", "https://h"])
def test_a_host_that_only_looks_like_one_is_not_known(typed: str) -> None:
    """The whole host decides."""
    assert usual_hint(typed) is None and without_well_known(typed) is None


@given(st.text(), st.text() | st.none())
def test_any_text_gets_a_hint_or_none(typed: str, said: str | None) -> None:
    """Nothing that a person or a server says makes a hint fail."""
    for found in (other_issuer_hint(f"https://{typed}", said), spelling_hint(typed), without_well_known(typed)):
        assert found is None or isinstance(found, str)
