"""The last events as rows."""

from tokenctl.audit.recent import ROWS, Recent
from tokenctl.model.event import Event


def rows_of(*kinds: str) -> list[tuple[str, str, int, float, float]]:
    """Add events of kinds such as `t:renewal`, one a second; return the rows: profile, kind, count, first and last."""
    recent = Recent()
    for at, each in enumerate(kinds):
        profile, _, kind = each.partition(":")
        recent.add(Event(event=kind, profile=profile, at=float(at)))
    assert recent.earlier + sum(row.count for row in recent.rows) == len(kinds)
    return [(row.event.profile, row.event.event, row.count, row.began_at, row.event.at) for row in recent.rows]


def test_renewals_with_nothing_in_between_are_one_row() -> None:
    """Also when another profile is renewed meanwhile; the row that got the newest event is the last one."""
    assert rows_of("t:renewal", "u:renewal", "t:renewal", "u:renewal", "t:renewal") == [
        ("u", "renewal", 2, 1.0, 3.0),
        ("t", "renewal", 3, 0.0, 4.0),
    ]


def test_another_event_of_the_profile_begins_a_new_row() -> None:
    """So that the rows stay in the order of the log."""
    assert rows_of("t:renewal", "t:login", "t:renewal", "t:renewal") == [
        ("t", "renewal", 1, 0.0, 0.0),
        ("t", "login", 1, 1.0, 1.0),
        ("t", "renewal", 2, 2.0, 3.0),
    ]


def test_a_row_knows_every_program_that_asked() -> None:
    """Another program among many renewals is what a person looks for."""
    recent = Recent()
    for program in ("make", "stranger", None, "make"):
        recent.add(Event(event="renewal", profile="t", at=1.0, asked_by=program))
    assert [row.programs for row in recent.rows] == [("make", "stranger")]


def test_the_newest_rows_are_kept() -> None:
    """And the others are counted; a profile whose row is gone begins another one."""
    rows = rows_of("old:renewal", "old:renewal", *(["t:refusal"] * ROWS), "old:renewal")
    assert len(rows) == ROWS and rows[-1] == ("old", "renewal", 1, ROWS + 2.0, ROWS + 2.0)


def test_the_begin_and_the_end_of_a_login_are_one_row() -> None:
    """A login that was killed in between keeps its begin, and so does one of another profile."""
    recent = Recent()
    for profile, kind, result in (
        ("t", "login", "started"),
        ("t", "login", "ok"),
        ("t", "migration", "started"),
        ("u", "login", "started"),
        ("t", "login", "failed"),
    ):
        recent.add(Event(event=kind, profile=profile, result=result))
    found = [(row.event.profile, row.event.event, row.event.result) for row in recent.rows]
    assert found == [
        ("t", "login", "ok"),
        ("t", "migration", "started"),
        ("u", "login", "started"),
        ("t", "login", "failed"),
    ]
