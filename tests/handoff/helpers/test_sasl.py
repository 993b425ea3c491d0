"""sasl: the bytes of RFC 7628 and of XOAUTH2, and nothing that a user name could add to them."""

from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl.errors import LoginRequired
from tokenctl.handoff.helpers import sasl
from tokenctl.handoff.helpers.question import Answer, Given, Question

ERROR = LoginRequired("the session is over", hint="run it")
TOKEN = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="
"""The token of the examples in RFC 7628 section 4."""


def read(*words: str) -> Question:
    """The question for these words."""
    return sasl.read(words, b"", {})


def answer(*words: str) -> Answer:
    """The answer for these words."""
    return sasl.found(read(*words), [Given(TOKEN, "", "not-this-one", "Basic ", None)], 0)


def refused(*words: str) -> str:
    """The reason why these words are not understood."""
    question = read(*words)
    assert (question.wants, question.answer.out, question.answer.status) == ("nothing", b"", 2)
    assert question.answer.error.isprintable()
    return question.answer.error


def test_the_example_of_rfc_7628() -> None:
    """Section 4.1, to the byte: the IMAP client's initial response."""
    found = answer("oauthbearer", "--user", "user@example.com", "--host", "server.example.com", "--port", "143")
    assert (found.status, found.error) == (0, "")
    assert found.out == (
        b"bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52"
        b"YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB\n"
    )


def test_the_example_of_xoauth2() -> None:
    """As Google documents it."""
    found = answer("xoauth2", "--user=someuser@example.com")
    assert b64decode(found.out) == f"user=someuser@example.com\x01auth=Bearer {TOKEN}\x01\x01".encode()


@pytest.mark.parametrize(
    ("words", "start"),
    [
        (["oauthbearer"], b"n,,\x01"),
        (["oauthbearer", "--port=0993"], b"n,,\x01port=993\x01"),
        (["--host", "h.example", "oauthbearer"], b"n,,\x01host=h.example\x01"),
        (["--port", "1", "oauthbearer", "--host=::1", "--user", "a"], b"n,a=a,\x01host=::1\x01port=1\x01"),
        (["oauthbearer", "--user", "a,b=c"], b"n,a=a=2Cb=3Dc,\x01"),
        (["oauthbearer", "--user", "=2C,"], b"n,a==3D2C=2C,\x01"),
        (["oauthbearer", "--user", "müller"], "n,a=müller,\x01".encode()),
        (["--user", "a,b=c", "xoauth2"], b"user=a,b=c\x01"),
        (["xoauth2", "--user", "a", "--host", "h", "--port", "1"], b"user=a\x01"),
    ],
)
def test_each_part_is_there_when_it_is_given(words: list[str], start: bytes) -> None:
    """In the order of the RFC, whatever the order of the words."""
    assert b64decode(answer(*words).out) == start + f"auth=Bearer {TOKEN}\x01\x01".encode()


@pytest.mark.parametrize("harmful", ["\0", "\x01", "\n", "\r", "\t", "\x7f", "\x85", "\u2028", "\udc80"])
@pytest.mark.parametrize("option", ["--user", "--host"])
@pytest.mark.parametrize("mechanism", ["oauthbearer", "xoauth2"])
def test_control_characters_are_refused(harmful: str, option: str, mechanism: str) -> None:
    """They could end a part of the response and begin another one."""
    assert refused(mechanism, option, f"a{harmful}auth=Bearer x").startswith(option)


@pytest.mark.parametrize("port", ["0", "65536", "-1", "+1", "imap", "٣", "1.0", "99999999"])
def test_a_port_is_a_number(port: str) -> None:
    """From 1 to 65535, in ASCII digits."""
    assert refused("oauthbearer", f"--port={port}").startswith("--port is a number")


def test_a_missing_user_name_of_xoauth2_is_a_mistake() -> None:
    """XOAUTH2 has no response without it."""
    assert "--user you@example.com" in refused("xoauth2")


@pytest.mark.parametrize(
    "words", [[], ["plain"], ["oauthbearer", "xoauth2"], ["--user", "oauthbearer"], ["OAUTHBEARER"]]
)
def test_one_mechanism_is_named(words: list[str]) -> None:
    """As the page writes it."""
    assert refused(*words) == "name one mechanism: oauthbearer or xoauth2"


def test_a_failure_is_a_reason_on_stderr() -> None:
    """Nothing is on stdout."""
    failed = sasl.failed(read("oauthbearer"), ERROR)
    assert (failed.out, failed.status, failed.error, failed.hint) == (b"", 4, "the session is over", ERROR.next_step)


@given(st.sampled_from(["oauthbearer", "xoauth2"]), st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_a_server_reads_what_was_given_or_there_is_no_response(mechanism: str, user: str, host: str, port: str) -> None:
    """Read as a server reads it, by its separators: the parts are the given ones, and no others."""
    question = read(mechanism, f"--user={user}", f"--host={host}", f"--port={port}")
    if question.wants == "nothing":
        return
    out = sasl.found(question, [Given(TOKEN, "", "", "", None)], 0).out
    assert out.endswith(b"\n") and out.count(b"\n") == 1
    first, *pairs = b64decode(out, validate=False).decode().split("\x01")
    parts = dict(pair.split("=", 1) for pair in pairs if pair)
    if mechanism == "xoauth2":
        assert first == f"user={user}" and parts == {"auth": f"Bearer {TOKEN}"}
        return
    flag, name, end = first.split(",")
    assert (flag, end) == ("n", "") and name.removeprefix("a=").replace("=2C", ",").replace("=3D", "=") == user
    assert parts == {"host": host, "port": str(int(port)), "auth": f"Bearer {TOKEN}"}
