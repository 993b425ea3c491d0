"""The protocol of docker's credential helpers, byte for byte."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl import __version__
from tokenctl.errors import LoginRequired
from tokenctl.handoff.helpers import docker
from tokenctl.handoff.helpers.question import Given, Question
from tokenctl.model.origins import is_at, origin_of

NOT_FOUND = b"credentials not found in native keychain\n"
TOKEN = Given("eyJ.a-b", "https://registry.example.com:5000", "oauth2", "Bearer ", 2_000_000_000)


def ask(verb: str, content: bytes = b"") -> Question:
    """Ask as docker does."""
    return docker.read([verb], content, {})


# -- get ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "address"),
    [
        (b"registry.example.com", "//registry.example.com"),
        (b"registry.example.com:5000", "//registry.example.com:5000"),
        (b"registry.example.com:5000\n", "//registry.example.com:5000"),
        (b"registry.example.com\r\n", "//registry.example.com"),
        (b"registry.example.com/team/image", "//registry.example.com"),
        (b"https://registry.example.com:5000", "https://registry.example.com:5000"),
        (b"https://registry.example.com:5000/v2/", "https://registry.example.com:5000"),
        (b"http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        (b"https://index.docker.io/v1/", "https://index.docker.io"),
        (b"https://INDEX.docker.io:443/v1/", "https://index.docker.io"),
        (b"[::1]:5000", "//[::1]:5000"),
    ],
)
def test_a_registry_is_a_host_or_a_url(asked: bytes, address: str) -> None:
    """Docker, podman and skopeo write it in different forms; the answer repeats the form that was asked."""
    question = ask("get", asked)
    assert (question.wants, question.address, question.absent.out) == ("token", address, NOT_FOUND)
    assert json.loads(docker.found(question, [TOKEN], 0).out)["ServerURL"] == asked.decode().strip()


def test_the_token_is_a_password() -> None:
    """One line of JSON and nothing else, with exit status 0."""
    answer = docker.found(ask("get", b"registry.example.com:5000"), [TOKEN], 0)
    expected = b'{"ServerURL":"registry.example.com:5000","Username":"oauth2","Secret":"eyJ.a-b"}\n'
    assert (answer.out, answer.status, answer.error) == (expected, 0, "")


@pytest.mark.parametrize(
    "asked",
    [
        b"",
        b"\n",
        b" registry.example.com",
        b"registry.example.com\nother.example.com",
        b"registry.example.com\0",
        b"user:secret@registry.example.com",
        b"https://user@registry.example.com",
        b"ftp://registry.example.com",
        b"registry.example.com:0",
        b"registry.example.com:99999",
        b"r\xc3\xa9gistre.example.com",
        b"\xff\xfe",
        b"https://",
        b"a" * 9000,
    ],
)
def test_what_is_no_registry_is_not_found(asked: bytes) -> None:
    """Docker goes on without credentials."""
    question = ask("get", asked)
    assert (question.wants, question.answer.out, question.answer.status) == ("nothing", NOT_FOUND, 1)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_no_bytes_are_an_error(asked: bytes) -> None:
    """Each `get` has a question with a valid address, or the answer that there is nothing."""
    question = ask("get", asked)
    if question.wants == "token":
        assert origin_of(f"https:{question.address}" if question.address[0] == "/" else question.address)
    else:
        assert question.answer.out == NOT_FOUND


@given(st.from_regex(r"[a-z]{1,9}\.example", fullmatch=True), st.integers(1, 65535), st.sampled_from(["", "\n"]))
def test_a_host_without_a_scheme_is_the_origin_with_its_port(host: str, port: int, end: str) -> None:
    """Host and port are compared exactly; the scheme's own port can be left out."""
    address = ask("get", f"{host}:{port}{end}".encode()).address
    assert is_at(address, f"https://{host}" if port == 443 else f"https://{host}:{port}")
    assert not is_at(address, f"https://{host}:{port + 1}") and not is_at(address, f"https://x{host}:{port}")


@given(st.text(), st.text(min_size=1))
def test_every_text_is_written_as_json(user: str, token: str) -> None:
    """Also quotes, line ends and characters that are no ASCII."""
    answer = docker.found(ask("get", b"h"), [Given(token, "https://h", user, "", None)], 0).out
    assert json.loads(answer) == {"ServerURL": "h", "Username": user, "Secret": token}
    assert answer.isascii() and answer.count(b"\n") == 1


def test_a_failure_is_a_text_on_stdout() -> None:
    """With the way out, and never the text that means "not found"; stderr has it too, for what docker drops."""
    error = LoginRequired("the session of 't' has ended", hint="run 'tokenctl login -p t'", page="x")
    answer = docker.failed(ask("get", b"h"), error)
    assert answer.out.startswith(b"the session of 't' has ended; run 'tokenctl login -p t'")
    assert (answer.out[-1:], answer.status) == (b"\n", 1)
    assert (answer.error, answer.hint) == (error.message, error.next_step)


# -- store, erase, list, version ---------------------------------------------------------------------------


def test_store_is_silent_for_a_bound_registry_alone() -> None:
    """A password of another registry must not be lost without a word; the password can have any character."""
    question = ask("store", '{"ServerURL":"https://h:5000/v2/","Username":"u","Secret":"pé"}\n'.encode())
    assert (question.wants, question.address) == ("binding", "https://h:5000")
    assert (question.answer.out, question.answer.status) == (b"", 0)
    assert question.absent.status == 1 and b"keeps no passwords" in question.absent.out


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"h", b'{"ServerURL":""}', b"\xff", b"{" * 99])
def test_store_of_no_registry_is_refused(content: bytes) -> None:
    """With a reason on stdout."""
    answer = ask("store", content).answer
    assert answer.status == 1 and answer.out.startswith(b"tokenctl can store nothing")


def test_erase_is_silent() -> None:
    """`docker logout` ends well: tokenctl keeps nothing to erase."""
    question = ask("erase", b"registry.example.com:5000\n")
    assert (question.wants, question.answer.out, question.answer.status) == ("nothing", b"", 0)
    assert ask("erase", b"a b").answer.status == 1


def test_list_has_each_registry_once() -> None:
    """Hosts as `get` is asked for them, and no token."""
    origins = ["https://h:5000", "http://127.0.0.1:80", "https://127.0.0.1:80", "https://index.docker.io"]
    question = ask("list", b"unused")
    answer = docker.found(question, [Given("", each, "oauth2", "", None) for each in origins], 0).out
    assert question.wants == "origins"
    assert answer == b'{"h:5000":"oauth2","127.0.0.1:80":"oauth2","index.docker.io":"oauth2"}\n'
    assert docker.found(question, [], 0).out == b"{}\n"


def test_version_names_the_program() -> None:
    """Nothing is read for it."""
    assert docker.reads(["version"]) == "nothing"
    assert ask("version").answer.out == f"docker-credential-tokenctl {__version__}\n".encode()


@pytest.mark.parametrize("words", [[], ["Get"], ["get", "get"], ["x" * 999], ["\n"]])
def test_another_verb_is_refused_on_stdout(words: list[str]) -> None:
    """In one line."""
    answer = docker.read(words, b"", {}).answer
    assert answer.status == 1 and answer.out.startswith(b"docker calls ") and answer.out.count(b"\n") == 1
