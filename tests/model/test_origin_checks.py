"""Checks of origins: what the setting `hosts` takes, and what it says of the rest."""

import pytest

from tokenctl.errors import UsageError
from tokenctl.model import origin_checks


def test_the_setting_takes_origins_and_one_slash() -> None:
    """A text or a list; each is written in its one form, and once."""
    assert origin_checks.check("https://A.example:443/", "hosts") == ("https://a.example",)
    assert origin_checks.check(["http://localhost:8080", "https://a.example", "https://a.example/"], "hosts") == (
        "http://localhost:8080",
        "https://a.example",
    )


@pytest.mark.parametrize(
    ("value", "message", "hint"),
    [
        (5, "must be a list of strings", ""),
        (["https://a.example", 5], "must be a list of strings", ""),
        ("api.example.com", "is not an origin", "did you mean https://api.example.com?"),
        ("127.0.0.1:8080", "is not an origin", "did you mean http://127.0.0.1:8080?"),
        ("https://me@a.example", "is not an origin", "write it as"),
        ("https://me:pass@word@a.example", "hosts: 'https://...@a.example' is not an origin", "write it as"),
        ("me:pass/word@a.example", "hosts: '...@a.example' is not an origin", "write it as"),
        ("https://*.example.com", "is not an origin", "write it as"),
        ("https://a.example/v1", "is more than an origin", "write it as https://a.example"),
        ("https://a.example?x", "is more than an origin", "write it as https://a.example"),
        ("http://a.example", "must be https", "for this machine alone"),
        ("http://127.0.0.1.nip.io", "must be https", "for this machine alone"),
    ],
)
def test_the_setting_says_what_is_wrong(value: object, message: str, hint: str) -> None:
    """A host without a scheme, a path, plain http to another machine: each with what to write."""
    with pytest.raises(UsageError) as caught:
        origin_checks.check(value, "profiles.work: hosts")
    assert caught.value.message.startswith("profiles.work: hosts") and message in caught.value.message
    assert hint in (caught.value.hint or "")
