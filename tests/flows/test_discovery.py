"""Finding a server: both well-known paths, the issuer to the character, and servers without metadata."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.support.flows import always, profile_of, rewritten
from tokenctl.errors import Refused, Unreachable, UsageError
from tokenctl.flows.discovery import discover
from tokenctl.model.profile import Profile
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
def test_an_issuer_with_a_path_has_two_rules(demo_server: FaultyServer, path: str) -> None:
    """OpenID appends its path to the issuer's, RFC 8414 puts its own before it."""
    with pytest.raises(Refused, match="no metadata"):
        discover(Runtime(), profile_of(demo_server, issuer=demo_server.issuer + path))
    assert [each.path for each in demo_server.requests] == ["/tenant/one" + OPENID, RFC8414 + "/tenant/one"]


@pytest.mark.parametrize("change", ["{}/", "{}/x", "HTTP://127.0.0.1", "https://evil.example", ""])
def test_another_issuer_is_refused(demo_server: FaultyServer, change: str) -> None:
    """Metadata that names another issuer is final: the second path is not asked."""
    demo_server.overrides[OPENID] = rewritten(demo_server, issuer=change.format(demo_server.issuer))
    with pytest.raises(Refused, match="the metadata is of issuer"):
        discover(Runtime(), profile_of(demo_server))
    assert len(demo_server.requests) == 1


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
    ["http://evil.example/x", "javascript:alert(1)", "file:///etc/passwd", "//evil.example", "-x", 7, "https://a@b/", "https://b/#x", "https://b/\n", ""],
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
    """A server that cannot answer now is unreachable, not refused."""
    demo_server.overrides[OPENID] = always(reply)
    with pytest.raises(Unreachable):
        discover(Runtime(), profile_of(demo_server))


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


def _members(found: object) -> Mapping[str, Any]:
    return {name: getattr(found, name) for name in found.__dataclass_fields__}  # type: ignore[attr-defined]


def _nothing(*_: object) -> Any:
    raise AssertionError("nothing should be sent")
