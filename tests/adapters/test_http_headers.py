"""Headers, as they are read and written."""

from email.utils import formatdate

from hypothesis import given
from hypothesis import strategies as st

from tokenctl.adapters.http_headers import joined, read_date

WORDS = [
    "Sun,",
    "Sunday,",
    "06",
    "6",
    "-1",
    "99",
    "Nov",
    "Now",
    "1994",
    "0",
    "9" * 30,
    "08:49:37",
    "08:49",
    "24:00:00",
    "GMT",
    "UTC",
]


@given(st.integers(-(2**31), 2**37))
def test_a_date_is_read_as_it_is_written(moment: int) -> None:
    """In the form that servers send."""
    assert read_date(formatdate(moment, usegmt=True)) == moment


@given(st.one_of(st.text(max_size=40), st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join)))
def test_whatever_a_server_sends_is_a_date_or_none(text: str) -> None:
    """No text ends the program."""
    assert type(read_date(text)) in (int, type(None))


def test_a_later_header_replaces_an_earlier_one() -> None:
    """Whatever the case of its letters is."""
    assert joined({"Accept": "a", "Host": "h"}, {"accept": "b"}) == [(b"accept", b"b"), (b"Host", b"h")]
