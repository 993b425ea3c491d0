"""The table of anomalies, and what holds for each of its detectors."""

from dataclasses import replace
from heapq import merge
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.events import START, found, numbered
from tests.support.ordinary_events import STEPS, Ordinary
from tokenctl.audit.anomaly import END
from tokenctl.audit.clocks import NAME as CLOCKS
from tokenctl.audit.kinds import KINDS
from tokenctl.model import event as events
from tokenctl.model.choices import ANOMALIES
from tokenctl.model.event import Event

# -- events with anything in them ----------------------------------------------------------------------

words = st.sampled_from(
    ["a", "b", "alice", "started", "ok", "failed", "local", "recovered", "subject", "reuse", "password", "write", ""]
)
anything: st.SearchStrategy[Any] = st.one_of(
    words,
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.integers(0, 4000),
    st.floats(START - 1e6, START + 1e6),
    st.just(10**400),
    st.text(),
    st.lists(words, max_size=2),
    st.dictionaries(words, words, max_size=2),
)
MEMBERS = (
    "old_fingerprint grant reason target status duration server_clock lifetime refresh_expires_at subject error says"
    " unanswered obtained_at tries how by operation waited holder flow issuer client_id replaces renewable what was now"
    " from to anomaly"
)


def hostile(profiles: st.SearchStrategy[str]) -> st.SearchStrategy[Event]:
    """Events whose common members have their types, as the log's reader sees to it, and whose own have any."""
    return st.builds(
        Event,
        event=st.sampled_from([*events.KINDS, "a kind of the next version"]),
        profile=profiles,
        result=words,
        session=st.none() | words,
        generation=st.none() | st.integers(0, 3),
        fingerprint=st.none() | words,
        more=st.dictionaries(st.sampled_from(MEMBERS.split()), anything, max_size=8),
        at=st.floats(START, START + 1e7) | st.floats(0, 1e11),
        asked_by=st.none() | st.text(),
        boot_id=st.none() | words,
        uptime=st.none() | st.floats(0, 1e7),
    )


@given(st.lists(hostile(words), max_size=30))
def test_any_log_is_read_and_each_event_gets_one_answer(log: list[Event]) -> None:
    """Nothing that a log holds makes a detector raise; so one bad line does not end an audit."""
    log = [*numbered(log), Event(event=END, profile="", at=START + 1e8)]
    for kind in KINDS:
        answers = list(kind.detect(log))
        assert len(answers) == len(log)
        for anomaly in (each for some in answers for each in some):
            assert anomaly.name == kind.name and anomaly.profile in {each.profile for each in log}
            assert set(anomaly.evidence) <= {each.seq for each in log} and anomaly.evidence


@given(st.lists(hostile(st.sampled_from(["t", "u"])), max_size=30))
def test_other_profiles_change_nothing(log: list[Event]) -> None:
    """A profile's anomalies are the same, whatever happens between them to other accounts. The clock is everybody's."""
    log = [replace(each, more={**each.more, "issuer": each.profile}) for each in numbered(log)]
    end = Event(event=END, profile="", at=START + 1e8)
    mine = [each for each in log if each.profile == "t"]
    for kind in KINDS:
        if kind.name != CLOCKS:
            alone = [each for some in kind.detect([*mine, end]) for each in some]
            together = [each for some in kind.detect([*log, end]) for each in some if each.profile == "t"]
            assert alone == together


# -- ordinary lives ------------------------------------------------------------------------------------

steps = st.lists(st.tuples(st.sampled_from(STEPS), st.floats(0, 1)), max_size=25)


def lived(profile: str, life: float | None, taken: list[tuple[Any, float]]) -> Ordinary:
    """The life of a profile, step by step."""
    ordinary = Ordinary(profile=profile, life=life)
    for step, far in taken:
        step(ordinary, far)
    return ordinary


@given(steps, steps, st.sampled_from([None, 43_200.0, 604_800.0]))
def test_an_ordinary_life_raises_no_alarm(mine: list[Any], others: list[Any], life: float | None) -> None:
    """Renewals, nights, restarts, outages, logins, sign-outs, killed processes and old keyrings, in any order."""
    lives = [lived("t", life, mine), lived("u", None, others)]
    log = list(merge(*(each.events for each in lives), key=lambda each: each.at))
    ends = max(each.now for each in lives)
    for kind in KINDS:
        if kind.name != "idle-session":  # one of the two can have ended a month before the other
            assert found(kind.detect, log, ends) == []
    for each in lives:
        for kind in KINDS:
            assert found(kind.detect, each.events, each.now) == []


@given(steps, steps)
def test_a_log_whose_oldest_events_were_rotated_away_raises_no_alarm(before: list[Any], after: list[Any]) -> None:
    """It begins in the middle of a life: with renewals, and without the login."""
    ordinary = lived("t", None, before)
    rotated = len(ordinary.events)
    for step, far in [(Ordinary.work, 0.0), *after]:
        step(ordinary, far)
    for kind in KINDS:
        assert found(kind.detect, ordinary.events[rotated:], ordinary.now) == []


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
@pytest.mark.parametrize("far", [0.0, 0.1, 0.3, 0.45, 0.55, 0.7, 0.85, 1.0])
def test_each_ordinary_step_again_and_again_raises_no_alarm(step: Any, far: float) -> None:
    """The same step five times, whatever it is."""
    ordinary = lived("t", None, [(step, far)] * 5)
    for kind in KINDS:
        assert found(kind.detect, ordinary.events, ordinary.now) == []


# -- the table -----------------------------------------------------------------------------------------


def test_the_table_has_every_anomaly_of_the_help_page_once() -> None:
    """In the order of what matters most."""
    assert tuple(each.name for each in KINDS) == ANOMALIES


@pytest.mark.parametrize("program", ["x" * 5000, "\x1b[31mred", "two\nlines"])
def test_a_sentence_stays_short(program: str) -> None:
    """Whoever starts tokenctl can choose the name of a program."""
    ordinary = Ordinary()
    for _ in range(40):
        ordinary.now += 1
        ordinary.renew()
    log = [replace(each, asked_by=program) for each in ordinary.events]
    many = next(each for each in KINDS if each.name == "too-many-renewals")
    (anomaly,) = found(many.detect, log)
    assert program[:10] in anomaly.sentence and len(anomaly.sentence) < 400
