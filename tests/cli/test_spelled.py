"""A login in the words of the command line."""

import shlex
from typing import Any

import pytest

from tokenctl.cli.commands.login import command
from tokenctl.cli.spelled import same_login
from tokenctl.model.profile import Profile

FULL = Profile(
    name="work",
    issuer="https://login.example.com",
    client_id="it's mine",
    scope="openid api",
    resource=("https://a.example", "https://b.example"),
    audience="a",
    flow="browser",
    port=8400,
    store="file",
    params=(("prompt", "login"), ("hint", "")),
)


def test_every_setting_is_an_option_of_login() -> None:
    """With its value, a list as several options, and quoted for a shell."""
    words = (same_login(FULL) or "").removeprefix("tokenctl login ")
    with command.make_context("login", shlex.split(words)) as context:
        given = context.params
    assert (given["issuer"], given["client_id"], given["scope"]) == (FULL.issuer, FULL.client_id, ("openid api",))
    assert (given["resource"], given["audience"], given["flow"]) == (FULL.resource, "a", "browser")
    assert (given["port"], given["store"], given["param"]) == (8400, "file", ("prompt=login", "hint="))
    assert words.startswith("-p work ")


@pytest.mark.parametrize(
    "setting", [{"redirect_uri": "http://localhost:8400/cb"}, {"token_endpoint": "https://a.example"}]
)
def test_a_setting_without_an_option_leaves_no_hint(setting: dict[str, Any]) -> None:
    """A command that does something else is worse than none."""
    assert same_login(Profile(name="work", issuer="https://login.example.com", client_id="x", **setting)) is None
