"""Finding a server: every well-known address, the issuer to the character, and servers without metadata."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.support.flows import always, profile_of, rewritten
from tokenctl.errors import Refused, Unreachable, UsageError
from tokenctl.flows.discovery import discover
from tokenctl.model.profile import Profile
from tokenctl.oauth.wire import Request, Response
from tokenctl.runtime import Runtime

OPENID = "/.well-known/openid-configuration"
RFC8414 = "/.well-known/oauth-authorization-server"


def test_openid_metadata_is_found_first(demo_server: FaultyServer) -> None:
    """One request finds the metadata where OpenID puts it."""
    found = discover(Runtime(), profile_of(demo_server))
    assert found.token_endpoint == f"{demo_server.issuer}/token"
    assert found.authorization_response_iss_parameter_supported
    assert [each.path for each in demo_server.requests] == [OPENID]


@pytest.mark.parametrize(
    "instead",
    [
        Reply(status=404),
        Reply(status=404, headers={"Content-Type": "text/html"}, body=b"<h1>Not here</h1>"),
        Reply(status=200, headers={"Content-Type": "text/html"}, body=b"<h1>Welcome</h1>"),
        Reply(status=401),
        json_reply({"hello": "world"}),
        json_reply([]),
    ],
)
def test_rfc_8414_metadata_is_found_second(demo_server: FaultyServer, instead: Reply) -> None:
    """A server that has no OpenID metadata is asked for OAuth's."""
    demo_server.overrides[OPENID] = always(instead)
    assert discover(Runtime(), profile_of(demo_server)).token_endpoint == f"{demo_server.issuer}/token"
    assert [each.path for each in demo_server.requests] == [OPENID, RFC8414]


@pytest.mark.parametrize("path", ["/tenant/one", "/tenant/one/"])
def test_an_issuer_with_a_path_has_four_addresses(demo_server: FaultyServer, path: str) -> None:
    """OpenID appends its path to the issuer's, RFC 8414 puts its own before it, and each document can be at both."""
    with pytest.raises(Refused, match="no metadata") as caught:
        discover(Runtime(), profile_of(demo_server, issuer=demo_server.issuer + path))
    asked = ["/tenant/one" + OPENID, RFC8414 + "/tenant/one", OPENID + "/tenant/one", "/tenant/one" + RFC8414]
    assert [each.path for each in demo_server.requests] == asked
    assert all(each in caught.value.message for each in asked) and "HTTP 404" in caught.value.message


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize(
    "instead",
    [
        Reply(status=500),
        Reply(status=503, headers={"Retry-After": "7"}),
        Reply(status=429),
        Reply(status=401),
        Reply(status=404, headers={"Content-Type": "text/html"}, body=b"<h1>Not here</h1>"),
        Reply(status=302, headers={"Location": "https://login.example/"}),
        Reply(status=302, headers={"Location": "/login"}),
        Reply(status=200, headers={"Content-Type": "text/html"}, body=b"<h1>Welcome</h1>"),
        Reply(drop_before=True),
        Reply(body=b"{" + b" " * 1024 * 1024 + b"}"),
        json_reply({"issuer": "https://other.example", "token_endpoint": "https://other.example/token"}),
    ],
)
def test_each_address_is_tried_whatever_the_others_answer(
    demo_server: FaultyServer, number: int, instead: Reply
) -> None:
    """An error, a page, a redirect, a document of another issuer: the metadata may still be at the next address."""
    issuer = f"{demo_server.issuer}/t"
    forms = ["/t" + OPENID, RFC8414 + "/t", OPENID + "/t", "/t" + RFC8414]
    demo_server.overrides |= dict.fromkeys(forms[:number], always(instead))
    demo_server.overrides[forms[number]] = always(json_reply(document_of(demo_server) | {"issuer": issuer}))
    found = discover(Runtime(), profile_of(demo_server, issuer=issuer))
    assert (found.issuer, found.token_endpoint) == (issuer, f"{demo_server.issuer}/token")


@pytest.mark.parametrize("change", ["{}/", "{}/x", "HTTP://127.0.0.1", "https://evil.example", ""])
def test_another_issuer_is_refused(demo_server: FaultyServer, change: str) -> None:
    """Where all metadata is of another issuer, the error says whose."""
    said = change.format(demo_server.issuer)
    demo_server.overrides |= dict.fromkeys((OPENID, RFC8414), rewritten(demo_server, issuer=said))
    with pytest.raises(Refused, match="the metadata is of issuer") as caught:
        discover(Runtime(), profile_of(demo_server))
    assert repr(said) in caught.value.message
    assert (f"--issuer {said}" in (caught.value.hint or "")) == ("127.0.0.1" in said)


@pytest.mark.parametrize("lacking", ["token_endpoint", "revocation_endpoint", "jwks_uri", "authorization_endpoint"])
@pytest.mark.parametrize(("first", "second"), [(OPENID, RFC8414), ("/t" + OPENID, "/t" + RFC8414)])
def test_two_documents_of_one_issuer_complete_each_other(
    demo_server: FaultyServer, lacking: str, first: str, second: str
) -> None:
    """What OpenID's document lacks and the sign-in can use comes from RFC 8414's."""
    whole = document_of(demo_server) | {"issuer": f"{demo_server.issuer}{first.partition('/.well')[0]}"}
    demo_server.overrides[first] = always(json_reply({**whole, lacking: None}))
    demo_server.overrides[second] = always(json_reply({**whole, "introspection_endpoint": "https://other.example/"}))
    found = discover(Runtime(), profile_of(demo_server, issuer=whole["issuer"]))
    assert getattr(found, lacking) == whole[lacking]
    assert found.introspection_endpoint == whole["introspection_endpoint"]


@pytest.mark.parametrize(
    "instead",
    [
        Reply(status=500),
        Reply(drop_before=True),
        Reply(status=302, headers={"Location": "https://login.example/"}),
        json_reply({"issuer": "https://other.example", "revocation_endpoint": "https://other.example/"}),
        json_reply({"code_challenge_methods_supported": ["plain"]}),
        json_reply({"token_endpoint": "http://other.example/"}),
    ],
)
def test_the_completing_document_never_fails_the_sign_in(demo_server: FaultyServer, instead: Reply) -> None:
    """What the second document cannot give is only missing."""
    demo_server.overrides[OPENID] = rewritten(demo_server, revocation_endpoint=None)
    own = {"issuer": demo_server.issuer} | (instead.document if instead.body else {})
    demo_server.overrides[RFC8414] = always(json_reply(own) if instead.body else instead)
    found = discover(Runtime(), profile_of(demo_server))
    assert (found.token_endpoint, found.revocation_endpoint) == (f"{demo_server.issuer}/token", None)
    assert demo_server.count(RFC8414) == 1


@pytest.mark.parametrize(
    ("lacking", "members"),
    [
        ("introspection_endpoint", {}),
        ("device_authorization_endpoint", {}),
        ("jwks_uri", {"scope": "api"}),
        ("authorization_endpoint", {"flow": "device"}),
        ("revocation_endpoint", {"revocation_endpoint": "https://a.example/r"}),
        ("revocation_endpoint", {"flow": "client-credentials", "store": "memory", "scope": "api"}),
    ],
)
def test_a_second_document_is_asked_for_only_where_it_is_of_use(
    demo_server: FaultyServer, lacking: str, members: dict[str, Any]
) -> None:
    """What the profile's sign-in does not use, or has itself, costs no request."""
    demo_server.overrides[OPENID] = rewritten(demo_server, **{lacking: None})
    discover(Runtime(), profile_of(demo_server, **members))
    assert [each.path for each in demo_server.requests] == [OPENID]


def test_a_host_that_accepts_no_connection_is_asked_once() -> None:
    """All addresses of an issuer are at one host: without a connection there is nothing more to ask."""
    asked = []

    def send(request: Request) -> Response:
        asked.append(request.url)
        raise Unreachable("no connection", sent=False)

    with pytest.raises(Unreachable, match="no connection"):
        discover(Runtime(send=send), Profile(name="t", issuer="https://h.example/t", client_id="c"))
    assert len(asked) == 1


def test_an_issuer_for_every_tenant_gets_a_hint_that_helps(demo_server: FaultyServer) -> None:
    """Entra's `common` has a template in the place of its issuer: the hint names the form of a tenant's own."""
    demo_server.overrides |= dict.fromkeys(
        (OPENID, RFC8414), rewritten(demo_server, issuer=f"{demo_server.issuer}/{{tenantid}}/v2.0")
    )
    with pytest.raises(Refused, match="tenantid") as caught:
        discover(Runtime(), profile_of(demo_server))
    assert f"{demo_server.issuer}/TENANT-ID/v2.0" in (caught.value.hint or "")


def test_github_has_its_metadata_at_one_address(demo_server: FaultyServer) -> None:
    """Where OpenID's form answers with a page, and only RFC 8414's form has a document, that one is used."""
    issuer = f"{demo_server.issuer}/login/oauth"
    page = always(Reply(status=404, headers={"Content-Type": "text/html"}, body=b"<h1>Not here</h1>"))
    demo_server.overrides |= dict.fromkeys(("/login/oauth" + OPENID, OPENID + "/login/oauth"), page)
    only = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/access_token",
    }
    demo_server.overrides[RFC8414 + "/login/oauth"] = always(json_reply(only))
    found = discover(Runtime(), profile_of(demo_server, issuer=issuer, scope="repo"))
    assert (found.issuer, found.token_endpoint) == (issuer, f"{issuer}/access_token")


def test_the_issuer_is_compared_to_the_last_slash(demo_server: FaultyServer) -> None:
    """A slash too many in the profile is not forgiven either."""
    with pytest.raises(Refused, match="the metadata is of issuer"):
        discover(Runtime(), profile_of(demo_server, issuer=demo_server.issuer + "/"))


@pytest.mark.parametrize(
    "name",
    ["authorization_endpoint", "token_endpoint", "device_authorization_endpoint", "revocation_endpoint", "jwks_uri"],
)
@pytest.mark.parametrize(
    "url",
    ["http://evil.example/x", "javascript:alert(1)", "file:///etc/passwd", "//evil.example", "-x", 7, "https://a@b/", "https://b/#x", "https://b/\n"],
)  # fmt: skip
def test_an_unsafe_endpoint_is_refused(demo_server: FaultyServer, name: str, url: object) -> None:
    """An endpoint that is not https, or no address at all, spoils the metadata."""
    demo_server.overrides[OPENID] = rewritten(demo_server, **{name: url})
    with pytest.raises(Refused, match=name):
        discover(Runtime(), profile_of(demo_server))


@pytest.mark.parametrize("methods", [["plain"], []])
def test_a_server_without_s256_is_refused(demo_server: FaultyServer, methods: list[str]) -> None:
    """PKCE is never weakened to what a server says it can."""
    demo_server.overrides[OPENID] = rewritten(demo_server, code_challenge_methods_supported=methods)
    with pytest.raises(Refused, match="S256"):
        discover(Runtime(), profile_of(demo_server))


@pytest.mark.parametrize(
    "reply",
    [Reply(status=500), Reply(status=503, headers={"Retry-After": "7"}), Reply(status=429), Reply(drop_before=True)],
)
def test_a_failing_server_may_be_asked_again(demo_server: FaultyServer, reply: Reply) -> None:
    """A server that cannot answer now is unreachable, not refused, and the error says what each address answered."""
    demo_server.overrides |= {OPENID: always(reply), RFC8414: always(Reply(status=404))}
    with pytest.raises(Unreachable, match="no metadata now") as caught:
        discover(Runtime(), profile_of(demo_server))
    assert OPENID in caught.value.message and f"HTTP 404 with an empty body at {RFC8414}" in caught.value.message
    assert "7 s" in (caught.value.hint or "") or reply.status != 503


def test_html_everywhere_is_no_metadata(demo_server: FaultyServer) -> None:
    """A web site that is no authorization server is named as one."""
    page = always(Reply(status=200, headers={"Content-Type": "text/html"}, body=b"<h1>Shop</h1>"))
    demo_server.overrides |= {OPENID: page, RFC8414: page}
    with pytest.raises(Refused, match="an HTML page") as caught:
        discover(Runtime(), profile_of(demo_server))
    assert "token_endpoint" in (caught.value.hint or "")


def test_members_that_stand_twice_are_refused(demo_server: FaultyServer) -> None:
    """Metadata of which two readers would see two versions is none."""

    def twice(request: Received) -> Reply:
        usual = demo_server.answer(request)
        return Reply(body=usual.body[:-1] + b', "token_endpoint": "https://evil.example/"}')

    demo_server.overrides |= {OPENID: twice, RFC8414: twice}
    with pytest.raises(Refused, match="twice"):
        discover(Runtime(), profile_of(demo_server))


@pytest.mark.parametrize(
    "issuer",
    ["http://issuer.example", "issuer.example", "ftp://issuer.example", "https://", "https://a@b", "https://b?x", "https://b#x", "https://[", "https://b c"],
)  # fmt: skip
def test_an_unsafe_issuer_is_a_usage_error(issuer: str) -> None:
    """What a person may write as issuer is https, or http to this machine; nothing is sent before."""
    with pytest.raises(UsageError, match="issuer"):
        discover(Runtime(send=_nothing), Profile(name="t", issuer=issuer, client_id="c"))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("https://h.example/.well-known/openid-configuration", "https://h.example"),
        ("https://h.example/t/.well-known/openid-configuration", "https://h.example/t"),
        ("https://h.example/.well-known/oauth-authorization-server/t/u", "https://h.example/t/u"),
        ("h.example/t", "https://h.example/t"),
        ("http://h.example", "https://h.example"),
        ("github.com", "https://github.com/login/oauth"),
    ],
)
def test_an_issuer_as_people_type_it_gets_the_exact_one(typed: str, meant: str) -> None:
    """Before anything is sent, the hint has the issuer that was meant."""
    with pytest.raises(UsageError, match="issuer") as caught:
        discover(Runtime(send=_nothing), Profile(name="t", issuer=typed, client_id="c"))
    assert (caught.value.hint or "").endswith(f"--issuer {meant}")


def test_a_profile_without_an_issuer_is_a_usage_error() -> None:
    """The missing setting is named."""
    with pytest.raises(UsageError, match="no issuer"):
        discover(Runtime(send=_nothing), Profile(name="t", client_id="c"))


def test_a_server_without_metadata_is_described_by_the_profile(demo_server: FaultyServer) -> None:
    """With a token endpoint in the profile nothing is asked."""
    endpoints = {"token_endpoint": "https://a.example/t", "jwks_uri": "https://a.example/k"}
    found = discover(Runtime(send=_nothing), profile_of(demo_server, **endpoints))
    assert (found.token_endpoint, found.jwks_uri) == ("https://a.example/t", "https://a.example/k")
    assert found.authorization_endpoint is None


def test_an_endpoint_of_the_profile_replaces_the_servers(demo_server: FaultyServer) -> None:
    """A single endpoint may be named; everything else stays as the metadata says."""
    plain = discover(Runtime(), profile_of(demo_server))
    found = discover(Runtime(), profile_of(demo_server, revocation_endpoint="https://a.example/r"))
    changed = {name for name in _members(plain) if _members(plain)[name] != _members(found)[name]}
    assert changed == {"revocation_endpoint"}
    assert found.revocation_endpoint == "https://a.example/r"


def test_an_unsafe_endpoint_in_the_profile_is_refused(demo_server: FaultyServer) -> None:
    """The profile's endpoints obey the same rule as the server's."""
    for name in ("token_endpoint", "revocation_endpoint"):
        with pytest.raises(Refused, match=name):
            discover(Runtime(), profile_of(demo_server, **{name: "http://a.example/"}))


def document_of(server: FaultyServer) -> dict[str, Any]:
    """The server's whole metadata document."""
    return server.answer(Received(method="GET", target=OPENID)).document


def _members(found: object) -> Mapping[str, Any]:
    return {name: getattr(found, name) for name in found.__dataclass_fields__}  # type: ignore[attr-defined]


def _nothing(*_: object) -> Any:
    raise AssertionError("nothing should be sent")
