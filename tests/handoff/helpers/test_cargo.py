"""The protocol of cargo's credential providers, byte for byte."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl.errors import LoginRequired
from tokenctl.handoff.helpers import cargo
from tokenctl.handoff.helpers.question import Given, Question

PLUGIN = ["--cargo-plugin"]
INDEX = "sparse+https://crates.example.com/index/"
NOT_THIS_ONE = b'{"Err":{"kind":"url-not-supported"}}\n'
TOKEN = Given("eyJ.a-b", "https://crates.example.com", "oauth2", "Bearer ", 2_000_000_000)
ERROR = LoginRequired("the session of 't' has ended", hint="run 'tokenctl login -p t'")


def ask(index: str = INDEX, kind: str = "get", **more: object) -> Question:
    """Ask as cargo does."""
    registry = {"index-url": index, "name": "my", "headers": ['WWW-Authenticate: Cargo login_url="https://x"']}
    request = {"v": 1, "registry": registry, "kind": kind, "operation": "read", **more}
    return cargo.read(PLUGIN, json.dumps(request).encode() + b"\n", {})


def failure(question: Question) -> str:
    """Return the reason of an answer that no other question can change."""
    said = json.loads(question.answer.out)["Err"]
    assert (question.wants, question.answer.status, question.answer.error) == ("nothing", 0, "")
    assert said["kind"] == "other" and said["caused-by"] == []
    return str(said["message"])


# -- the lines of JSON -------------------------------------------------------------------------------------


def test_cargo_is_greeted_before_it_asks() -> None:
    """The greeting names the one version, and then each line is a request."""
    assert cargo.GREETING == b'{"v":[1]}\n'
    assert (cargo.reads(PLUGIN), cargo.reads([])) == ("lines", "nothing")


@pytest.mark.parametrize(
    ("index", "address"),
    [
        (INDEX, "https://crates.example.com"),
        ("sparse+http://127.0.0.1:8080/index/", "http://127.0.0.1:8080"),
        ("https://git.example.com:8443/index.git", "https://git.example.com:8443"),
    ],
)
def test_an_index_is_bound_by_its_origin(index: str, address: str) -> None:
    """Sparse or of git; what is not bound, cargo asks its next provider for."""
    question = ask(index)
    assert (question.wants, question.address, question.absent.out) == ("token", address, NOT_THIS_ONE)


@pytest.mark.parametrize(
    ("expires_at", "cache"),
    [(2_000_000_000, b'"expires","expiration":1999999970'), (None, b'"session"')],
)
def test_the_token_is_a_header_with_its_end(expires_at: int | None, cache: bytes) -> None:
    """Cargo sends it as it is, for every operation, and asks again when it ends."""
    token = Given("eyJ.a-b", "https://crates.example.com", "oauth2", "Bearer ", expires_at)
    answer = cargo.found(ask(), [token], 1_999_999_000)
    expected = b'{"Ok":{"kind":"get","token":"Bearer eyJ.a-b","cache":' + cache + b',"operation_independent":true}}\n'
    assert (answer.out, answer.status, answer.error) == (expected, 0, "")


def test_the_prefix_is_the_registry_s() -> None:
    """A registry can want the token alone."""
    token = Given("t", "https://crates.example.com", "oauth2", "", None)
    assert json.loads(cargo.found(ask(), [token], 0).out)["Ok"]["token"] == "t"


@pytest.mark.parametrize(
    "index",
    ["ssh://git@crates.example.com/index", "file:///index", "", "sparse+https://a@b/", "https://a b/", "sparse+"],
)
def test_an_index_elsewhere_is_not_supported(index: str) -> None:
    """Cargo asks its next provider."""
    question = ask(index)
    assert (question.wants, question.answer.out, question.answer.status) == ("nothing", NOT_THIS_ONE, 0)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("login", "'tokenctl login'"),
        ("logout", "'tokenctl revoke'"),
        ("dance", '{"kind":"operation-not-supported"}'),
    ],
)
def test_other_requests_are_refused_for_a_bound_registry(kind: str, said: str) -> None:
    """For another registry, cargo's next provider answers."""
    question = ask(kind=kind, token="secret")
    assert (question.wants, question.absent.out) == ("binding", NOT_THIS_ONE)
    assert said in question.answer.out.decode() and b"secret" not in question.answer.out


def test_a_profile_can_be_named_in_cargo_s_configuration() -> None:
    """Its words come in the request, not on the command line."""
    assert ask(args=["-p", "work"]).profile == ask(args=["--profile", "work"]).profile == "work"
    assert ask(args=[]).profile == ask().profile == ""


@pytest.mark.parametrize("args", [["-p"], ["-p", ""], ["-p", "a", "b"], ["x"], ["-p", 1], None, "-p"])
def test_other_words_in_cargo_s_configuration_are_refused(args: object) -> None:
    """They must not be dropped: they can name a profile."""
    assert "no request" in failure(ask(args=args))


def test_another_version_is_refused() -> None:
    """In the protocol, with exit status 0."""
    assert "version 1" in failure(ask(v=2))


def test_a_failure_is_an_answer() -> None:
    """With the way out; cargo shows it, and asks no other provider."""
    answer = cargo.failed(ask(), ERROR)
    said = json.loads(answer.out)["Err"]
    assert said["message"].startswith("the session of 't' has ended; run 'tokenctl login -p t'")
    assert (said["kind"], answer.status, answer.error) == ("other", 0, "")


ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.binary(max_size=60)
    | ANYTHING.map(lambda value: json.dumps(value).encode())
    | st.fixed_dictionaries(
        {"v": st.just(1) | ANYTHING, "registry": ANYTHING | st.fixed_dictionaries({"index-url": ANYTHING | st.text()})},
        optional={"kind": st.sampled_from(["get", "login"]) | ANYTHING, "args": ANYTHING},
    ).map(lambda value: json.dumps(value).encode())
)
def test_every_line_has_one_line_as_its_answer(line: bytes) -> None:
    """Nothing is a traceback, and nothing that is no registry gets a token."""
    question = cargo.read(PLUGIN, line, {})
    assert question.wants == "nothing" or question.address.startswith(("https://", "http://"))
    for each in (question.answer, question.absent):
        assert not each.out or (each.out.endswith(b"\n") and json.loads(each.out)["Err"])


# -- token-from-stdout -------------------------------------------------------------------------------------


def test_without_the_protocol_the_answer_is_one_line() -> None:
    """The registry is in a variable."""
    question = cargo.read([], b"", {"CARGO_REGISTRY_INDEX_URL": INDEX})
    answer = cargo.found(question, [TOKEN], 0)
    assert (question.wants, question.address) == ("token", "https://crates.example.com")
    assert (answer.out, answer.status, answer.error) == (b"Bearer eyJ.a-b\n", 0, "")


def test_without_the_protocol_a_failure_is_a_reason_on_stderr() -> None:
    """A line on stdout would be a token for cargo."""
    question = cargo.read([], b"", {"CARGO_REGISTRY_INDEX_URL": INDEX})
    answer = cargo.failed(question, ERROR)
    assert (answer.out, answer.status, answer.error, answer.hint) == (b"", 1, ERROR.message, ERROR.next_step)
    assert (question.absent.out, question.absent.status) == (b"", 1) and "bound" in question.absent.error


@pytest.mark.parametrize("environ", [{}, {"CARGO_REGISTRY_INDEX_URL": ""}, {"CARGO_REGISTRY_INDEX_URL": "ssh://a@b/"}])
def test_without_a_registry_there_is_no_token(environ: dict[str, str]) -> None:
    """The reason is on stderr, and nothing on stdout."""
    answer = cargo.read([], b"", environ).answer
    assert answer.out == b"" and answer.status and answer.error


@pytest.mark.parametrize("words", [["get"], ["--cargo-plugin", "x"], ["x", "--cargo-plugin"]])
def test_other_words_are_refused(words: list[str]) -> None:
    """Nothing is read for them."""
    answer = cargo.read(words, b"", {"CARGO_REGISTRY_INDEX_URL": INDEX}).answer
    assert (cargo.reads(words), answer.out, answer.status) == ("nothing", b"", 2)
