"""kubectl: the ExecCredential to the byte, in the version that it asks for, and a reason in every other case."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl.errors import UsageError
from tokenctl.handoff.helpers import kubectl
from tokenctl.handoff.helpers.question import Given, Question

V1 = "client.authentication.k8s.io/v1"
SERVER = "https://k8s.example.com:6443"
NO_SERVER: tuple[object, ...] = ([], "x", {}, {"server": None}, {"server": 1})


def asked(**members: Any) -> dict[str, Any]:
    """What kubectl asks, with some members in another way."""
    return {
        "kind": "ExecCredential",
        "apiVersion": V1,
        "spec": {"cluster": {"server": SERVER, "config": None}, "interactive": False},
    } | members


def read(content: object) -> Question:
    """The question for what is in the variable."""
    text = content if isinstance(content, str) else json.dumps(content)
    return kubectl.read([], b"", {"KUBERNETES_EXEC_INFO": text})


def refused(question: Question) -> str:
    """The reason why a question is not understood."""
    assert (question.wants, question.answer.out, question.answer.status) == ("nothing", b"", 2)
    assert question.answer.error.isprintable()
    return question.answer.error


@pytest.mark.parametrize("version", [V1, f"{V1}beta1"])
def test_the_answer_has_the_version_that_was_asked_for(version: str) -> None:
    """To the byte; the end is a little early, and absent where nobody knows it."""
    question = read(asked(apiVersion=version) | {"new": "member"})
    found = kubectl.found(question, [Given('A"T', SERVER, "u", "Basic ", 1893456000)], 1893450000)
    start = b'{"apiVersion":"%s","kind":"ExecCredential","status":{"token":"A\\"T"' % version.encode()
    assert (found.status, found.error) == (0, "")
    assert found.out == start + b',"expirationTimestamp":"2029-12-31T23:59:30Z"}}\n'
    assert kubectl.found(question, [Given('A"T', SERVER, "u", "", None)], 1).out == start + b"}}\n"


@pytest.mark.parametrize("ends", [253402300830, 2**63, 10**30])
def test_an_end_that_no_timestamp_has_is_the_last_one(ends: int) -> None:
    """A year has four digits (RFC 3339)."""
    found = kubectl.found(read(asked()), [Given("AT", SERVER, "u", "", ends)], 0)
    assert b'"expirationTimestamp":"9999-12-31T23:59:59Z"' in found.out


def test_the_cluster_is_what_must_be_bound() -> None:
    """After a refusal kubectl asks again for the same server; it has no "not found", so the reason is on stderr."""
    question = read(asked(spec={"cluster": {"server": f"{SERVER}/k8s/clusters/c-1"}}))
    assert (question.wants, question.address, question.may_ask) == ("token", SERVER, False)
    assert (question.again, question.interval) == (f"kubectl|{SERVER}/k8s/clusters/c-1", 0)
    assert (question.absent.out, question.absent.status) == (b"", 2)
    assert question.absent.error == f"no profile is bound to {SERVER}, or not the one that is named"
    assert question.absent.hint is not None and question.absent.hint.endswith(f"hosts+={SERVER}")


@pytest.mark.parametrize(("interactive", "may_ask"), [(True, True), (False, False), ("true", False), (None, False)])
def test_a_person_is_asked_only_where_kubectl_gives_the_terminal_away(interactive: object, may_ask: bool) -> None:
    """It says so with `interactive`."""
    question = read(asked(spec={"cluster": {"server": SERVER}, "interactive": interactive}))
    assert question.may_ask is may_ask


@pytest.mark.parametrize("spec", [{}, {"cluster": None}, {"interactive": True}])
def test_the_cluster_must_be_told(spec: object) -> None:
    """The reason says which line of kubeconfig is needed."""
    assert "provideClusterInfo: true" in refused(read(asked(spec=spec)))


@pytest.mark.parametrize(
    "content",
    [
        *("", "{", "[]", "null", "1" * 5000, "[" * 5000, '{"spec":{},"spec":{}}'),
        *(asked(kind="Pod"), asked(kind=None), asked(apiVersion="v1"), asked(apiVersion=f"{V1}alpha1")),
        *(asked(apiVersion=[]), asked(apiVersion=None), asked(spec=None), asked(spec=[]), asked(spec="x")),
        *(asked(spec={"cluster": cluster}) for cluster in NO_SERVER),
        *(asked(spec={"cluster": {"server": f"{SERVER}{each}"}}) for each in ("\n", "\r", "\0", " ", "@a")),
        *(asked(spec={"cluster": {"server": each}}) for each in ("", "k8s.example.com", "unix:///s", "https://u@k")),
    ],
)
def test_what_kubectl_does_not_write_is_refused(content: object) -> None:
    """With a reason."""
    assert "KUBERNETES_EXEC_INFO" in refused(read(content))


def test_a_call_by_hand_is_explained() -> None:
    """There is no variable, or there are words."""
    assert "KUBERNETES_EXEC_INFO" in refused(kubectl.read([], b"", {}))
    assert "words" in refused(kubectl.read(["get"], b"", {"KUBERNETES_EXEC_INFO": json.dumps(asked())}))
    assert kubectl.reads([]) == "nothing"


def test_a_failure_is_a_reason_on_stderr() -> None:
    """With the exit status of every command."""
    answer = kubectl.failed(read(asked()), UsageError("no answer", hint="run it"))
    assert (answer.out, answer.status, answer.error, answer.hint) == (b"", 2, "no answer", "run it")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from([SERVER, V1, "ExecCredential"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["kind", "apiVersion", "spec", "cluster", "server", "x"]), inner, max_size=4)
    ),
)


@given(VALUES | st.builds(lambda value: asked(spec=value), VALUES) | st.text())
def test_no_variable_makes_a_traceback_or_another_origin(content: object) -> None:
    """Either it is refused, or the token is for the server that it names."""
    question = read(content)
    if question.wants == "nothing":
        refused(question)
    else:
        assert question.wants == "token" and question.address == SERVER
