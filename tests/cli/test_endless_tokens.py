"""Access tokens whose end nobody knows, as GitHub's OAuth apps and others give them."""

import json

import pytest

from tests.cli.commands.test_show import on_a_terminal
from tests.servers.faulty_server import FaultyServer
from tests.support.commandline import Home
from tests.support.flows import rewritten


@pytest.fixture
def endless(home: Home, demo_server: FaultyServer) -> Home:
    """A HOME that is signed in with such a token, and without a refresh token."""
    demo_server.overrides["/token"] = rewritten(
        demo_server, expires_in=None, refresh_token=None, id_token=None, access_token="opaque"
    )
    result = home.login(demo_server.issuer)
    assert result.status == 0 and "the access token lives until it is refused" in result.stderr
    return home


def test_it_lives_until_it_is_refused(endless: Home, demo_server: FaultyServer) -> None:
    """It is handed out and shown without an end, with --min-ttl too, and no server is asked."""
    asked = len(demo_server.requests)
    found = json.loads(endless.run("token", "--format", "json").stdout)
    assert (found["access_token"], found["expires_at"], found["expires_in"]) == ("opaque", None, None)
    shown = endless.run("show", "--json")
    document = json.loads(shown.stdout)
    assert (shown.status, document["state"]) == (0, "fresh")
    assert (document["access_token"]["expires_at"], document["access_token"]["expires_in"]) == (None, None)
    seen = on_a_terminal(endless, "show")
    assert "until it is refused" in seen and "its end is not known" in seen
    assert "until refused" in on_a_terminal(endless, "show", "--all")
    result = endless.run("token", "--min-ttl", "7d")
    assert (result.stdout, result.stderr) == ("opaque\n", "")
    assert len(demo_server.requests) == asked


def test_a_child_is_told_no_end(endless: Home) -> None:
    """ACCESS_TOKEN_EXPIRES_AT is set only where it is known, and the placeholder is empty."""
    words = ("sh", "-c", 'printf "%s|%s|%s" "$ACCESS_TOKEN" "${ACCESS_TOKEN_EXPIRES_AT-unset}" "$T"')
    result = endless.run("exec", "--env", "ACCESS_TOKEN", "--env", "T=<{expires_at}>", "--", *words)
    assert (result.status, result.stdout) == (0, "opaque|unset|<>")


def test_with_a_refresh_token_it_is_renewed_after_five_minutes(home: Home, demo_server: FaultyServer) -> None:
    """Where a renewal costs nothing but a request, nobody waits until the token is refused."""
    demo_server.overrides["/token"] = rewritten(demo_server, expires_in=None, access_token="opaque", id_token=None)
    assert home.login(demo_server.issuer).status == 0
    token = json.loads(home.run("show", "--json").stdout)["access_token"]
    assert token["expires_at"] - token["obtained_at"] == 300
