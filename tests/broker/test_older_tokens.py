"""Servers that end an access token when they give another one for the refresh token, such as GitLab and Ory."""

import json
import threading

import pytest

from tests.servers import person
from tests.servers.faulty_server import FaultyServer, Reply, json_reply
from tests.servers.oidc_provider import OidcProvider
from tests.support.aging import age
from tests.support.commandline import Home
from tests.support.demo_server import Make
from tests.support.flows import always, refreshes
from tests.support.real_parts import available

NARROW = ("token", "--scope", "api")


def sign_in(home: Home, server: FaultyServer, *, introspects: bool) -> None:
    """Sign in, at a server that may refuse to say whether a token lives."""
    if not introspects:
        server.overrides["/introspect"] = always(json_reply({"error": "invalid_client"}, 401))
    assert home.login(server.issuer, "--scope", "openid offline_access api").status == 0


def lives(server: FaultyServer, token: str) -> bool:
    """Tell whether the server takes the access token."""
    return server.sessions.access_claims(token) is not None


def given(home: Home, *words: str) -> str:
    """Ask for a token."""
    result = home.run(*words)
    assert result.status == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize("introspects", [True, False])
@pytest.mark.parametrize("opaque", [True, False])
def test_a_narrower_token_that_ends_the_sessions_own_is_followed_by_a_renewal(
    home: Home, demo_server: FaultyServer, opaque: bool, introspects: bool
) -> None:
    """Whoever asks for the session's token next gets one that lives, and the session is not lost."""
    demo_server.sessions.ends_older_access_tokens = True
    demo_server.signing_key.opaque_access_tokens = opaque
    sign_in(home, demo_server, introspects=introspects)
    first = given(home, "token")
    assert lives(demo_server, given(home, *NARROW)) and not lives(demo_server, first)
    assert json.loads(home.run("show", "--json").stdout)["state"] == "stale"
    results = home.race(4, "token")
    assert {each.status for each in results} == {0}, results
    (renewed,) = {each.stdout.strip() for each in results}
    assert lives(demo_server, renewed) and refreshes(demo_server) == 2
    assert given(home, "token") == renewed and refreshes(demo_server) == 2


@pytest.mark.parametrize(("opaque", "introspects"), [(True, True), (True, False), (False, True)])
def test_a_narrower_token_that_a_renewal_ended_is_not_handed_out(
    home: Home, demo_server: FaultyServer, opaque: bool, introspects: bool
) -> None:
    """It goes both ways, and between two narrower tokens too."""
    demo_server.sessions.ends_older_access_tokens = True
    demo_server.signing_key.opaque_access_tokens = opaque
    sign_in(home, demo_server, introspects=introspects)
    for words in (NARROW, ("token",), NARROW, ("token", "--scope", "openid"), NARROW, ("token",)):
        assert lives(demo_server, given(home, *words)), words
    asked = refreshes(demo_server)
    assert lives(demo_server, given(home, "token")) and refreshes(demo_server) == asked
    assert demo_server.reuse_detections == 0


@pytest.mark.parametrize(("opaque", "introspects", "renewals"), [(True, True, 1), (False, True, 1), (False, False, 2)])
def test_a_server_that_keeps_older_tokens_is_not_asked_for_more(
    home: Home, demo_server: FaultyServer, opaque: bool, introspects: bool, renewals: int
) -> None:
    """Where the server says that the older token lives there is no renewal at all, and else one, for a JWT."""
    demo_server.signing_key.opaque_access_tokens = opaque
    sign_in(home, demo_server, introspects=introspects)
    first = given(home, "token")
    narrow, whole = given(home, *NARROW), given(home, "token")
    assert (whole == first) is (renewals == 1)
    for _ in range(2):
        assert (given(home, *NARROW), given(home, "token")) == (narrow, whole)
    assert refreshes(demo_server) == renewals
    asked = demo_server.count("/introspect")
    assert lives(demo_server, given(home, "token", "--scope", "openid"))
    assert (demo_server.count("/introspect") == asked) is introspects, "what is known is not asked again"


@pytest.mark.parametrize("setting", ["true", "false"])
def test_what_the_profile_says_needs_no_question(home: Home, demo_server: FaultyServer, setting: str) -> None:
    """The server is not asked, `exec` says what that means for a long command, and a later login keeps the setting."""
    demo_server.sessions.ends_older_access_tokens = setting == "true"
    sign_in(home, demo_server, introspects=True)
    home.write_config(home.config.read_text() + f"renewal_ends_access_token = {setting}\n")
    first = given(home, "token")
    assert lives(demo_server, given(home, *NARROW))
    assert (given(home, "token") == first) is (setting == "false")
    assert demo_server.count("/introspect") == 0
    run = home.run("exec", "--", "true")
    assert run.stderr.count("exec --token-file") == (setting == "true") and run.status == 0
    assert home.run("exec", "--token-file", "--", "true").stderr == ""
    assert home.login(demo_server.issuer, "--scope", "openid api").status == 0
    assert f"renewal_ends_access_token = {setting}" in home.config.read_text()


def test_what_may_have_ended_is_handed_out_where_nothing_else_can_be_had(home: Home, demo_server: FaultyServer) -> None:
    """The server is away, and nobody knows that it ended the token: better than nothing, with a warning."""
    sign_in(home, demo_server, introspects=False)
    first = given(home, "token")
    given(home, *NARROW)
    demo_server.overrides["/token"] = always(json_reply({}, 503))
    result = home.run("token")
    assert (result.status, result.stdout.strip()) == (0, first) and "could not renew" in result.stderr


def test_an_expired_token_says_nothing_about_its_server(home: Home, demo_server: FaultyServer) -> None:
    """A server calls it inactive, as it would one that it ended: so it is not asked about it."""
    sign_in(home, demo_server, introspects=True)
    age(home)
    assert lives(demo_server, given(home, *NARROW))
    assert demo_server.count("/introspect") == 0
    given(home, "token")
    given(home, "token", "--scope", "openid")
    assert demo_server.count("/introspect") == 2


@pytest.mark.real
@pytest.mark.parametrize(("resource", "renewals"), [("urn:opaque", 1), ("urn:api", 2)])
def test_at_a_certified_server_that_keeps_them(home: Home, resource: str, renewals: int) -> None:
    """It introspects opaque tokens and no JWTs; either way the tokens stay, and so does the number of requests."""
    with available(), OidcProvider(default_resource=resource) as provider:
        login = home.login(
            provider.issuer, "--scope", "openid offline_access read write", client="native", visit=person.sign_in
        )
        assert login.status == 0, login.stderr
        narrow, whole = given(home, "token", "--scope", "read"), given(home, "token")
        for _ in range(2):
            assert (given(home, "token", "--scope", "read"), given(home, "token")) == (narrow, whole)
        assert provider.count(grant_type="refresh_token", status=200) == renewals
        if resource == "urn:opaque":
            assert json.loads(home.run("show", "--json", "--introspect").stdout)["introspection"]["active"] is True


def test_a_lost_answer_may_have_ended_the_sessions_own_token(make_server: Make, home: Home) -> None:
    """The server gave a narrower token and ended the older one, and its answer never came."""
    server = make_server(opaque_access_tokens=True, reuse_grace=60)
    server.sessions.ends_older_access_tokens = True
    sign_in(home, server, introspects=True)
    first = given(home, "token")
    server.overrides["/token"] = always(Reply(drop_after=True))
    assert home.run(*NARROW).status == 6 and not lives(server, first)
    del server.overrides["/token"]
    threading.Event().wait(2)  # the pause after an answer that did not come
    assert lives(server, given(home, "token"))
