"""The session: freshness, and the document it is kept as."""

import base64
import json
from dataclasses import MISSING, fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.responses import SECRET, only, values
from tests.support.sessions import ID, SEAL_KEY
from tokenctl.errors import StoreDamaged
from tokenctl.model.session import VERSION, Session, dumps, loads

NOW = 1_700_000_000
SESSION = Session(
    id=ID,
    issuer="https://a.example",
    client_id="c",
    flow="browser",
    token_endpoint="https://a.example/token",
    access_token="at",
    obtained_at=NOW,
    expires_at=NOW + 900,
    seal_key=SEAL_KEY,
)
DOCUMENT: dict[str, Any] = json.loads(dumps(SESSION))
MEMBERS = [each.name for each in fields(Session) if each.name != "unknown"]
REQUIRED = [name for name in MEMBERS if Session.__dataclass_fields__[name].default is MISSING]


@pytest.mark.parametrize(
    ("life", "age", "min_ttl", "fresh"),
    [
        (900, 0, 60, True),
        (900, 840, 60, True),
        (900, 841, 60, False),
        (900, 899, 0, True),
        (900, 900, 0, False),
        (900, 0, 450, True),
        (900, 0, 86400, True),  # never more than half of the token's own life
        (900, 450, 86400, True),
        (900, 451, 86400, False),
        (60, 30, 60, True),
        (60, 31, 60, False),
        (1, 0, 60, True),
        (0, 0, 60, False),
        (-5, 0, 60, False),
        (900, -1, 60, False),
        (900, -86400, 0, False),
    ],
)
def test_freshness_follows_its_rules(life: int, age: int, min_ttl: int, fresh: bool) -> None:
    """Enough seconds are left, or half of a short life, and the clock is not before the token's birth."""
    assert replace(SESSION, expires_at=NOW + life).fresh(NOW + age, min_ttl) is fresh


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9), st.integers(0, 10**7))
def test_an_expired_token_is_never_fresh(life: int, age: int, min_ttl: int) -> None:
    """Whatever was asked for, and the seconds left are never negative."""
    session = replace(SESSION, expires_at=NOW + life)
    assert not (session.expired(NOW + age) and session.fresh(NOW + age, min_ttl))
    left = session.remaining(NOW + age)
    assert left is not None and left >= 0
    assert not session.fresh(NOW + age, min_ttl) or left > 0


@pytest.mark.parametrize(
    ("age", "expired", "remaining"),
    [
        (0, False, 900),
        (899, False, 1),
        (900, True, 0),
        (10**9, True, 0),
        (-1, True, 0),
        (-(10**9), True, 0),
    ],
)
def test_a_token_expires_at_its_second(age: int, expired: bool, remaining: int) -> None:
    """At `expires_at` it is over; before its own birth nothing is known."""
    assert (SESSION.expired(NOW + age), SESSION.remaining(NOW + age)) == (expired, remaining)


def test_a_token_that_the_server_may_have_ended_is_not_fresh_and_not_expired() -> None:
    """It is renewed at its next use, and handed out where that fails."""
    superseded = loads(dumps(replace(SESSION, superseded_at=NOW, older_access_tokens="ended")))
    assert not superseded.fresh(NOW, 0) and not superseded.expired(NOW)
    assert not replace(superseded, expires_at=None).fresh(NOW)


UPTIME = 5_000_000  # ms
BOUND = replace(SESSION, boot_id="this boot", booted_at_ms=NOW * 1000 - UPTIME)


@pytest.mark.parametrize(
    ("by_wall", "by_uptime", "age"),
    [
        (0, 0, 0),
        (100, 100, 100),
        (100, 0, 100),  # the uptime was restored with a snapshot
        (0, 100, 100),  # the wall clock was set back, or is slow
        (86400, 10, 86400),
        (10, 86400, 86400),
        (-1, 10, 900),  # before the token was obtained: its age is not known
        (-86400, 1000, 1000),
        (10, -1, 900),
        (1000, -86400, 1000),
    ],
)
def test_a_token_is_as_old_as_the_later_clock_says(by_wall: int, by_uptime: int, age: int) -> None:
    """Each clock can be wrong, so the token is expired when either one says so, or is before the token's birth."""
    time = BOUND.time(NOW + by_wall, "this boot", UPTIME + by_uptime * 1000)
    assert time == NOW + age
    assert (BOUND.fresh(time), BOUND.expired(time)) == (age <= 840, age >= 900)


@pytest.mark.parametrize("age", [-1, 0, 10**9])
def test_a_token_whose_end_is_not_known_lives_until_it_is_refused(age: int) -> None:
    """Nothing could renew it, so it is never thrown away."""
    endless = loads(dumps(replace(SESSION, expires_at=None)))
    assert endless.fresh(endless.time(NOW + age, None, 0)) and not endless.expired(NOW + age)
    assert (endless.remaining(NOW + age), endless.lifetime) == (None, None)


@pytest.mark.parametrize(
    ("session", "boot"),
    [
        (BOUND, "another boot"),
        (BOUND, None),
        (replace(BOUND, boot_id=None), "this boot"),
        (replace(BOUND, booted_at_ms=None), "this boot"),
        (replace(BOUND, boot_id=None, booted_at_ms=None), None),
    ],
)
@pytest.mark.parametrize("now", [NOW, NOW + 86400])
def test_without_the_same_boot_the_wall_clock_counts(session: Session, boot: str | None, now: int) -> None:
    """After a reboot nothing else is known."""
    assert session.time(now, boot, 7) == now


@given(st.integers(0, 10**12), st.integers(0, 10**9))
def test_time_since_boot_only_goes_on(uptime: int, later: int) -> None:
    """In whole seconds, rounded down as the wall clock is."""
    first, second = (BOUND.time(NOW, "this boot", UPTIME + each) for each in (uptime, uptime + later))
    assert later // 1000 <= second - first <= later // 1000 + 1


texts = st.text()
sessions = st.builds(
    Session,
    **dict.fromkeys(("issuer", "client_id", "flow", "token_endpoint", "access_token", "token_type"), texts),
    **dict.fromkeys(("obtained_at", "generation"), st.integers()),
    **dict.fromkeys(
        ("revocation_endpoint", "introspection_endpoint", "jwks_uri", "subject", "account"), st.none() | texts
    ),
    **dict.fromkeys(("state_id", "state_path", "state_machine"), st.none() | texts),
    **dict.fromkeys(("refresh_token", "id_token", "scope", "boot_id"), st.none() | texts),
    id=st.text("0123456789abcdef", min_size=16, max_size=16),
    seal_key=st.binary(min_size=32, max_size=32).map(lambda key: base64.b64encode(key).decode()),
    **dict.fromkeys(("expires_at", "booted_at_ms", "refreshed_at", "superseded_at"), st.none() | st.integers()),
    **dict.fromkeys(("resource", "id_token_algorithms"), st.lists(texts, max_size=3).map(tuple)),
    token_endpoint_auth_method=texts,
    refresh_token_expires_at=st.none() | st.integers(),
    unknown=st.dictionaries(
        texts.filter(lambda name: name not in MEMBERS),
        values.filter(lambda value: "NaN" not in json.dumps(value)),  # is not equal to itself
        max_size=2,
    ),
)


@given(sessions)
def test_what_is_written_is_read_back(session: Session) -> None:
    """The document holds the whole session, in ASCII, on one line."""
    document = dumps(session)
    assert loads(document) == session
    assert document.isascii() and "\n" not in document


def test_the_document_is_named_as_on_the_wire() -> None:
    """A person who looks into their keyring finds the standard's words, and no empty members."""
    full = replace(SESSION, refresh_token="rt", id_token="it", scope="s", resource=("urn:x",))
    document = json.loads(dumps(full))
    assert {"version", "generation", "issuer", "access_token", "refresh_token", "id_token", "expires_at"} < set(
        document
    )
    assert document["resource"] == ["urn:x"] and document["version"] == VERSION
    assert "refresh_token" not in DOCUMENT and "resource" not in DOCUMENT


@given(st.dictionaries(st.text().filter(lambda name: name not in MEMBERS), values))
def test_unknown_members_are_kept(members: dict[str, Any]) -> None:
    """What a later program wrote survives a renewal by this one."""
    renewed = replace(loads(json.dumps({**DOCUMENT, **members})), access_token="new", generation=2)
    expected = {**DOCUMENT, **members, "access_token": "new", "generation": 2}
    assert json.dumps(json.loads(dumps(renewed)), sort_keys=True) == json.dumps(expected, sort_keys=True)


def test_a_document_of_version_1_is_read_and_upgraded() -> None:
    """It has no id, so its redo log's id is taken; what is written then is of this version."""
    first = {name: value for name, value in DOCUMENT.items() if name != "id"} | {"version": 1, "new": 7}
    found = loads(json.dumps(first))
    assert found.version == 1 and found == replace(SESSION, id=found.id, unknown={"new": 7})
    assert found.id == loads(json.dumps(first)).id != loads(json.dumps(first | {"seal_key": "A" * 43 + "="})).id
    assert json.loads(dumps(found)) == first | {"version": VERSION, "id": found.id}


@pytest.mark.parametrize(
    "document", ["", "x", "{", "[]", "null", "7", '"x"', "[" * 100_000, '{"version": 1' + "9" * 5000 + "}"]
)
def test_what_is_no_document_is_damaged(document: str) -> None:
    """The message says where, and that nothing was deleted."""
    with pytest.raises(StoreDamaged, match="keyring entry 'x'") as caught:
        loads(document, "keyring entry 'x'")
    assert caught.value.exit_status == 3 and "nothing was deleted" in (caught.value.hint or "")


@pytest.mark.parametrize("version", [0, 3, -1, True, 1.0, "1", None, 1.5, [1], {}, "x" * 999])
def test_an_unknown_version_is_refused(version: object) -> None:
    """A newer program's session is not guessed at."""
    with pytest.raises(StoreDamaged, match="version") as caught:
        loads(json.dumps({**DOCUMENT, "version": version}))
    assert "newer tokenctl" in (caught.value.hint or "") and len(caught.value.message) < 150


def test_a_version_must_be_there() -> None:
    """A document without one is nobody's."""
    with pytest.raises(StoreDamaged, match="version"):
        loads(json.dumps({name: value for name, value in DOCUMENT.items() if name != "version"}))


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_member_is_damage(name: str) -> None:
    """Half a session is none."""
    with pytest.raises(StoreDamaged, match="missing"):
        loads(json.dumps({key: value for key, value in DOCUMENT.items() if key != name}))


@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("value", [None, True, 1.5, {"a": SECRET}, [7], [SECRET, None]])
def test_a_member_of_the_wrong_kind_is_damage(name: str, value: object) -> None:
    """It is named, and its value is not."""
    with pytest.raises(StoreDamaged, match=r"damaged|version") as caught:
        loads(json.dumps({**DOCUMENT, name: value}))
    assert SECRET not in caught.value.message and caught.value.__cause__ is None


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", "1700000000.0", '"1700000000"'])
def test_a_time_that_is_no_integer_is_damage(value: str) -> None:
    """Times are whole epoch seconds."""
    with pytest.raises(StoreDamaged, match="expires_at"):
        loads(dumps(SESSION).replace(str(NOW + 900), value))


@given(
    values.map(json.dumps)
    | st.text()
    | st.dictionaries(st.sampled_from([*MEMBERS, "unknown"]), values).map(lambda some: json.dumps({**DOCUMENT, **some}))
)
def test_any_document_is_a_session_or_damaged(document: str) -> None:
    """No document makes the reader fail in another way or repeats what it holds."""
    with only(StoreDamaged):
        assert isinstance(loads(document), Session)


def test_no_secret_shows_in_a_session() -> None:
    """Tokens and seal key are not part of what a traceback prints."""
    full = replace(SESSION, access_token=SECRET, refresh_token=SECRET, id_token=SECRET, seal_key=SECRET)
    assert SECRET not in repr(full) and SECRET not in f"{full}"
