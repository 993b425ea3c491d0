"""Every check looks, and none of them can stop the others or give a secret away."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.doctor.conftest import Setup
from tests.support.flows import Screen
from tokenctl.adapters.terminal import Terminal
from tokenctl.doctor.case import Case
from tokenctl.doctor.checks import CHECKS, Check
from tokenctl.doctor.examination import examine
from tokenctl.doctor.finding import Finding, Status


def check(name: str, *found: tuple[Status, int], online: bool = False) -> Check:
    """A check that finds this."""
    findings = [
        Finding(check=name, status=status, sentence="so it is", remedy=f"mend {name}", exit_status=number)
        for status, number in found
    ]
    return Check(name=name, meaning=name, look=lambda case: findings, online=online)


def broken(case: Case) -> Iterator[Finding]:
    """A check with a defect, whose text would have a secret in it."""
    yield Finding(check="b", status="ok", sentence="the first half")
    raise KeyError("s3cr3t")


def test_a_check_that_fails_itself_stops_no_other(setup: Setup) -> None:
    """It could not check, with the type of its error alone."""
    setup.sign_in()
    made = examine(setup.case(), [Check(name="b", meaning="b", look=broken), check("c", ("ok", 0))])
    assert [(each.check, each.status) for each in made.findings] == [("b", "could not check"), ("c", "ok")]
    assert "KeyError" in made.findings[0].sentence and "s3cr3t" not in repr(made)
    assert made.exit_status == 0


@pytest.mark.parametrize(
    ("found", "status", "first"),
    [
        ([], 0, None),
        ([check("a", ("ok", 0)), check("b", ("warning", 6))], 0, None),
        ([check("a", ("could not check", 3))], 0, None),
        ([check("a", ("warning", 0)), check("b", ("failed", 6)), check("c", ("failed", 7))], 6, "mend b"),
        ([check("a", ("failed", 0)), check("b", ("failed", 7))], 7, "mend a"),
    ],
)
def test_the_first_failure_decides(setup: Setup, found: list[Check], status: int, first: str | None) -> None:
    """What could not be checked, and a warning, never do."""
    setup.sign_in()
    made = examine(setup.case(), found)
    assert (made.exit_status, made.first) == (status, first)


def test_what_needs_no_request_comes_first(setup: Setup) -> None:
    """`token` ends with 4 before it would ask a server that does not answer."""
    made = examine(setup.case(), [check("network", ("failed", 6))])
    assert made.exit_status == 4


def test_without_a_failed_finding_the_problem_says_what_to_do(setup: Setup) -> None:
    """The remedy is the hint that `token` would give."""
    assert examine(setup.case(), []).first == "run 'tokenctl login -p t'"


def test_offline_no_check_uses_the_network(setup: Setup) -> None:
    """Each that would could not check."""

    def never(case: Case) -> Iterator[Finding]:
        raise AssertionError

    setup.sign_in()
    rows = [Check(name="n", meaning="n", look=never, online=True), check("c", ("ok", 0))]
    made = examine(setup.case(offline=True), rows)
    assert [(each.check, each.status) for each in made.findings] == [("n", "could not check"), ("c", "ok")]
    assert "--offline" in made.findings[0].sentence


def test_no_secret_of_an_address_leaves(setup: Setup) -> None:
    """User and password, queries and fragments are cut, and the values of variables."""
    said = "https://me:hunter2@proxy.example:3128/a?x=hunter2 TOKENCTL_SCOPE is 'hunter2', http://a.example/b#hunter2"
    found = Finding(check="x", status="warning", sentence=said, remedy=said, more={"urls": [said], "said": {"a": said}})
    setup.sign_in()
    made = examine(setup.case(), [Check(name="x", meaning="x", look=lambda case: [found])])
    assert "hunter2" not in repr(made)
    assert "https://proxy.example:3128/a " in made.findings[0].sentence


def test_a_person_sees_which_check_takes_long(setup: Setup) -> None:
    """After a second, at a terminal."""
    screen = Screen()

    def slow(case: Case) -> Iterator[Finding]:
        while "looking at: the slow one" not in screen.getvalue():
            time.sleep(0.01)
        yield Finding(check="s", status="ok", sentence="done")

    setup.sign_in()
    case = setup.case()
    case.runtime.terminal = Terminal({}, err=screen)
    made = examine(case, [Check(name="s", meaning="the slow one", look=slow)])
    assert made.findings[0].sentence == "done"


def test_every_check_answers_in_every_state(setup: Setup) -> None:
    """None of them has a defect: with a session, without one, without a profile, and without a config file."""
    everything = [setup.case("nobody"), setup.case(environ={"TOKENCTL_CONFIG": "/nonexistent"}), setup.case()]
    setup.sign_in()
    everything.append(setup.case(offline=True))
    setup.sign_in(-1)
    everything.append(setup.case(offline=True))
    for case in everything:
        made = examine(case, [each for each in CHECKS if not each.online])
        assert not any("failed itself" in each.sentence for each in made.findings)
        assert len({each.name for each in CHECKS}) == len(CHECKS)


def test_a_copy_that_answers_makes_a_failure_a_warning(setup: Setup) -> None:
    """`token` gives the copy away before it meets what is broken."""
    made = examine(replace(setup.case(), copied=True), [check("keyring", ("failed", 3))])
    assert (made.exit_status, made.findings[0].status, made.findings[0].exit_status) == (0, "warning", 0)
