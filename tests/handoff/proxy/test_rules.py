"""Which requests are refused: each rule, and that an ordinary request breaks none."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl.errors import UsageError
from tokenctl.handoff.proxy.headers import Headers
from tokenctl.handoff.proxy.rules import Allow, Gate

SECRET = b"the-secret-of-the-proxy-0123456789"
HOST = (b"Host", b"127.0.0.1:8080")
BEARER = (b"Authorization", b"Bearer " + SECRET)


def gate(*allow: str, hosts: tuple[bytes, ...] | None = (b"127.0.0.1:8080", b"localhost:8080")) -> Gate:
    """A gate on port 8080 that allows this."""
    return Gate(secret=SECRET, secret_header=b"x-api-key", allow=tuple(map(Allow.parse, allow)), hosts=hosts)


def status(
    *headers: tuple[bytes, bytes],
    method: bytes = b"GET",
    target: bytes = b"/v1/x",
    version: bytes = b"1.1",
    of: Gate | None = None,
) -> int:
    """The status of the refusal; 0 when the request passes."""
    found = (of or gate()).refusal(method, target, version, headers)
    return found.status if found else 0


def basic(user: bytes, password: bytes) -> tuple[bytes, bytes]:
    """A header with a user's name and password."""
    return b"authorization", b"basic " + b64encode(user + b":" + password)


@pytest.mark.parametrize(
    "headers",
    [
        [BEARER],
        [(b"authorization", b"bEARER   " + SECRET)],
        [basic(b"", SECRET)],
        [basic(b"anybody", SECRET)],
        [(b"X-Api-Key", SECRET)],
        [BEARER, (b"x-api-key", SECRET)],
        [BEARER, (b"x-api-key", b"another")],
        [(b"Authorization", b"Digest x"), (b"x-api-key", SECRET)],
    ],
)
def test_each_way_to_present_the_secret_opens(headers: Headers) -> None:
    """Bearer, the password of Basic, or the header for it."""
    assert status(HOST, *headers) == 0


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"Authorization", b"Bearer")],
        [(b"Authorization", b"Bearer " + SECRET[:-1])],
        [(b"Authorization", SECRET)],
        [(b"Authorization", b"Token " + SECRET)],
        [basic(SECRET, b"")],
        [(b"Authorization", b"Basic !!")],
        [(b"x-api-key", b"")],
        [(b"Cookie", SECRET)],
    ],
)
def test_without_the_secret_the_request_is_refused(headers: Headers) -> None:
    """Anything but the whole secret, in one of the ways, is 401."""
    assert status(HOST, *headers) == 401


@given(st.binary(max_size=40))
def test_no_other_value_opens(value: bytes) -> None:
    """Whatever is presented: only the secret opens."""
    for header in [(b"x-api-key", value), (b"Authorization", b"Bearer " + value)]:
        assert status(HOST, header) in ((0,) if value == SECRET else (400, 401))


@pytest.mark.parametrize("twice", [(b"authorization", b"Bearer x"), (b"X-API-KEY", SECRET)])
def test_credentials_that_are_there_twice_are_refused(twice: tuple[bytes, bytes]) -> None:
    """Two servers could each take another one."""
    assert status(HOST, BEARER, (b"x-api-key", SECRET), twice) == 400


@pytest.mark.parametrize(
    "header",
    [
        (b"Cookie", b"a=" + SECRET),
        (b"Referer", b"http://127.0.0.1/?key=" + SECRET),
        *[(b"X-Auth", b"Basic " + b64encode(b"u" * count + b":" + SECRET)) for count in range(3)],
    ],
)
def test_the_secret_in_another_header_is_refused(header: tuple[bytes, bytes]) -> None:
    """The upstream never sees the secret, in base64 neither."""
    assert status(HOST, BEARER, header) == 400


def test_the_secret_in_the_target_is_refused() -> None:
    """The upstream writes targets into its log."""
    assert status(HOST, BEARER, target=b"/v1?key=" + SECRET) == 400


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        [b"evil.example:8080"],
        [b"127.0.0.1"],
        [b"127.0.0.1:8081"],
        [b"127.0.0.1:8080.evil"],
        [b"127.0.0.1:8080"] * 2,
        [b""],
    ],
)
def test_another_host_is_refused(hosts: list[bytes]) -> None:
    """A page that binds its own name to this machine's address gets nothing."""
    assert status(BEARER, *[(b"host", each) for each in hosts]) == 403


def test_both_names_of_this_machine_pass_and_a_socket_has_none() -> None:
    """`localhost` passes in any letters; where nobody can come by a name, `Host` is not looked at."""
    assert status(BEARER, (b"HOST", b"LocalHost:8080")) == 0
    assert status(BEARER, (b"host", b"anything"), of=gate(hosts=None)) == 0
    assert status(BEARER, of=gate(hosts=None)) == 0


@pytest.mark.parametrize("origin", [b"https://evil.example", b"null", b""])
def test_a_request_of_a_page_is_refused(origin: bytes) -> None:
    """Browsers send Origin; programs do not. A socket makes no difference."""
    assert status(HOST, BEARER, (b"origin", origin)) == 403
    assert status(BEARER, (b"Origin", origin), of=gate(hosts=None)) == 403


@pytest.mark.parametrize("method", [b"CONNECT", b"TRACE", b"trace", b"TRACK"])
def test_methods_that_are_not_passed_on(method: bytes) -> None:
    """CONNECT makes a tunnel, and TRACE sends the token back."""
    assert status(HOST, BEARER, method=method) == 403


@pytest.mark.parametrize("target", [b"*", b"http://a.example/", b"a.example:443", b"v1", b"?x", b"/a#b", b"/\xc3\xa9"])
def test_a_target_that_is_no_path_is_refused(target: bytes) -> None:
    """Only what begins with a slash is a path on this server."""
    assert status(HOST, BEARER, target=target) == 400


@pytest.mark.parametrize("target", [b"/v1/../admin", b"/v1/%2e%2e/admin?x", b"/a\\b", b"/%00"])
def test_a_path_that_leaves_its_folder_is_refused(target: bytes) -> None:
    """The query may have what the path may not."""
    assert status(HOST, BEARER, target=target) == 403
    assert status(HOST, BEARER, target=b"/v1?" + target) == 0


@pytest.mark.parametrize("version", [b"0.9", b"1.2", b"2.0"])
def test_other_versions_are_refused(version: bytes) -> None:
    """h11 reads any version as 1.1."""
    assert status(HOST, BEARER, version=version) == 505


@pytest.mark.parametrize(
    "name",
    [b"Content_Length", b"transfer_Encoding", b"X_Api_Key", b"x-api_key", b"Proxy_Authorization", b"HOST_"[:4] + b"_"],
)
def test_a_name_with_an_underscore_for_a_hyphen_is_refused(name: bytes) -> None:
    """Many servers read both as the same header."""
    expected = 0 if name == b"HOST_" else 400
    assert status(HOST, BEARER, (name, b"1")) == expected
    assert status(HOST, BEARER, (b"my_header", b"1")) == 0


@pytest.mark.parametrize("value", [b"a\x01", b"\x1b[31m", b"a\x7f", b"a\x0bb"])
def test_a_control_character_in_a_header_is_refused(value: bytes) -> None:
    """h11 lets some of them pass."""
    assert status(HOST, BEARER, (b"X-A", value)) == 400
    assert status(HOST, BEARER, (b"X-A", b"tab\tand \xe9")) == 0


def test_framing_and_expectations_that_cannot_be_met() -> None:
    """HTTP/1.0 has no chunks, and 100-continue is the only expectation there is."""
    assert status(HOST, BEARER, (b"Transfer-Encoding", b"chunked"), version=b"1.0") == 400
    assert status(HOST, BEARER, (b"Expect", b"100-Continue")) == 0
    assert status(HOST, BEARER, (b"Expect", b"200-ok")) == 417


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        (b"GET", b"/v1", 0),
        (b"GET", b"/v1/x?a=/../b", 0),
        (b"GET", b"/v1/a%2fb", 0),
        (b"GET", b"/v1x", 403),
        (b"GET", b"/%761/x", 403),
        (b"GET", b"/v1%2fx", 403),
        (b"GET", b"//v1/x", 403),
        (b"POST", b"/v1/x", 403),
        (b"get", b"/v1/x", 403),
        (b"POST", b"/chat/completions", 0),
        (b"PATCH", b"/any", 0),
        (b"PATCH", b"/anything", 403),
    ],
)
def test_only_what_is_allowed_passes(method: bytes, target: bytes, expected: int) -> None:
    """A method and a prefix, of the path as it is written and as it can be read."""
    only = gate("GET /v1", "post /chat/", "* /any")
    assert status(HOST, BEARER, method=method, target=target, of=only) == expected


@pytest.mark.parametrize("name", [b"X-HTTP-Method-Override", b"x-rewrite-url"])
def test_a_header_that_replaces_what_is_allowed_is_refused(name: bytes) -> None:
    """Some servers take the method or the path from a header."""
    assert status(HOST, BEARER, (name, b"DELETE"), of=gate("GET /v1")) == 403
    assert status(HOST, BEARER, (name, b"DELETE")) == 0


def test_everything_below_the_root() -> None:
    """The prefix `/` allows every path of its method."""
    assert status(HOST, BEARER, target=b"//x/%E9", of=gate("GET /")) == 0
    assert status(HOST, BEARER, method=b"PUT", of=gate("GET /")) == 403


@pytest.mark.parametrize(
    "text",
    ["", "GET", "/v1", "GET v1", "GET /v1?x", "GET /a%20", "GET /a/../b", "GET /a b", "G T /", "GET /é", "GET /a;b"],
)
def test_an_allowance_that_cannot_be_read(text: str) -> None:
    """A person gets an error, not a rule that never holds."""
    with pytest.raises(UsageError):
        Allow.parse(text)


def test_the_secret_is_in_no_text_for_people() -> None:
    """What is written of a gate has no secret."""
    assert SECRET.decode() not in repr(gate()) + str(gate())
