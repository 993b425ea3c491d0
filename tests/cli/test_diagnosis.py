"""What the doctor found, as lines, as JSON and at a terminal."""

import io

import pytest
from rich.console import Console

from tokenctl.cli.views import diagnosis, examination
from tokenctl.doctor.examination import Examination
from tokenctl.doctor.finding import Finding, Status

LONG = "no usable keyring (there is no session bus at /a/path/that/is/very/long/and/has/no/blank/in/it/at/all/bus) " * 2


def finding(status: Status, sentence: str = "so it is", remedy: str | None = None, **values: object) -> Finding:
    """What a check found."""
    return Finding(
        check="keyring",
        status=status,
        sentence=sentence,
        remedy=remedy,
        more={name.removesuffix("_"): value for name, value in values.items()},
    )


@pytest.mark.parametrize(
    ("findings", "status", "first", "said"),
    [
        ([finding("ok")], 0, None, "all is well: 'tokenctl token' would end with 0"),
        ([finding("ok"), finding("warning")], 0, None, "'tokenctl token' would end with 0; see the warning"),
        ([finding("warning")] * 2, 0, None, "'tokenctl token' would end with 0; see the warnings"),
        ([finding("could not check")], 0, None, "as far as it could be checked, 'tokenctl token' would end with 0"),
        ([finding("failed")], 3, "unlock it", "'tokenctl token' would end with 3; do this first: unlock it"),
        ([finding("failed")], 2, "did you mean 'a'?", "'tokenctl token' would end with 2; did you mean 'a'?"),
        ([finding("failed")], 3, None, "'tokenctl token' would end with 3"),
    ],
)
def test_the_last_line_says_what_to_do(findings: list[Finding], status: int, first: str | None, said: str) -> None:
    """Or that all is well; and with which status `token` would end."""
    found = Examination(findings=tuple(findings), exit_status=status, first=first)
    assert examination.lines(found)[-1] == said


def test_a_value_of_a_check_takes_no_place_of_a_member() -> None:
    """The document has the check's status, whatever a check calls its values."""
    found = Examination(findings=(finding("ok", status_=200, state="x"),), exit_status=0)
    (document,) = examination.document(found)["findings"]
    assert document == {"check": "keyring", "status": "ok", "sentence": "so it is", "remedy": None, "state": "x"}


def test_no_text_can_change_the_terminal() -> None:
    """A sentence can quote what a server or a file says."""
    found = Examination(findings=(finding("failed", "a\x1b[2Jb", "c\x07"),), exit_status=3, first="c\x07")
    text = "\n".join(examination.lines(found))
    assert "\x1b" not in text and "\x07" not in text


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_nothing_is_wider_than_the_terminal(columns: int) -> None:
    """No word is lost, and what is wrong comes last."""
    findings = (
        finding("failed", LONG, "do that"),
        finding("warning", LONG),
        finding("ok", LONG),
        finding("could not check", LONG),
    )
    console = Console(width=columns, record=True, file=io.StringIO())
    console.print(diagnosis.drawn(Examination(findings=findings, exit_status=3, first="do that")))
    drawn = console.export_text()
    assert max(map(len, drawn.splitlines())) <= columns
    assert "".join(drawn.split()).count("/a/path/that/is/very/long") == 8
    assert drawn.index("in order") < drawn.index("warnings") < drawn.index("failed")
