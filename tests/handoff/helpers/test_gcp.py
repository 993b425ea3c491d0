"""gcp: executable-sourced credentials to the byte; every failure is JSON on stdout, and stderr has nothing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl.errors import UsageError
from tokenctl.handoff.helpers import gcp
from tokenctl.handoff.helpers.question import Answer, Given, Question

PREFIX = "GOOGLE_EXTERNAL_ACCOUNT_"
TYPE = "urn:ietf:params:oauth:token-type:"


def read(*words: str, **members: str) -> Question:
    """The question of the library for Python."""
    usual = {"AUDIENCE": "//iam.googleapis.com/p", "TOKEN_TYPE": f"{TYPE}jwt", "INTERACTIVE": "0", "REVOKE": "0"}
    return gcp.read(words, b"", {f"{PREFIX}{name}": value for name, value in (usual | members).items()})


def reason(answer: Answer) -> tuple[str, str]:
    """The code and the message of a failure."""
    assert answer.error == "" and answer.hint is None and answer.status != 0
    assert answer.out.endswith(b"}\n") and answer.out.count(b"\n") == 1
    document = json.loads(answer.out)
    assert {*document} == {"version", "success", "code", "message"}
    assert document["version"] == 1 and document["success"] is False
    return document["code"], document["message"]


@pytest.mark.parametrize("kind", [f"{TYPE}jwt", f"{TYPE}id_token"])
def test_the_answer_has_the_type_that_was_asked_for(kind: str) -> None:
    """To the byte; the end is a little early, and absent where nobody knows it."""
    question = read(TOKEN_TYPE=kind)
    assert (question.wants, question.address, question.again, question.may_ask) == ("token", "", "", False)
    found = gcp.found(question, [Given('A"T', "", "u", "Basic ", 2000)], 1000)
    start = b'{"version":1,"success":true,"token_type":"%s","id_token":"A\\"T"' % kind.encode()
    assert (found.out, found.status, found.error) == (start + b',"expiration_time":1970}\n', 0, "")
    assert gcp.found(question, [Given('A"T', "", "u", "", None)], 1000).out == start + b"}\n"


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"TOKEN_TYPE": f"{TYPE}saml2"}, "TOKEN_TYPE"),
        ({"TOKEN_TYPE": f"{TYPE}access_token"}, "TOKEN_TYPE"),
        ({"TOKEN_TYPE": ""}, "TOKEN_TYPE"),
        ({"INTERACTIVE": "1"}, "tokenctl login"),
        ({"REVOKE": "1"}, "tokenctl revoke"),
        ({"REVOKE": "1", "INTERACTIVE": "1"}, "tokenctl revoke"),
    ],
)
def test_what_it_does_not_do_is_refused(members: dict[str, str], said: str) -> None:
    """A session that other tools use must not end, and a terminal in the place of stdout must not show a token."""
    question = read(**members)
    assert question.wants == "nothing"
    code, message = reason(question.answer)
    assert code == "2" and said in message


def test_a_call_by_hand_is_explained() -> None:
    """In JSON too: there is no variable, or there are words."""
    assert "TOKEN_TYPE" in reason(gcp.read([], b"", {}).answer)[1]
    assert "words" in reason(read("get").answer)[1]
    assert gcp.reads([]) == "nothing"


def test_a_failure_is_json_on_stdout() -> None:
    """With the next step; the code is the exit status."""
    answer = gcp.failed(read(), UsageError('no "answer"', hint="try again"))
    assert reason(answer) == ("2", 'no "answer"; try again')
    assert answer.status == 2


@given(st.dictionaries(st.sampled_from(["TOKEN_TYPE", "INTERACTIVE", "REVOKE", "OUTPUT_FILE"]), st.text()))
def test_no_variable_makes_a_traceback(members: dict[str, str]) -> None:
    """Either it is refused in JSON, or the token is wanted."""
    question = read(**members)
    if question.wants == "nothing":
        reason(question.answer)
    else:
        assert question.form in (f"{TYPE}jwt", f"{TYPE}id_token")
