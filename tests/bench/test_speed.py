"""The table of `python -m tests.bench.speed` says what was measured. No test looks at a time."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.figures import BARE, Run, Target, Verdict, line, ratios, tables, verdicts
from tests.bench.peers import Case
from tests.bench.speed import TARGETS, chosen
from tests.bench.starter import cost
from tests.support.commandline import LONG
from tests.support.paths import ROOT
from tests.support.real_parts import available, program


def took(*walls: float) -> dict[int, Run]:
    """Make the runs of a case in as many rounds."""
    return {number: Run(wall=wall, cpu=wall / 2, peak=10) for number, wall in enumerate(walls)}


def test_a_ratio_compares_runs_of_one_round() -> None:
    """On a machine that becomes slower, the ratio of the medians would be 20 to 10."""
    runs = {"a": took(20, 20, 90), BARE: took(10, 8, 60)}
    assert ratios(runs, "a", BARE) == (2.0, 2.0)
    assert ratios({"a": took(20, 20, 90), BARE: took(1, 10, 45)}, "a", BARE) == (2.0, 2.0)


def test_a_case_that_runs_seldom_is_compared_with_the_rounds_that_it_ran_in() -> None:
    """A slow peer runs in each fifth round."""
    assert ratios({"slow": {1: Run(wall=30, cpu=20, peak=1)}, BARE: took(1, 10, 1)}, "slow", BARE) == (3.0, 4.0)


@pytest.mark.parametrize(("walls", "spread"), [((5.0,), (5, 5, 5)), ((1.0, 2.0, 3.0, 4.0, 5.0), (2, 3, 4))])
def test_a_line_has_the_median_and_the_quartiles(walls: tuple[float, ...], spread: tuple[float, ...]) -> None:
    """One run is its own spread."""
    one = line({BARE: took(*walls)}, BARE)
    assert (one.lower, one.wall, one.upper) == spread and one.ratio == 1


def test_a_target_is_judged_by_the_wall_time_where_both_cases_were_measured() -> None:
    """What was left out by `--only`, or is not installed, is not judged."""
    runs = {"a": took(16), BARE: took(10)}
    targets = [Target(case="a", peer=BARE, limit=1.6), Target(case="a", peer=BARE, limit=1.5)]
    assert [each.met for each in verdicts(runs, [*targets, Target(case="a", peer="gh", limit=9)])] == [True, False]


def test_the_tables_show_what_was_measured_and_what_was_not() -> None:
    """A peer that is missing has a line with the reason."""
    runs = {"a": took(16), BARE: took(10)}
    judged = [Verdict(case="a", peer=BARE, limit=1.6, ratio=1.6, ratio_cpu=1.7, met=True)]
    first, second = tables({name: line(runs, name) for name in runs}, {"gh": "not installed"}, judged).split("\n\n")
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in first.splitlines()]
    assert rows[2] == ["`a`", "16.0", "16.0-16.0", "8.0", "10.0", "1.60", "1.60"]
    assert rows[-1] == ["`gh`", "not installed", "", "", "", "", ""]
    assert [cell.strip() for cell in second.splitlines()[-1].split("|")[1:-1]] == [
        *("`a`", f"`{BARE}`", "1.60", "1.70", "1.60", "yes")
    ]


def test_only_keeps_what_a_target_is_compared_with() -> None:
    """A ratio needs both."""
    names = [BARE, "import click", "gh auth token", "tokenctl token", "tokenctl --help"]
    found = [Case(name=name, words=(), environ={}) for name in names]
    assert [each.name for each in chosen(found, ["--help"])] == [BARE, "import click", "tokenctl --help"]
    assert chosen(found, []) == found


@pytest.mark.parametrize(
    ("code", "status"), [("import sys; sys.exit(3)", 3), ("import os; os.kill(os.getpid(), 9)", -9)]
)
def test_the_cost_of_a_command_comes_with_its_exit_status(code: str, status: int) -> None:
    """A signal is a negative number, as in `subprocess`."""
    assert cost([sys.executable, "-c", code], dict(os.environ))[3] == status


def test_the_peak_memory_is_that_of_the_command() -> None:
    """In KiB; the 64 MiB are written, so that they are really there."""
    assert cost([sys.executable, "-c", "bytearray(b'x') * (64 << 20)"], dict(os.environ))[2] > 64 << 10


@pytest.mark.slow
@pytest.mark.real
def test_the_command_prints_the_table(tmp_path: Path) -> None:
    """With a real keyring and the demo server; one round of the cheapest case."""
    with available():
        program("gnome-keyring-daemon")
    words = [sys.executable, "-m", "tests.bench.speed", "--runs", "1", "--only", "tokne", "--json"]
    done = subprocess.run(
        [*words, str(tmp_path / "figures.json")], cwd=ROOT, capture_output=True, text=True, check=False, timeout=LONG
    )
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "figures.json").read_text())
    assert set(document["cases"]) == {BARE, "import click", "tokenctl tokne"}
    assert [each["case"] for each in document["targets"]] == ["tokenctl tokne"]
    assert "| `tokenctl tokne`" in done.stdout and len(TARGETS) > 1
