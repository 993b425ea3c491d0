"""The protocol of terraform's credentials helpers, byte for byte."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl.errors import LoginRequired
from tokenctl.handoff.helpers import terraform
from tokenctl.handoff.helpers.question import Given, Question
from tokenctl.model.origins import is_at, origin_of

HOST = "modules.example.com"


def ask(verb: str, host: str = HOST, content: bytes = b"") -> Question:
    """Ask as terraform does."""
    return terraform.read([verb, host], content, {})


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        (HOST, "https://modules.example.com"),
        ("modules.example.com:8443", "https://modules.example.com:8443"),
        ("modules.example.com:443", "https://modules.example.com"),
        ("xn--80akhbyknj4f.com", "https://xn--80akhbyknj4f.com"),
    ],
)
def test_a_host_is_an_https_origin(host: str, origin: str) -> None:
    """In its ASCII form, with its port where it is another one; what is not bound gets an empty object."""
    question = ask("get", host)
    assert question.wants == "token" and is_at(question.address, origin)
    assert (question.absent.out, question.absent.status, question.absent.error) == (b"{}\n", 0, "")


def test_the_token_is_the_only_member() -> None:
    """Without a prefix: terraform has its own."""
    answer = terraform.found(ask("get"), [Given("eyJ.a-b", f"https://{HOST}", "oauth2", "Bearer ", 2_000_000_000)], 0)
    assert (answer.out, answer.status, answer.error) == (b'{"token":"eyJ.a-b"}\n', 0, "")


def test_a_failure_has_a_reason_on_stderr() -> None:
    """Terraform takes no reason for an error of its own."""
    error = LoginRequired("the session of 't' has ended", hint="run 'tokenctl login -p t'")
    answer = terraform.failed(ask("get"), error)
    assert (answer.out, answer.status, answer.error, answer.hint) == (b"", 4, error.message, error.next_step)


def test_store_is_silent_for_a_bound_host_alone() -> None:
    """A token of another host must not be lost without a word."""
    question = ask("store", content=b' {"token": "secret"}\n')
    assert (question.wants, question.address) == ("binding", f"//{HOST}")
    assert (question.answer.out, question.answer.status, question.answer.error) == (b"", 0, "")
    assert (question.absent.out, question.absent.status) == (b"", 1) and "keeps no tokens" in question.absent.error


@pytest.mark.parametrize("content", [b"", b"{}", b'{"token":"a","more":1}', b'{"user":"a"}', b"[]", b"\xff", b"{"])
def test_store_of_anything_but_a_token_is_refused(content: bytes) -> None:
    """Also for a bound host."""
    question = ask("store", content=content)
    assert (question.wants, question.answer.out, question.answer.status) == ("nothing", b"", 2)
    assert question.answer.error


def test_stdin_is_read_to_its_end_for_store() -> None:
    """Terraform gives nothing to the other verbs. A `store` that is refused is read too."""
    assert [terraform.reads([verb, HOST]) for verb in ("get", "store", "forget")] == ["nothing", "all", "nothing"]
    assert (terraform.reads(["store"]), terraform.reads([])) == ("all", "nothing")


def test_forget_is_silent() -> None:
    """`terraform logout` ends well: tokenctl keeps nothing of terraform's."""
    question = ask("forget")
    assert (question.wants, question.answer.out, question.answer.status) == ("nothing", b"", 0)


@pytest.mark.parametrize(
    "words", [[], ["get"], ["erase", HOST], ["get", HOST, HOST], ["get", ""], ["GET", HOST], ["x\n" * 99, HOST]]
)
def test_other_words_are_refused(words: list[str]) -> None:
    """On stderr, in one line."""
    answer = terraform.read(words, b"", {}).answer
    assert (answer.out, answer.status) == (b"", 2) and answer.error.count("\n") == 0


@pytest.mark.parametrize(
    "host", ["https://modules.example.com", "a/b", "a?b", "a:0443", "a@b", "a b", "a\nb", "a:0", "bücher.example"]
)
def test_what_is_no_host_gets_no_token(host: str) -> None:
    """A URL is none, and neither is a name that is not in its ASCII form."""
    answer = ask("get", host).answer
    assert (answer.out, answer.status) == (b"", 2) and answer.error


@given(st.sampled_from(["get", "store", "forget"]), st.text(max_size=40), st.binary(max_size=40))
def test_no_text_is_an_error(verb: str, host: str, content: bytes) -> None:
    """Each host is one that a token could be sent to, or is refused with a reason."""
    question = ask(verb, host, content)
    if question.wants != "nothing":
        assert origin_of(f"https:{question.address}")
    elif verb == "forget" and question.answer.status == 0:
        assert question.answer.out == b""
    else:
        assert question.answer.error and not question.answer.out


@given(st.text(min_size=1))
def test_every_token_is_written_as_json(token: str) -> None:
    """Also quotes, line ends and characters that are no ASCII."""
    assert json.loads(terraform.found(ask("get"), [Given(token, "", "", "", None)], 0).out) == {"token": token}
