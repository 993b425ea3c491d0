"""The renewal job: what a worker is told arrives whole or not at all, and what it answers is what happened."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.errors import CLASSES
from tests.support.sessions import SECRET, session
from tokenctl.errors import Refused, TokenctlError, Unreachable
from tokenctl.model import renewal_job
from tokenctl.model.event import Event
from tokenctl.model.profile import from_members
from tokenctl.model.renewal_job import Grant, RenewalJob, Renewed, Told
from tokenctl.model.target import Target

PROFILE = from_members(
    "work",
    {
        "issuer": "https://a.example",
        "client_id": "c",
        "scope": "openid api",
        "resource": ["urn:x", "urn:y"],
        "flow": "device",
        "min_ttl": "90s",
        "store": "file",
        "params": {"acr_values": "1"},
    },
    "test",
)
SESSION = session(3, scope="öffentlich", resource=("urn:x",), boot_id="b", booted_at_ms=7)
JOB = RenewalJob(
    profile=PROFILE,
    session=SESSION,
    grant=Grant.CREDENTIALS,
    target=Target(scope="api", resource=("urn:z",), audience="a"),
    secret="s\n\0ü",
    verbose=True,
)


@pytest.mark.parametrize(
    "job",
    [
        JOB,
        RenewalJob(profile=from_members("t", {}, "test"), session=session(), grant=Grant.REFRESH_TOKEN),
        RenewalJob(profile=PROFILE, session=SESSION, grant=Grant.REFRESH_TOKEN),
    ],
)
def test_a_job_arrives_as_it_was_sent(job: RenewalJob) -> None:
    """The whole profile, the whole session, the target and the secret, in ASCII."""
    assert renewal_job.loads(renewal_job.dumps(job)) == job
    assert renewal_job.dumps(job).isascii()


def test_a_job_that_was_cut_off_is_none() -> None:
    """Wherever the pipe broke, nothing may be done with what came through."""
    whole = renewal_job.dumps(JOB)
    for end in range(len(whole)):
        with pytest.raises((ValueError, TokenctlError)):
            renewal_job.loads(whole[:end])


def test_the_secret_does_not_show() -> None:
    """Not in a traceback."""
    shown = repr(RenewalJob(profile=PROFILE, session=SESSION, grant=Grant.REFRESH_TOKEN, secret="hunter2"))
    assert "hunter2" not in shown and SECRET not in shown


@given(said=st.text())
@pytest.mark.parametrize("narrower", [None, session(9, refresh_token=None)])
def test_what_a_job_brought_comes_back(said: str, narrower: object) -> None:
    """And so does whatever was said meanwhile."""
    renewed = Renewed(session=SESSION, narrower=narrower)  # type: ignore[arg-type]
    event = Event(event="renewal", profile="t", seq=3, more={"status": 200})
    told = renewal_job.loads_outcome(renewal_job.dumps_outcome(renewed, said, [event]))
    assert told == Told(outcome=renewed, said=said, events=(event,))


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("hint", [None, "do this"])
def test_every_error_survives_the_way_back(kind: type[TokenctlError], hint: str | None) -> None:
    """With its class, its exit status, its sentence and its hint."""
    error = kind("it did nöt work", hint=hint)
    told = renewal_job.loads_outcome(renewal_job.dumps_outcome(error, "so\nit was"))
    found = told.outcome
    assert type(found) is kind and isinstance(found, TokenctlError)
    assert (found.exit_status, found.message, found.hint) == (kind.exit_status, "it did nöt work", hint)
    assert told.said == "so\nit was"


@pytest.mark.parametrize(
    "error",
    [Refused("no", hint="h", error="invalid_client", lost=True), Unreachable("no", hint="h", sent=True)],
)
def test_no_member_of_an_error_is_lost_on_the_way(error: TokenctlError) -> None:
    """What the caller decides by is what the worker saw."""
    found = renewal_job.loads_outcome(renewal_job.dumps_outcome(error, "")).outcome
    assert vars(found) == vars(error)


class _Special(Refused):
    """A refusal that another file knows."""


def test_an_error_of_another_file_keeps_its_exit_status() -> None:
    """The caller knows the classes of `errors` alone, and gets the nearest one."""
    found = renewal_job.loads_outcome(renewal_job.dumps_outcome(_Special("no", hint="h", lost=True), "")).outcome
    assert type(found) is Refused and (found.exit_status, found.lost) == (5, True)


def test_an_answer_that_was_cut_off_is_none() -> None:
    """It is never half a session."""
    whole = renewal_job.dumps_outcome(Renewed(session=SESSION), "said")
    for end in range(len(whole)):
        with pytest.raises(ValueError, match=r"line 1 column \d+"):
            renewal_job.loads_outcome(whole[:end])


def test_an_answer_is_one_line() -> None:
    """It is written at once."""
    answer = renewal_job.dumps_outcome(Renewed(session=SESSION), "a\nb")
    assert "\n" not in answer and json.loads(answer)["said"] == "a\nb"
