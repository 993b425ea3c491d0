"""The client authentication that a server takes is found at the sign-in, and kept in the session."""

import base64
import json
import sys
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest

from tests.servers import person
from tests.servers.child import Child
from tests.servers.faulty_server import FaultyServer, Override, Received, Reply, json_reply
from tests.servers.oidc_provider import CLIENT_SECRET, OidcProvider
from tests.support import broker
from tests.support.broker import sign_in
from tests.support.demo_server import Make
from tests.support.fetch import fetch
from tests.support.flows import SCOPE, PassingClock, Person, always, at, machine_profile, profile_of, rewritten
from tests.support.sessions import end_of
from tokenctl.demo.registry import CLIENTS
from tokenctl.errors import LoginRequired, Refused, Unreachable
from tokenctl.flows import sign_in as sign_ins
from tokenctl.flows.exchange import exchange
from tokenctl.model.profile import from_members
from tokenctl.model.session import Session
from tokenctl.model.target import Target
from tokenctl.oauth.token_exchange import ACCESS_TOKEN
from tokenctl.runtime import Runtime
from tokenctl.storage.memory_store import MemoryStore

OPENID = "/.well-known/openid-configuration"
ODD = "a b:+%&=é"
BAD_CLIENT = json_reply({"error": "invalid_client", "error_description": "who are you?"}, 401)


def method_of(request: Received) -> str:
    """Tell which client authentication a request used."""
    if "client_secret" in request.form:
        return "client_secret_post"
    if "client_assertion" in request.form:
        return "assertion"
    header = request.headers.get("authorization")
    if header is None:
        return "none"
    pair = base64.b64decode(header.removeprefix("Basic ")).decode()
    return "client_secret_basic_raw" if pair.endswith(f":{ODD}") else "client_secret_basic"


def methods(server: FaultyServer, path: str = "/token") -> list[str]:
    """Tell which client authentications were sent to a path."""
    return [method_of(each) for each in server.requests if each.path == path]


def only(method: str, refusal: Reply = BAD_CLIENT, accepted: Override = lambda request: None) -> Override:
    """Make an override that refuses every other client authentication. `accepted` answers the rest."""
    return lambda request: accepted(request) if method_of(request) == method else refusal


TOKENS = json_reply({"access_token": "t", "token_type": "Bearer", "expires_in": 900})


@pytest.fixture
def server(make_server: Make) -> FaultyServer:
    """A server whose clients have a secret with characters that an encoding changes."""
    return make_server(clients=tuple(replace(each, secret=ODD) for each in CLIENTS))


def machine(server: FaultyServer, secret: str | None = ODD, **members: Any) -> Session:
    """Sign in as the machine."""
    return sign_in(Person(), machine_profile(server, **members), client_secret=secret)


@pytest.mark.parametrize(
    ("method", "sent"),
    [
        ("client_secret_basic", ["client_secret_basic"]),
        ("client_secret_basic_raw", ["client_secret_basic", "client_secret_basic_raw"]),
        ("client_secret_post", ["client_secret_basic", "client_secret_basic_raw", "client_secret_post"]),
    ],
)
@pytest.mark.parametrize(
    "refusal",
    [
        BAD_CLIENT,
        json_reply({"error": "invalid_client"}, 400),
        json_reply({"error": "incorrect_client_credentials"}, 200),
        Reply(status=401),
        Reply(status=403),
        Reply(status=401, headers={"Content-Type": "text/html"}, body=b"<h1>Unauthorized</h1>"),
    ],
)
def test_the_method_that_the_server_takes_is_found(
    server: FaultyServer, method: str, sent: list[str], refusal: Reply
) -> None:
    """Each answer that refuses the client leads to the next method, and the session keeps the one that worked."""
    server.overrides["/token"] = only(method, refusal, always(TOKENS))
    assert machine(server).token_endpoint_auth_method == method
    assert methods(server) == sent


def test_later_requests_use_that_method_only(server: FaultyServer) -> None:
    """Renewal and revocation try nothing: they send what the sign-in found, also when it is refused."""
    server.overrides["/token"] = only("client_secret_post")
    profile, store = machine_profile(server), MemoryStore()
    runtime = Person(store=store)
    session = sign_in(runtime, profile, client_secret=ODD)
    store.write("t", session)
    store.write_secret("t", ODD)
    broker.renew(runtime, profile)
    broker.revoke_session(runtime, profile, session)
    assert methods(server)[3:] == ["client_secret_post"] and methods(server, "/revoke") == ["client_secret_post"]
    server.overrides["/token"] = always(BAD_CLIENT)
    kept = store.read("t")  # the renewed one, which can end a second later
    assert kept is not None
    with pytest.raises(Refused, match="client's credentials"):
        broker.current(at(end_of(kept), store), profile)
    assert methods(server)[4:] == ["client_secret_post"]


@pytest.mark.parametrize("listed", [["client_secret_post"], ["client_secret_post", "client_secret_basic"]])
def test_what_the_metadata_lists_is_tried_first(server: FaultyServer, listed: list[str]) -> None:
    """The server's own list has the order."""
    server.overrides[OPENID] = rewritten(server, token_endpoint_auth_methods_supported=listed)
    server.overrides["/token"] = only("client_secret_basic")
    assert machine(server).token_endpoint_auth_method == "client_secret_basic"
    assert methods(server) == ["client_secret_post", "client_secret_basic"]


def test_a_list_that_is_wrong_is_no_end(server: FaultyServer) -> None:
    """A method that the server takes and does not list is found too."""
    server.overrides[OPENID] = rewritten(server, token_endpoint_auth_methods_supported=["client_secret_basic"])
    server.overrides["/token"] = only("client_secret_post")
    assert machine(server).token_endpoint_auth_method == "client_secret_post"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_basic_raw", "client_secret_post"])
def test_the_method_of_the_profile_stands_alone(server: FaultyServer, method: str) -> None:
    """Who names the method gets no other one tried, and is told which setting to check."""
    server.overrides["/token"] = always(BAD_CLIENT)
    with pytest.raises(Refused, match=f"who are you\\? \\(tried {method}\\)") as caught:
        machine(server, token_endpoint_auth_method=method)
    assert methods(server) == [method] and "token_endpoint_auth_method" in (caught.value.hint or "")


def test_when_all_methods_fail_each_is_named(server: FaultyServer) -> None:
    """The error has what was tried and what the server said, never the secret, and says what to check."""
    echo = json_reply({"error": "invalid_client", "error_description": f"not {ODD} nor {quote(ODD, safe='')}"}, 400)
    server.overrides["/token"] = always(echo)
    with pytest.raises(Refused) as caught:
        machine(server)
    tried = "(tried client_secret_basic, client_secret_basic_raw, client_secret_post)"
    assert caught.value.message.endswith(f"invalid_client: not *** nor *** {tried}")
    assert (caught.value.hint or "").startswith(
        "check client_id and the client secret;"
    ) and caught.value.error == "invalid_client"


@pytest.mark.parametrize("location", ["https://other.example/{}", "/elsewhere?secret={}", "/token"])
@pytest.mark.parametrize("method", [None, "client_secret_post"])
def test_a_redirect_gets_no_secret(server: FaultyServer, location: str, method: str | None) -> None:
    """A token endpoint that redirects is not followed, so that no secret comes into an address, an error text included."""
    reply = Reply(status=307, headers={"Location": location.format(quote(ODD, safe=""))})
    server.overrides["/token"] = always(reply)
    with pytest.raises(Refused, match="redirects") as caught:
        machine(server, token_endpoint_auth_method=method)
    sent = [each for each in server.requests if each.path != OPENID]
    assert [(each.method, each.target) for each in sent] == [("POST", "/token")]
    assert not any(text in f"{caught.value}{caught.value.hint}" for text in (ODD, quote(ODD, safe="")))


# -- a secret that only signs ----------------------------------------------------------------------


LONG_SECRET = "0123456789abcdef0123456789abcdef-long"


def test_a_server_that_takes_a_secret_only_as_a_key_gets_no_secret(server: FaultyServer) -> None:
    """Where the server lists client_secret_jwt alone, the secret signs, and no refusal makes it travel."""
    listed = ["client_secret_jwt", "private_key_jwt"]
    server.overrides[OPENID] = rewritten(server, token_endpoint_auth_methods_supported=listed)
    server.overrides["/token"] = always(TOKENS)
    assert machine(server, LONG_SECRET).token_endpoint_auth_method == "client_secret_jwt"
    server.overrides["/token"] = always(BAD_CLIENT)
    with pytest.raises(Refused, match="tried client_secret_jwt"):
        machine(server, LONG_SECRET)
    assert methods(server) == ["assertion"] * 2
    assert not any(LONG_SECRET.encode() in each.body for each in server.requests)


def test_a_secret_that_only_signed_is_not_sent_at_the_next_sign_in(server: FaultyServer) -> None:
    """A setting that is taken away does not reveal the secret; another secret is sent as usual."""
    server.overrides["/token"] = always(TOKENS)
    before = machine(server, LONG_SECRET, token_endpoint_auth_method="client_secret_jwt")
    runtime, profile = Person(), machine_profile(server)
    again = sign_ins.prepare(runtime, profile, LONG_SECRET, stored=before)
    assert [each.auth_method for each in again.clients] == ["client_secret_jwt"]
    other = sign_ins.prepare(runtime, profile, ODD, stored=before)
    assert "client_secret_post" in [each.auth_method for each in other.clients]


def test_the_next_sign_in_begins_with_what_worked(server: FaultyServer) -> None:
    """The stored session saves the tries, where the profile is still of its server."""
    server.overrides["/token"] = only("client_secret_post")
    before = machine(server)
    runtime, profile = Person(), machine_profile(server)
    again = sign_ins.prepare(runtime, profile, ODD, stored=before)
    assert again.client.auth_method == "client_secret_post" and len(again.clients) == 3
    elsewhere = sign_ins.prepare(runtime, profile, ODD, stored=replace(before, issuer="https://other.example"))
    assert elsewhere.client.auth_method == "client_secret_basic"


# -- a browser's code ------------------------------------------------------------------------------


def test_a_code_is_presented_again_when_only_the_client_was_refused(server: FaultyServer) -> None:
    """The server did not look at the code, so the same one signs in with the next method, and nobody signs in twice."""
    server.overrides["/token"] = only("client_secret_post")
    runtime = Person()
    session = sign_in(runtime, profile_of(server), client_secret=ODD)
    assert session.subject == "user-ada" and session.token_endpoint_auth_method == "client_secret_post"
    assert len(runtime.opened) == 1
    assert len({each.form["code"] for each in server.requests if each.path == "/token"}) == 1


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (json_reply({"error": "invalid_request"}, 400), Refused),
        (json_reply({"error": "unauthorized_client"}, 400), Refused),
        (json_reply({"error": "invalid_grant"}, 400), LoginRequired),
        (Reply(status=403, headers={"Content-Type": "text/html"}, body=b"<h1>Blocked</h1>"), Refused),
        (Reply(status=500), Unreachable),
        (Reply(drop_after=True), Unreachable),
        (json_reply({"access_token": ""}), Refused),
    ],
)
@pytest.mark.parametrize("refused_before", [0, 1])
def test_every_other_answer_ends_the_tries(
    server: FaultyServer, reply: Reply, error: type[Exception], refused_before: int
) -> None:
    """A code has one use: after an answer that may have been about the code it is not sent again."""
    replies = iter([*[BAD_CLIENT] * refused_before, reply])
    server.overrides["/token"] = lambda request: next(replies)
    with pytest.raises(Refused if refused_before and error is LoginRequired else error):
        sign_in(Person(), profile_of(server), client_secret=ODD)
    assert server.count("/token") == refused_before + 1


def test_a_code_that_the_refusal_used_up_is_about_the_client(server: FaultyServer) -> None:
    """Some servers take the code before they look at the client: the refusal of the client is what the person has to know."""
    replies = iter([BAD_CLIENT, json_reply({"error": "invalid_grant", "error_description": "invalid code"}, 400)])
    server.overrides["/token"] = lambda request: next(replies)
    with pytest.raises(Refused, match=r"does not accept the client's credentials: invalid_client") as caught:
        sign_in(Person(), profile_of(server), client_secret=ODD)
    hint = caught.value.hint or ""
    assert "the client secret" in hint and 'token_endpoint_auth_method = "client_secret_basic_raw"' in hint


@pytest.mark.parametrize("status", [401, 403])
def test_a_client_that_is_unauthorized_may_have_a_wrong_secret(server: FaultyServer, status: int) -> None:
    """Glewlwyd says no more than this code: the other methods are tried, and the error names both causes."""
    server.overrides["/token"] = always(json_reply({"error": "unauthorized_client"}, status))
    with pytest.raises(Refused, match="credentials: unauthorized_client") as caught:
        sign_in(Person(), profile_of(server), client_secret=ODD)
    assert server.count("/token") == 3
    assert "client secret" in (caught.value.hint or "") and "--flow" in (caught.value.hint or "")


def test_a_pushed_request_finds_the_method_before_the_browser_opens(server: FaultyServer) -> None:
    """What the server takes for the pushed request comes first for the code."""
    server.overrides[OPENID] = rewritten(
        server,
        require_pushed_authorization_requests=True,
        pushed_authorization_request_endpoint=f"{server.issuer}/par",
    )
    pushed: dict[str, str] = {}

    def par(request: Received) -> Reply:
        pushed.update(request.form)
        return json_reply({"request_uri": "urn:example:1", "expires_in": 60}, 201)

    server.overrides |= {"/par": only("client_secret_post", accepted=par), "/token": only("client_secret_post")}
    runtime = Person(visit=lambda url: fetch(f"{server.issuer}/authorize?{urlencode(_without_secret(pushed))}"))
    assert sign_in(runtime, profile_of(server), client_secret=ODD).subject == "user-ada"
    assert methods(server, "/par") == ["client_secret_basic", "client_secret_basic_raw", "client_secret_post"]
    assert methods(server) == ["client_secret_post"]
    assert "client_secret" not in runtime.opened[0]


def _without_secret(form: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in form.items() if name != "client_secret"}


def test_a_server_like_github_needs_no_setting(demo_server: FaultyServer) -> None:
    """Metadata at one address, `iss` unannounced, the secret in the body, errors with 200: issuer, ID and secret sign in."""
    issuer = f"{demo_server.issuer}/login/oauth"
    page = Reply(status=404, headers={"Content-Type": "text/html"}, body=b"<h1>Not here</h1>")
    document = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/access_token",
        "code_challenge_methods_supported": ["S256"],
    }
    refusal = json_reply({"error": "incorrect_client_credentials"}, 200)
    tokens = json_reply({"access_token": "gho_t", "token_type": "bearer", "scope": "repo,gist"})
    demo_server.overrides |= {
        **dict.fromkeys((f"/login/oauth{OPENID}", f"{OPENID}/login/oauth"), always(page)),
        "/.well-known/oauth-authorization-server/login/oauth": always(json_reply(document)),
        "/login/oauth/access_token": only("client_secret_post", refusal, always(tokens)),
    }

    def visit(url: str) -> int:
        asked = dict(parse_qsl(urlsplit(url).query))
        answer = urlencode({"code": "c", "state": asked["state"], "iss": issuer})
        return fetch(f"{asked['redirect_uri']}?{answer}")

    session = sign_in(Person(visit=visit), profile_of(demo_server, issuer=issuer, scope="repo gist"), client_secret="s")
    assert (session.access_token, session.token_endpoint_auth_method) == ("gho_t", "client_secret_post")
    assert (session.issuer, session.scope, session.revocation_endpoint) == (issuer, "repo gist", None)


# -- a device --------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> PassingClock:
    """The clock of server and client."""
    return PassingClock()


def device(make_server: Make, clock: PassingClock) -> FaultyServer:
    """A server by that clock that approves each device, and whose client has a secret."""
    server = make_server(clients=(replace(CLIENTS[0], secret=ODD),), clock=clock.now, device_interval=5)

    def approving(request: Received) -> Reply:
        reply = server.answer(request)
        if reply.status == 200:
            server.approve_device(reply.document["user_code"])
        return reply

    server.overrides["/device_authorization"] = approving
    return server


def by_device(server: FaultyServer, clock: PassingClock, secret: str | None = ODD) -> Session:
    """Sign in by device code; without openid, since ID tokens are verified by another clock."""
    runtime = Runtime({}, send=clock.send, clock=clock, store=MemoryStore())
    return sign_in(
        runtime, profile_of(server, flow="device", scope=SCOPE.removeprefix("openid ")), client_secret=secret
    )


def test_a_device_finds_the_method_when_it_asks_for_the_code(make_server: Make, clock: PassingClock) -> None:
    """The device authorization request tries the methods, and the polls begin with the one that worked."""
    server = device(make_server, clock)
    usual = server.overrides["/device_authorization"]
    server.overrides["/device_authorization"] = only("client_secret_post", accepted=usual)
    server.overrides["/token"] = only("client_secret_post")
    assert by_device(server, clock).token_endpoint_auth_method == "client_secret_post"
    assert methods(server, "/device_authorization")[-1] == "client_secret_post"
    assert methods(server) == ["client_secret_post"]


def test_a_device_finds_the_method_at_its_first_poll(make_server: Make, clock: PassingClock) -> None:
    """Where the code is given to everybody, the polls try the methods, at once and with the same device code."""
    server = device(make_server, clock)
    server.overrides["/token"] = only("client_secret_post")
    assert by_device(server, clock).token_endpoint_auth_method == "client_secret_post"
    assert methods(server, "/device_authorization") == ["client_secret_basic"]
    assert methods(server) == ["client_secret_basic", "client_secret_basic_raw", "client_secret_post"]
    assert clock.slept == [1] * 5


def test_a_device_endpoint_that_wants_no_secret_gets_the_client_id_alone(
    make_server: Make, clock: PassingClock
) -> None:
    """Some servers refuse a secret there and want it at the polls."""
    server = device(make_server, clock)

    def given(request: Received) -> Reply:
        usual = replace(request, body=request.body + f"&client_secret={quote(ODD, safe='')}".encode())
        reply = server.answer(usual)
        server.approve_device(reply.document["user_code"])
        return reply

    server.overrides["/device_authorization"] = only("none", accepted=given)
    assert by_device(server, clock).token_endpoint_auth_method == "client_secret_basic"
    assert methods(server, "/device_authorization")[-1] == "none"


def test_a_client_that_was_accepted_is_tried_in_no_other_way(make_server: Make, clock: PassingClock) -> None:
    """After one poll that waits, a refusal is final: the server knows the client already."""
    server = device(make_server, clock)
    replies = iter([json_reply({"error": "authorization_pending"}, 400), BAD_CLIENT])
    server.overrides["/token"] = lambda request: next(replies)
    with pytest.raises(Refused, match="who are you"):
        by_device(server, clock)
    assert methods(server) == ["client_secret_basic"] * 2


# -- without a secret ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        BAD_CLIENT,
        Reply(status=401),
        json_reply({"error": "invalid_request", "error_description": "client_secret is missing."}, 400),
        json_reply({"error": "unauthorized_client", "error_description": "Client secret not provided in request"}, 401),
    ],
)
@pytest.mark.parametrize("lists_none", [True, False])
def test_a_secret_that_is_missing_is_asked_for(demo_server: FaultyServer, reply: Reply, lists_none: bool) -> None:
    """A server that wants the secret of a client that gave none: the error names the option that gives it."""
    listed = ["client_secret_basic", *(["none"] if lists_none else [])]
    demo_server.overrides[OPENID] = rewritten(demo_server, token_endpoint_auth_methods_supported=listed)
    demo_server.overrides["/token"] = always(reply)
    with pytest.raises(Refused, match="'tokenctl-demo' without a client secret") as caught:
        sign_in(Person(), profile_of(demo_server))
    assert "--client-secret-stdin" in (caught.value.hint or "")
    assert ("lists no client that has none" in caught.value.message) != lists_none


def test_a_secret_that_the_profile_holds_back_is_named(demo_server: FaultyServer) -> None:
    """A secret was given, and the profile says not to send it: that setting is the cause."""
    demo_server.overrides["/token"] = always(BAD_CLIENT)
    with pytest.raises(Refused, match="without a client secret") as caught:
        sign_in(Person(), profile_of(demo_server, token_endpoint_auth_method="none"), client_secret="s")
    assert "token_endpoint_auth_method" in (caught.value.hint or "")


# -- a job and a renewal ---------------------------------------------------------------------------


def test_a_job_that_has_a_client_secret_too_sends_both(server: FaultyServer) -> None:
    """Some servers exchange a job's identity only for a client that authenticates; the way is found as everywhere."""
    tokens = json_reply(TOKENS.document | {"issued_token_type": ACCESS_TOKEN})
    server.overrides["/token"] = only("client_secret_post", accepted=always(tokens))
    runtime = Runtime({"TOKENCTL_ID_TOKEN": "an.identity.token"}, store=MemoryStore())
    profile = profile_of(server, flow="workload", source="env", scope="api")
    session = sign_in(runtime, profile, client_secret=ODD)
    assert session.token_endpoint_auth_method == "client_secret_post"
    assert {each.form["subject_token"] for each in server.requests if each.path == "/token"} == {"an.identity.token"}


@pytest.mark.parametrize("status", [401, 403])
def test_an_empty_refusal_of_a_renewal_is_about_the_credentials(server: FaultyServer, status: int) -> None:
    """A machine's secret that was changed at the server is named, also where the server says nothing but no."""
    session = machine(server)
    store = MemoryStore()
    store.write("t", session)
    store.write_secret("t", ODD)
    server.overrides["/token"] = always(Reply(status=status))
    with pytest.raises(Refused, match="does not accept the client's credentials") as caught:
        broker.renew(at(end_of(session), store), machine_profile(server))
    assert "client secret" in (caught.value.hint or "") and store.read("t") == session


@pytest.mark.parametrize("status", [401, 403])
def test_an_empty_refusal_of_an_exchange_says_what_to_check(server: FaultyServer, status: int) -> None:
    """A narrower token that is refused without a word may be a matter of the client's secret."""
    session, store = replace(machine(server), flow="browser"), MemoryStore()
    store.write("t", session)
    store.write_secret("t", ODD)
    server.overrides["/token"] = always(Reply(status=status))
    runtime, profile = Person(store=store), machine_profile(server, flow="browser")
    with pytest.raises(Refused) as caught:
        exchange(runtime, broker.vault(runtime, profile), session, Target(audience="x"))
    assert "client secret" in (caught.value.hint or "") and server.count("/token") == 2


# -- the real part ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_authlib_takes_one_method_and_gets_it() -> None:
    """At Authlib each client is registered for one method: its secret with blank, plus, percent and colon signs in."""
    secret = CLIENT_SECRET + " +%:é"
    with Child(
        [sys.executable, "-W", "ignore", "-m", "tests.servers.authlib_app", json.dumps({"secret": secret})]
    ) as child:
        for method in ("client_secret_basic", "client_secret_post"):
            members = {"issuer": child.hello["address"], "client_id": method, "flow": "client-credentials"}
            profile = from_members("t", members, "test")
            assert sign_in(Person(), profile, client_secret=secret).token_endpoint_auth_method == method
        with pytest.raises(Refused, match="tried client_secret_basic, client_secret_basic_raw, client_secret_post"):
            sign_in(Person(), profile, client_secret=secret.replace(" ", "+"))


@pytest.mark.parametrize("client", ["confidential-basic", "confidential-post"])
def test_a_real_server_signs_in_without_a_setting(oidc_provider: OidcProvider, client: str) -> None:
    """At oidc-provider a client signs in with issuer, client ID and secret alone, whatever method it is registered for.

    Its secret has every character that an encoding can break. This server takes either method from both clients.
    """
    store = MemoryStore()
    runtime = Person(visit=person.sign_in, store=store)
    profile = profile_of(oidc_provider, client_id=client, scope="openid offline_access")  # type: ignore[arg-type]
    session = sign_in(runtime, profile, client_secret=CLIENT_SECRET)
    assert session.token_endpoint_auth_method == "client_secret_basic" and session.subject == "alice"
    store.write("t", session)
    store.write_secret("t", CLIENT_SECRET)
    assert broker.renew(runtime, profile).access_token != session.access_token
    assert broker.revoke(runtime, profile)
    for grant in ("authorization_code", "refresh_token"):
        assert oidc_provider.count(grant_type=grant, status=200) == 1
    assert (
        oidc_provider.count(route="revocation", status=200) == 1
    )  # the access token is a JWT, which it does not revoke


@pytest.mark.slow
def test_a_wrong_secret_at_a_real_server_names_what_was_tried(oidc_provider: OidcProvider) -> None:
    """The code survives each refusal of the client, so that all three methods are really tried."""
    runtime = Person(visit=person.sign_in)
    profile = profile_of(oidc_provider, client_id="confidential-post", scope="openid")  # type: ignore[arg-type]
    with pytest.raises(Refused, match=r"does not accept the client's credentials: .*client_secret_basic_raw"):
        sign_in(runtime, profile, client_secret="wrong %")
    assert oidc_provider.count(grant_type="authorization_code", error="invalid_client") >= 2
