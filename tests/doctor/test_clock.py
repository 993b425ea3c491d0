"""The clock of this machine against the server's."""

import time
from dataclasses import replace
from email.utils import formatdate

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers.faulty_server import FaultyServer
from tests.servers.raw_server import raw_server, saying
from tests.support.examined import case_of
from tests.support.flows import profile_of
from tests.support.sessions import session
from tokenctl.doctor import clock
from tokenctl.doctor.finding import Finding
from tokenctl.model.profile import Profile
from tokenctl.oauth.wire import Response
from tokenctl.storage.memory_store import MemoryStore


def looked_at(port: int, store: MemoryStore | None = None) -> Finding:
    """Look at a server of this machine."""
    profile = Profile(name="t", issuer=f"http://127.0.0.1:{port}")
    (found,) = clock.look(case_of(profile, store=store or MemoryStore()), profile)
    return found


def answer(headers: str) -> bytes:
    """Any answer has the server's time, also one that is no metadata."""
    return f"HTTP/1.1 404 Not Found\r\n{headers}Content-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize(("shift", "words"), [(600, "10 minutes behind"), (-7300, "2 hours ahead of")])
def test_a_clock_that_is_wrong_is_told_with_what_goes_wrong(shift: int, words: str) -> None:
    """It is a warning: what fails because of it fails by itself. The remedy sets the clock."""
    with raw_server(saying(answer(f"Date: {formatdate(time.time() + shift + 5, usegmt=True)}\r\n"))) as port:
        found = looked_at(port)
    assert (found.status, found.exit_status) == ("warning", 0)
    assert f"this machine's clock is {words} the server's" in found.sentence
    assert "ID tokens can be refused" in found.sentence and (found.remedy or "").startswith("set the clock")


@pytest.mark.parametrize(
    ("shift", "asks", "status", "number"),
    [(600, True, "failed", 5), (-7300, True, "failed", 5), (-600, True, "warning", 0), (600, False, "warning", 0)],
)
def test_a_wrong_clock_ends_a_renewal_that_brings_an_id_token(shift: int, asks: bool, status: str, number: int) -> None:
    """The new ID token would be of the future, or expired; while the access token lives, nothing is renewed."""
    now = int(time.time())
    claims = {"iat": now - 5000, "exp": now - 1400}
    kept = session(id_token=jwt.encode(claims, "k" * 32, algorithm="HS256"))
    with raw_server(saying(answer(f"Date: {formatdate(now + shift, usegmt=True)}\r\n"))) as port:
        profile = Profile(name="t", issuer=f"http://127.0.0.1:{port}")
        case = replace(case_of(profile, store=MemoryStore()), session=kept, asks_server=asks)
        (found,) = clock.look(case, profile)
    assert (found.status, found.exit_status) == (status, number)


def test_a_copy_of_a_cache_is_as_old_as_it_says() -> None:
    """Metadata often comes from a cache, with the time at which that got it."""
    old = formatdate(time.time() - 5000, usegmt=True)
    with raw_server(saying(answer(f"Date: {old}\r\nAge: 5000\r\n"))) as port:
        assert looked_at(port).status == "ok"


@pytest.mark.parametrize("headers", ["", "Date: soon\r\n"])
def test_a_server_that_does_not_tell_its_time_cannot_be_compared(headers: str) -> None:
    """That is no failure."""
    with raw_server(saying(answer(headers))) as port:
        assert looked_at(port).status == "could not check"


def test_the_demo_agrees(demo_server: FaultyServer, store: MemoryStore) -> None:
    """It runs on this machine."""
    (found,) = clock.look(case_of(profile_of(demo_server), store=store), profile_of(demo_server))
    assert found.status == "ok" and found.more == {"ahead": 0}


times = st.integers(0, 10_000)


@given(sent=times, way_there=times, way_back=times, shift=st.integers(-5000, 5000), age=st.integers(0, 5000))
def test_a_slow_answer_is_no_wrong_clock(sent: int, way_there: int, way_back: int, shift: int, age: int) -> None:
    """The difference that is told is never larger than the true one, and a fast answer tells nearly all of it."""
    received = sent + way_there + way_back
    response = Response(status=200, sent_at=sent, received_at=received, age=age)
    ahead = clock.ahead(response, sent + way_there - shift - age)
    assert abs(ahead) <= abs(shift) and ahead * shift >= 0
    assert abs(shift) - abs(ahead) <= way_there + way_back + 1
