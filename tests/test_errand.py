"""The errand: what a worker is told arrives whole or not at all, and what it answers is what happened."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.errors import CLASSES
from tests.support.sessions import SECRET, session
from tokenctl.broker import errand
from tokenctl.broker.errand import Errand
from tokenctl.errors import TokenctlError
from tokenctl.model.profile import from_members

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
ERRAND = Errand(profile=PROFILE, session=SESSION, secret="s\n\0ü", verbose=True)


@pytest.mark.parametrize(
    "job",
    [
        ERRAND,
        Errand(profile=from_members("t", {}, "test"), session=session()),
        Errand(profile=PROFILE, session=SESSION),
    ],
)
def test_an_errand_arrives_as_it_was_sent(job: Errand) -> None:
    """The whole profile, the whole session and the secret, in ASCII."""
    assert errand.loads(errand.dumps(job)) == job
    assert errand.dumps(job).isascii()


def test_an_errand_that_was_cut_off_is_none() -> None:
    """Wherever the pipe broke, nothing may be done with what came through."""
    whole = errand.dumps(ERRAND)
    for end in range(len(whole)):
        with pytest.raises((ValueError, TokenctlError)):
            errand.loads(whole[:end])


def test_the_secret_does_not_show() -> None:
    """Not in a traceback."""
    shown = repr(Errand(profile=PROFILE, session=SESSION, secret="hunter2"))
    assert "hunter2" not in shown and SECRET not in shown


@given(st.text())
def test_a_renewed_session_comes_back(said: str) -> None:
    """And so does whatever was said meanwhile."""
    assert errand.outcome(errand.answer(SESSION, said)) == (SESSION, said)


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("hint", [None, "do this"])
def test_every_error_survives_the_way_back(kind: type[TokenctlError], hint: str | None) -> None:
    """With its class, its exit status, its sentence and its hint."""
    found, said = errand.outcome(errand.answer(kind("it did nöt work", hint=hint), "so\nit was"))
    assert type(found) is kind and isinstance(found, TokenctlError)
    assert (found.exit_status, found.message, found.hint) == (kind.exit_status, "it did nöt work", hint)
    assert said == "so\nit was"


def test_an_answer_that_was_cut_off_is_none() -> None:
    """It is never half a session."""
    whole = errand.answer(SESSION, "said")
    for end in range(len(whole)):
        with pytest.raises(ValueError, match=r"line 1 column \d+"):
            errand.outcome(whole[:end])


def test_an_answer_is_one_line() -> None:
    """It is written at once."""
    assert "\n" not in errand.answer(SESSION, "a\nb") and json.loads(errand.answer(SESSION, "a\nb"))["said"] == "a\nb"
