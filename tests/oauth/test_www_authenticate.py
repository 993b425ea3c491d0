"""`WWW-Authenticate`: what a server's challenges say, and whether a new token can help."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import WWWAuthenticate

from tokenctl.oauth.www_authenticate import Challenge, asks_for_new_token, parse

# -- values that follow the grammar, in all its freedoms ----------------------------------------------------

TOKENS = st.text(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~", min_size=1, max_size=8)
TOKEN68 = st.from_regex(r"[A-Za-z0-9\-._~+/]{1,9}={0,2}", fullmatch=True)
IN_QUOTES = st.text('\t !,=\\"' + string.ascii_letters + "[]~\x80\xffЖ€", max_size=8)
BLANKS = st.text(" \t", max_size=2)
COMMA = st.builds(lambda *parts: ",".join(parts), BLANKS, st.sampled_from(["", " ", ",", " , "]))


def quoted(text: str) -> str:
    """Write a text as a quoted string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@st.composite
def challenges(draw: st.DrawFn) -> tuple[Challenge, str]:
    """Draw a challenge, and a text that says it."""
    scheme = draw(TOKENS)
    if draw(st.booleans()):
        token68 = draw(TOKEN68)
        return Challenge(scheme=scheme.lower(), token68=token68), f"{scheme} {token68}"
    given = draw(st.dictionaries(TOKENS.map(str.lower), st.one_of(TOKENS, IN_QUOTES), max_size=3))
    said = [
        f"{name.upper() if draw(st.booleans()) else name}{draw(BLANKS)}={draw(BLANKS)}"
        f"{quoted(value) if draw(st.booleans()) or not TOKEN.issuperset(value) or not value else value}"
        for name, value in given.items()
    ]
    return Challenge(scheme=scheme.lower(), parameters=given), scheme + " " * bool(said) + draw(COMMA).join(said)


TOKEN = frozenset(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~")


@given(st.lists(challenges(), max_size=4), st.data())
def test_what_follows_the_grammar_is_read_as_it_was_meant(
    drawn: list[tuple[Challenge, str]], data: st.DataObject
) -> None:
    """Challenges in one line, with any blanks, empty elements and quotation marks; and each in a line of its own."""
    expected = tuple(each for each, _ in drawn)
    line = data.draw(COMMA).join(text for _, text in drawn)
    assert parse([data.draw(COMMA) * data.draw(st.integers(0, 1)) + line]) == expected
    assert parse([text for _, text in drawn]) == expected


@given(st.lists(st.text(max_size=40), max_size=3))
def test_no_text_is_an_error(lines: list[str]) -> None:
    """Whatever a server writes: what is read has schemes that are tokens."""
    assert all(TOKEN.issuperset(each.scheme) and each.scheme for each in parse(lines))
    assert asks_for_new_token(lines) in (True, False)


@given(st.lists(challenges(), min_size=1, max_size=3), st.text(max_size=20))
def test_a_mistake_takes_nothing_away_that_came_before_it(drawn: list[tuple[Challenge, str]], mistake: str) -> None:
    """A challenge that is whole stays, and nothing is read of what comes after the mistake."""
    line = ", ".join(text for _, text in drawn)
    found = parse([f'{line}, "{mistake}'])
    assert found[: len(drawn)] == tuple(each for each, _ in drawn)


@given(
    TOKENS, st.dictionaries(st.sampled_from(["realm", "error", "scope"]), st.text('ab "\\,=', max_size=5), min_size=1)
)
def test_another_implementation_reads_the_same(scheme: str, parameters: dict[str, str]) -> None:
    """Werkzeug writes one challenge, and it is read as it was meant."""
    written = WWWAuthenticate(scheme.lower(), {**parameters}).to_header()
    assert parse([written]) == (Challenge(scheme=scheme.lower(), parameters=parameters),)


# -- what servers write -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Bearer", [("bearer", None, {})]),
        ("", []),
        (" , ,", []),
        ('Bearer realm="Service", error="invalid_token"', [("bearer", None, {"realm": "Service", "error": "invalid_token"})]),
        (
            'Newauth realm="apps", type=1, title="Login to \\"apps\\"", Basic realm="simple"',
            [("newauth", None, {"realm": "apps", "type": "1", "title": 'Login to "apps"'}), ("basic", None, {"realm": "simple"})],
        ),
        ('Basic realm="GitHub"', [("basic", None, {"realm": "GitHub"})]),
        (
            'Bearer realm="https://accounts.google.com/", error="invalid_token"',
            [("bearer", None, {"realm": "https://accounts.google.com/", "error": "invalid_token"})],
        ),
        (
            'Bearer realm="", authorization_uri="https://l.example/authorize", error="insufficient_claims", claims="eyJhIjp7fX0="',
            [("bearer", None, {"realm": "", "authorization_uri": "https://l.example/authorize", "error": "insufficient_claims", "claims": "eyJhIjp7fX0="})],
        ),
        (
            'Digest realm="a", qop="auth, auth-int", algorithm=SHA-256, nonce="7y/d==", opaque="F,Q", stale=TRUE',
            [("digest", None, {"realm": "a", "qop": "auth, auth-int", "algorithm": "SHA-256", "nonce": "7y/d==", "opaque": "F,Q", "stale": "TRUE"})],
        ),
        (
            'Bearer error_description="Срок действия истёк", error="insufficient_scope"',
            [("bearer", None, {"error_description": "Срок действия истёк", "error": "insufficient_scope"})],
        ),
        ('Bearer\trealm="a"', []),
        ('Bearer \trealm\t=\t"a"\t,\t\t,error=b\t', [("bearer", None, {"realm": "a", "error": "b"})]),
        ("Negotiate oYGz==, NTLM", [("negotiate", "oYGz==", {}), ("ntlm", None, {})]),
        ("Negotiate,NTLM , Basic realm=a", [("negotiate", None, {}), ("ntlm", None, {}), ("basic", None, {"realm": "a"})]),
        ('Basic realm="a, Bearer b=\\"c\\""', [("basic", None, {"realm": 'a, Bearer b="c"'})]),
        (
            'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull"',
            [("bearer", None, {"realm": "https://auth.example/token", "service": "registry.example", "scope": "repository:a/b:pull"})],
        ),
        ('Bearer resource_metadata="https://a.example/.well-known/x"', [("bearer", None, {"resource_metadata": "https://a.example/.well-known/x"})]),
        ("Bearer error=invalid_token, error_description=The token expired", [("bearer", None, {"error": "invalid_token"})]),
        ('Bearer realm="a" error="invalid_token"', [("bearer", None, {})]),
        ('Bearer realm="a', [("bearer", None, {})]),
        ('Bearer a=1, A="2"', [("bearer", None, {"a": "1"})]),
        ('Bearer realm=""', [("bearer", None, {"realm": ""})]),
        ('"Bearer"', []),
        ("Bearer\x00", []),
    ],
)  # fmt: skip
def test_what_servers_write(line: str, expected: list[tuple[str, str | None, dict[str, str]]]) -> None:
    """Registries, IIS, MCP servers, the example of RFC 9110, and common mistakes."""
    assert [(each.scheme, each.token68, dict(each.parameters)) for each in parse([line])] == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], True),
        (["Bearer"], True),
        (['bearer error="invalid_token"'], True),
        (["Basic realm=a", "Bearer realm=b"], True),
        (['Basic realm="a", BEARER realm="b"'], True),
        (['"unreadable"'], True),
        (["Basic realm=a"], False),
        (["Negotiate", "NTLM"], False),
        (['DPoP error="use_dpop_nonce"'], False),
        (['Bearer error="insufficient_scope", scope="a b"'], False),
        (['Bearer error="insufficient_user_authentication", acr_values="x"'], False),
        (["Bearer", "Bearer error=insufficient_scope"], False),
    ],
)
def test_a_new_token_can_help(lines: list[str], expected: bool) -> None:
    """Not where the server wants other credentials, a wider scope or a new sign-in."""
    assert asks_for_new_token(lines) is expected


PARTS = [
    "a,",
    "Bearer a=b,",
    'B a="\\"',
    " ",
    ",",
    "a ",
    "a",
    "a,b ",
    '"',
    "B =",
    "B a==",
    'B a="b',
    "a=b ,\t",
    "B \t ,",
]


@pytest.mark.parametrize("part", PARTS)
def test_a_long_value_is_read_in_one_pass(part: str) -> None:
    """A quarter of a megabyte of one part, alone and in a challenge; with steps in its square the test would take minutes."""
    for line in (part * (2**18 // len(part)), f"Bearer {part * (2**18 // len(part))}"):
        assert len(parse([line])) <= 2**17 + 1
