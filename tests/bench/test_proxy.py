"""The tables of `python -m tests.bench.proxy` say what was measured. No test looks at a time."""

import sys
from collections.abc import Iterator

import pytest

from tests.bench.load import Load, Server, many, transfer
from tests.bench.proxy import main
from tests.bench.proxy_figures import (
    DIRECT,
    OURS,
    PLAIN,
    Measured,
    Moved,
    added,
    goals_table,
    large_table,
    share,
    small_table,
)
from tests.servers.child import Child


def took(seconds: float, *latencies: float) -> Measured:
    """Make the figures of a load."""
    return Measured(load=Load(seconds=seconds, latencies=list(latencies)), cpu=0.5)


ROUNDS = [
    {(DIRECT, 1): took(1, 0.1, 0.1), (PLAIN, 1): took(2, 0.5, 0.5), (OURS, 1): took(3, 1.1, 1.1)},
    {(DIRECT, 1): took(1, 0.2, 0.2), (PLAIN, 1): took(4, 0.5, 0.5), (OURS, 1): took(10, 3.2, 3.2)},
]
MOVED = {("up", OURS): Moved(speed=100, before=30, peak=40), ("down", OURS): Moved(speed=100, before=30, peak=90)}


def cells(table: str) -> list[list[str]]:
    """Read a table's rows, without its head."""
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines()[2:]]


def test_a_share_and_an_added_latency_compare_loads_of_one_round() -> None:
    """On a machine that becomes slower, figures of different rounds say little."""
    assert share(ROUNDS, OURS, 1) == pytest.approx((2 / 3 + 0.4) / 2)
    assert added(ROUNDS, OURS, 1) == pytest.approx((2.0, 2.0))


def test_the_tables_show_every_way_and_which_goals_are_met() -> None:
    """The goals are a share at least, and latency and memory at most."""
    assert [row[:2] for row in cells(small_table(ROUNDS))] == [["1", way] for way in (DIRECT, PLAIN, OURS)]
    assert cells(large_table(MOVED))[1] == ["down", OURS, "100", "30", "90", "60"]
    assert [row[-1] for row in cells(goals_table(ROUNDS, MOVED))] == ["yes", "no", "yes", "no"]


@pytest.fixture
def upstream() -> Iterator[Child]:
    """The server that the proxies stand before."""
    with Child([sys.executable, "-m", "tests.bench.fast_upstream"]) as child:
        yield child


@pytest.mark.slow
def test_the_plain_pass_through_passes_everything(upstream: Child) -> None:
    """Small requests of several clients, and a large body in both directions."""
    origin = f"http://127.0.0.1:{upstream.hello['port']}"
    with Child([sys.executable, "-m", "tests.bench.plain_proxy", origin]) as plain:
        server = Server(port=plain.hello["port"], headers={})
        assert len(many(server, "/small", 20, 5).latencies) == 20
        for upload in (True, False):
            assert transfer(server, 10**6, upload=upload) > 0


@pytest.mark.slow
def test_the_command_prints_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    """Through `tokenctl proxy`; one round of few requests, and one MiB."""
    main(["--rounds", "1", "--requests", "50", "--size", "1"])
    small, large, goals = capsys.readouterr().out.split("\n\n")[1:]
    assert len(cells(small)) == 9 and len(cells(large)) == 4 and len(cells(goals)) == 6
