"""The record of the event log, and its line."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tokenctl.model.event import (
    KINDS,
    LONGEST_TEXT,
    Event,
    document_of,
    dumps,
    loads,
    sentence,
    shortened,
)
from tokenctl.storage.event_files import LONGEST

NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-(2**52), 2**52)
TEXTS = st.text(st.characters(), max_size=30)
"""With control characters and lone surrogates."""
TEXT_MEMBERS = ("old_fingerprint", "grant", "subject", "error", "says", "issuer", "how", "anomaly")
NUMBER_MEMBERS = ("status", "duration", "server_clock", "lifetime", "tries", "holder")
FREE_MEMBERS = st.sampled_from(["what", "was", "now", "renewable", "from", "to", "of a later version"])
MORE = st.builds(
    lambda texts, numbers, free: texts | numbers | free,
    st.dictionaries(st.sampled_from(TEXT_MEMBERS), st.none() | TEXTS),
    st.dictionaries(st.sampled_from(NUMBER_MEMBERS), st.none() | NUMBERS),
    st.dictionaries(FREE_MEMBERS, st.none() | st.booleans() | NUMBERS | TEXTS),
)
EVENTS = st.builds(
    Event,
    event=st.sampled_from(sorted(KINDS)) | TEXTS,
    profile=TEXTS,
    result=TEXTS,
    session=st.none() | TEXTS,
    generation=st.none() | st.integers(0, 2**50),
    fingerprint=st.none() | TEXTS,
    more=MORE,
    at=NUMBERS,
    seq=st.integers(0, 2**50),
    pid=st.integers(0, 2**31),
    asked_by=st.none() | TEXTS,
    boot_id=st.none() | TEXTS,
    uptime=st.none() | NUMBERS,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def line(**members: object) -> bytes:
    """Write a line with one or more members that are other than in an ordinary event; `...` leaves a member out."""
    document = document_of(Event(event="renewal", profile="t", seq=1, at=1.0, more={"lifetime": 900})) | members
    return json.dumps({name: value for name, value in document.items() if value is not ...}).encode() + b"\n"


@given(EVENTS)
def test_an_event_comes_back(event: Event) -> None:
    """On one line of ASCII, whatever its texts are."""
    written = dumps(event)
    assert written.isascii() and written.endswith(b"\n") and written.count(b"\n") == 1
    assert loads(written) == event


@given(EVENTS)
@example(Event(event="of a later {version}}", profile="t{"))
@example(Event(event="login", profile="t", more={"flow": "{error}"}))
def test_an_event_can_be_said(event: Event) -> None:
    """Also when members are absent that its sentence names."""
    assert sentence(event).startswith(event.profile)


@pytest.mark.parametrize("kind", ["a{b", "{x.__class__.y}", "{x:>2000000000}", "{}"])
def test_a_kind_that_nobody_knows_is_said_as_it_is(kind: str) -> None:
    """A log can hold anything: its texts are no templates, which could fail or fill the memory."""
    assert sentence(Event(event=kind, profile="t")) == f"t: {kind}"


@given(st.binary(max_size=60) | EVENTS.map(lambda event: dumps(event)[: len(dumps(event)) // 2]))
def test_bytes_that_are_no_event_are_none(written: bytes) -> None:
    """Whatever stands in the file, reading it raises nothing."""
    assert loads(written) is None


@given(st.sampled_from([*document_of(Event(event="x", profile="t")), "lifetime", "subject"]), JSON)
def test_a_member_of_any_kind_raises_nothing(name: str, value: Any) -> None:
    """The event is left out, or each of its members has the type that readers rely on."""
    found = loads(line(**{name: value}))
    if found is not None:
        assert found.at + found.seq + (found["lifetime"] or 0) < 2**55
        assert isinstance(found["subject"], str | None) and isinstance(found.profile, str)


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(line(schema=2), id="a later schema"),
        pytest.param(line(schema=...), id="no schema"),
        pytest.param(line(seq=...), id="without a member"),
        pytest.param(line(seq="1"), id="a number as a text"),
        pytest.param(line(seq=True), id="a truth as a number"),
        pytest.param(line(seq=10**400), id="a huge number"),
        pytest.param(line(at=0).replace(b'"at": 0', b'"at": ' + b"9" * 5000), id="5,000 digits"),
        pytest.param(line(at=0).replace(b'"at": 0', b'"at": 1e999'), id="an infinite number"),
        pytest.param(line(lifetime=10**400), id="a huge lifetime"),
        pytest.param(line(at=float("nan")), id="NaN"),
        pytest.param(line(duration=float("nan")), id="NaN in a member of its own"),
        pytest.param(line(what=float("-inf")), id="Infinity in a member of any type"),
        pytest.param(line(subject=["a"]), id="a list as a text"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000 + b"\n", id="deep nesting"),
        pytest.param(line(what=...)[:-2] + b',"what":' + b'{"a":' * 100_000 + b"\n", id="deep nesting in a member"),
        pytest.param(line().decode().encode("utf-16"), id="UTF-16"),
        pytest.param(b"\0" * 100 + line(), id="NUL bytes before it"),
        pytest.param(line()[:-1] + b"\0\n", id="a NUL byte after it"),
        pytest.param(line()[:-1] + line(), id="two on one line"),
        pytest.param(b"null\n", id="null"),
        pytest.param(b"\n", id="an empty line"),
    ],
)
def test_what_is_no_event_of_this_schema_is_left_out(written: bytes) -> None:
    """A reader never gets a number that it cannot compute with, or a text that is none."""
    assert loads(written) is None


def test_what_a_later_version_adds_is_read() -> None:
    """An unknown kind, an unknown result and unknown members; of a member that stands twice the last one counts."""
    found = loads(line(event="something new", result="perhaps", more=[1, {"a": None}])[:-2] + b',"seq":7}\n')
    assert found is not None
    assert (found.event, found.result, found["more"], found.seq) == ("something new", "perhaps", [1, {"a": None}], 7)


@given(EVENTS, st.lists(JSON, min_size=10, max_size=10))
def test_what_a_server_chose_makes_no_endless_line(event: Event, values: list[Any]) -> None:
    """Long texts are cut, and lists and objects are only named: a line always fits, and can always be read."""
    texts = dict.fromkeys(("error", "subject", "issuer", "client_id", "replaces"), "\U0001f511" * 100_000)
    others = {f"member {number}": value for number, value in enumerate(values)}
    cut = shortened(Event(event="login", profile="t", more=others | texts))
    assert len(dumps(cut)) < LONGEST
    assert cut["subject"] == "\U0001f511" * LONGEST_TEXT
    assert not any(isinstance(value, list | dict) for value in cut.more.values())
    assert shortened(event).more == event.more


def test_no_nesting_is_too_deep_to_be_named() -> None:
    """A claim of an access token can be anything."""
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    assert loads(dumps(shortened(Event(event="change", profile="t", more={"was": deep}))))
