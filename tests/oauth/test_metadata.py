"""Authorization server metadata: where it is, and what is refused in it."""

from typing import Any

import pytest
from hypothesis import given

from tests.support.responses import answer, answers, only
from tokenctl.errors import Refused
from tokenctl.oauth import metadata
from tokenctl.oauth.metadata import (
    ENDPOINTS,
    OAUTH,
    OPENID,
    Metadata,
    completed,
    from_members,
    is_openid,
    read,
    requests,
    require_endpoint,
)
from tokenctl.oauth.wire import Response

ISSUER = "https://login.example.com/t1"
DOCUMENT: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
    "code_challenge_methods_supported": ["plain", "S256"],
}


def parse(response: Response, issuer: str) -> Metadata:
    """Read a document, and make the record."""
    return from_members(read(response, issuer))


@pytest.mark.parametrize(
    ("issuer", "addresses"),
    [
        ("https://h", [f"https://h{OPENID}", f"https://h{OAUTH}"]),
        ("https://h/", [f"https://h{OPENID}", f"https://h{OAUTH}"]),
        (
            "https://h/t1",
            [f"https://h/t1{OPENID}", f"https://h{OAUTH}/t1", f"https://h{OPENID}/t1", f"https://h/t1{OAUTH}"],
        ),
        (
            "https://h:8443/a/b/",
            [
                *(f"https://h:8443/a/b{OPENID}", f"https://h:8443{OAUTH}/a/b"),
                *(f"https://h:8443{OPENID}/a/b", f"https://h:8443/a/b{OAUTH}"),
            ],
        ),
    ],
)
def test_every_well_known_form_is_asked_for(issuer: str, addresses: list[str]) -> None:
    """OpenID appends to the issuer, RFC 8414 puts its part between host and path, and each server mixes the two its way."""
    found = requests(issuer)
    assert [each.url for each in found] == addresses
    assert all((each.method, each.headers) == ("GET", {}) for each in found)
    assert [is_openid(each) for each in found] == [OPENID in each for each in addresses]


@pytest.mark.parametrize("nothing", [None, ""])
def test_two_documents_complete_each_other(nothing: object) -> None:
    """The first one's members count; what it lacks, or has as null or empty, comes from the other one."""
    first = {**DOCUMENT, "revocation_endpoint": nothing}
    assert parse(answer(first), ISSUER).revocation_endpoint is None
    other = {"issuer": ISSUER, "token_endpoint": "https://other/", "revocation_endpoint": f"{ISSUER}/revoke"}
    found = completed(first, other)
    assert (found.token_endpoint, found.revocation_endpoint) == (f"{ISSUER}/token", f"{ISSUER}/revoke")


def test_a_decent_document_becomes_a_record() -> None:
    """Known members are taken, unknown ones ignored, absent ones have their default."""
    found = parse(answer({**DOCUMENT, "x": [1], "authorization_response_iss_parameter_supported": True}), ISSUER)
    assert found == Metadata(
        issuer=ISSUER,
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        jwks_uri=f"{ISSUER}/jwks",
        code_challenge_methods_supported=("plain", "S256"),
        authorization_response_iss_parameter_supported=True,
    )


@pytest.mark.parametrize(
    "issuer",
    [
        *(
            ISSUER + "/",
            ISSUER.upper(),
            "https://LOGIN.example.com/t1",
            "https://evil.example/t1",
            "https://login.example.com",
        ),
        *(
            "https://login.example.com:443/t1",
            "https://login.example.com/t%31",
            ISSUER + " ",
            "",
            None,
            7,
            [ISSUER],
            {},
        ),
    ],
)
def test_another_issuer_is_refused_to_the_character(issuer: object) -> None:
    """A server that speaks in another's name is believed in nothing."""
    with pytest.raises(Refused, match="issuer") as caught:
        parse(answer({**DOCUMENT, "issuer": issuer}), ISSUER)
    assert caught.value.exit_status == 5 and caught.value.hint


def test_the_issuer_asked_for_may_end_in_a_slash() -> None:
    """With a slash on both sides they are the same, and without one on either they are not."""
    assert parse(answer({**DOCUMENT, "issuer": ISSUER + "/"}), ISSUER + "/").issuer == ISSUER + "/"
    with pytest.raises(Refused):
        parse(answer(DOCUMENT), ISSUER + "/")


@pytest.mark.parametrize("name", ENDPOINTS)
@pytest.mark.parametrize(
    "url",
    ["http://evil.example/x", "ftp://h/x", "javascript:alert(1)", "file:///etc/passwd", "-x", "/token", 7, ["x"]],
)
def test_an_endpoint_that_is_not_https_is_refused(name: str, url: object) -> None:
    """Every endpoint the document names is checked, whatever the flow will use."""
    with pytest.raises(Refused, match=name):
        parse(answer({**DOCUMENT, name: url}), ISSUER)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_an_endpoint_on_this_machine_may_be_http(name: str) -> None:
    """Development servers are on loopback, and there nobody listens in."""
    assert (
        getattr(parse(answer({**DOCUMENT, name: "http://127.0.0.1:8080/x"}), ISSUER), name) == "http://127.0.0.1:8080/x"
    )


def test_every_endpoint_is_among_the_checked_ones() -> None:
    """A new endpoint in the record is checked without anybody thinking of it."""
    assert {"authorization_endpoint", "token_endpoint", "revocation_endpoint", "jwks_uri"} < set(ENDPOINTS)
    assert len(ENDPOINTS) == 7


@pytest.mark.parametrize("methods", [["plain"], [], ["s256"], ["S512", "plain"], [["S256"]]])
def test_a_server_without_s256_is_refused(methods: list[object]) -> None:
    """Who lists methods and not this one would be signed in to without protection."""
    with pytest.raises(Refused, match="S256"):
        parse(answer({**DOCUMENT, "code_challenge_methods_supported": methods}), ISSUER)


def test_a_server_that_lists_no_methods_is_used_with_s256() -> None:
    """Servers older than RFC 8414 say nothing, and S256 is sent all the same."""
    document = {name: value for name, value in DOCUMENT.items() if name != "code_challenge_methods_supported"}
    assert parse(answer(document), ISSUER).code_challenge_methods_supported is None


@pytest.mark.parametrize("value", ["true", 1, None, [True], "yes"])
def test_only_a_true_true_is_true(value: object) -> None:
    """A text or a number is no yes."""
    found = parse(answer({**DOCUMENT, "require_pushed_authorization_requests": value}), ISSUER)
    assert found.require_pushed_authorization_requests is False


STATUSES = (201, 301, 302, 401, 403, 404, 500)
NO_METADATA: tuple[object, ...] = (
    *(None, b"<html>", [], {}, {"token_endpoint": "https://evil.example"}),
    b'{"issuer": "a", "issuer": "https://login.example.com/t1"}',
)


@pytest.mark.parametrize("response", [*(answer(DOCUMENT, each) for each in STATUSES), *map(answer, NO_METADATA)])
def test_no_metadata_leaves_the_other_path_to_try(response: Response) -> None:
    """An error page or a document without issuer is no metadata, which is not the same as wrong metadata."""
    with pytest.raises(ValueError, match=r"."):
        parse(response, ISSUER)


def test_metadata_of_a_profile_is_checked_the_same_way() -> None:
    """Endpoints that a person wrote are no more trusted than a server's."""
    assert metadata.from_members({"issuer": ISSUER, "token_endpoint": "https://h/t"}).token_endpoint == "https://h/t"
    with pytest.raises(Refused, match="token_endpoint"):
        metadata.from_members({"issuer": ISSUER, "token_endpoint": "http://h/t"})


def test_an_endpoint_that_is_needed_and_absent_is_named() -> None:
    """The message says what the server has not, and what to do."""
    assert require_endpoint("https://h/x", "device endpoint", ISSUER) == "https://h/x"
    with pytest.raises(Refused, match="no device authorization endpoint") as caught:
        require_endpoint(None, "device authorization endpoint", ISSUER)
    assert "--flow" in (caught.value.hint or "") and "device_authorization_endpoint" in (caught.value.hint or "")


@given(answers("issuer", *ENDPOINTS, "code_challenge_methods_supported", "token_endpoint_auth_methods_supported"))
def test_any_answer_is_metadata_or_one_of_our_errors(response: Response) -> None:
    """No answer makes the parser fail in another way."""
    with only(Refused, ValueError):
        assert parse(response, "https://a.example").issuer == "https://a.example"
