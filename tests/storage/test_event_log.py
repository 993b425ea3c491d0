"""The event log: what is written is read, whatever became of the files meanwhile."""

import io
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.killing.damage import DISGUISE, Damage, put_back, seen
from tests.killing.each_line import STATES
from tests.killing.folders import fill, small_disk
from tests.support.flows import PassingClock
from tests.support.paths import ROOT
from tokenctl.adapters.terminal import Terminal
from tokenctl.errors import StoreUnavailable, TokenctlError
from tokenctl.model.event import Event
from tokenctl.model.profile import Profile
from tokenctl.runtime import Runtime
from tokenctl.storage.event_files import KEPT, LONGEST
from tokenctl.storage.event_log import MOST_AN_HOUR, PAUSE, EventLog, open_log, record

PROFILE = Profile(name="t")
SMALL = 2000
"""Bytes of a file in these tests: a few events."""


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    """A log in a private folder."""
    (tmp_path / ".events").mkdir(0o700)
    return EventLog(tmp_path / ".events", largest=SMALL)


def event(
    at: float = 1000.0, *, session: str = "s", profile: str = "t", kind: str = "renewal", **more: object
) -> Event:
    """A renewal at some time, in seconds; its generation is that time too."""
    return Event(
        event=kind, profile=profile, at=at, session=session, generation=int(at), more={"lifetime": 900, **more}
    )


def fill_log(log: EventLog, count: int, begin: int = 1000, step: int = 900) -> None:
    """Write renewals, one each quarter of an hour."""
    for number in range(count):
        log.append(event(float(begin + number * step)))


def numbers(log: EventLog) -> list[int]:
    """The numbers of the events in the log."""
    return [each.seq for each in log.read()]


def files(log: EventLog) -> list[Path]:
    """The files that there are, the newest one first."""
    return [log.path(age) for age in range(KEPT + 1) if log.path(age).exists()]


def runtime(tmp_path: Path, clock: PassingClock | None = None) -> Runtime:
    """A run with its state directory in the test's folder, whose warnings can be read."""
    environ = {"TOKENCTL_STATE_DIR": str(tmp_path)}
    return Runtime(environ, terminal=Terminal(environ, err=io.StringIO()), clock=clock)


def warnings(run: Runtime) -> list[str]:
    """What a run has warned of."""
    assert isinstance(run.terminal.err, io.StringIO)
    return [line for line in run.terminal.err.getvalue().splitlines() if "warning" in line]


def test_what_is_written_is_read_in_order(log: EventLog) -> None:
    """Each event gets the next number."""
    for at in range(3):
        log.append(Event(event="renewal", profile="t", at=float(at), more={"status": 200}))
    assert [(each.seq, each.at, each["status"]) for each in log.read()] == [(1, 0.0, 200), (2, 1.0, 200), (3, 2.0, 200)]


def test_a_torn_last_line_of_any_length_is_removed(log: EventLog) -> None:
    """A killed writer loses the event that it wrote, and no other one; a reader passes over it meanwhile."""
    fill_log(log, 2)
    content = log.path().read_bytes()
    first = content.index(b"\n") + 1
    for length in range(first, len(content)):
        log.path().write_bytes(content[:length])
        assert numbers(log) == [1]
        assert log.append(event(1900.0)).seq == 2
        assert log.path().read_bytes() == content
        assert numbers(log) == [1, 2]


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"\0" * 100, id="NUL bytes"),
        pytest.param(b"\0" * 300_000, id="many NUL bytes, as a crash of the machine leaves them"),
        pytest.param(b"x" * 3_000_000, id="a torn line of 3 MB"),
        pytest.param(b"garbage\n" * 30_000, id="many lines of garbage"),
        pytest.param(b"\n" * 200_000, id="many empty lines"),
        pytest.param(b"x" * 200_000 + b"\n", id="a line that is longer than any event"),
        pytest.param(b"x" * (LONGEST - 1) + b"\n", id="a line as long as the longest event"),
        pytest.param(b'{"schema":2,"seq":900}\n' * 5_000, id="lines of a later version"),
        pytest.param(b"\xff\xfe\r\r\n\x00\n", id="bytes that are no text"),
    ],
)
def test_numbers_go_on_after_garbage_at_the_end(tmp_path: Path, garbage: bytes) -> None:
    """However much there is, no event before it is lost, and the next one is whole."""
    (tmp_path / ".events").mkdir(0o700)
    log = EventLog(tmp_path / ".events")
    fill_log(log, 3)
    with log.path().open("ab") as file:
        file.write(garbage)
    assert numbers(log) == [1, 2, 3]
    fill_log(log, 2, begin=10_000)
    assert numbers(log) == [1, 2, 3, 4, 5]
    assert log.has_renewal("s", 10_900) and not log.has_renewal("s", 10_901)


def test_garbage_alone_is_an_empty_log(log: EventLog) -> None:
    """The first event gets the number 1."""
    log.path().touch(0o600)
    log.path().write_bytes(b"garbage\n" * 10)
    assert numbers(log) == []
    assert log.append(event()).seq == 1
    assert numbers(log) == [1]


def test_files_have_a_limit_and_numbers_go_on(log: EventLog) -> None:
    """The oldest file goes first, each file is private, and none is larger than it may be."""
    fill_log(log, 60)
    assert len(files(log)) == KEPT + 1
    found = numbers(log)
    assert found == list(range(found[0], 61)) and 1 < found[0] < 60
    assert log.size == sum(each.stat().st_size for each in files(log)) <= SMALL * (KEPT + 1)
    assert all(each.stat().st_size <= SMALL and each.stat().st_mode & 0o777 == 0o600 for each in files(log))


def test_an_event_that_is_larger_than_a_file_is_kept(tmp_path: Path) -> None:
    """A file has one event at least."""
    (tmp_path / ".events").mkdir(0o700)
    log = EventLog(tmp_path / ".events", largest=10)
    fill_log(log, 3)
    assert numbers(log) == [1, 2, 3] and len(files(log)) == 3


@pytest.mark.parametrize("done", range(KEPT + 1))
def test_a_rotation_that_was_cut_off_loses_nothing(log: EventLog, done: int) -> None:
    """However many of the renames were done, only the oldest file is given up, and numbers go on."""
    fill_log(log, 60)
    oldest = len(log.path(KEPT).read_bytes().splitlines())
    before = numbers(log)[oldest if done else 0 :]
    for age in range(KEPT, KEPT - done, -1):
        os.replace(log.path(age - 1), log.path(age))
    assert numbers(log) == before
    assert log.append(event(60_000.0)).seq == 61
    kept = before if done else before[oldest if len(log.path().read_bytes().splitlines()) == 1 else 0 :]
    assert numbers(log) == [*kept, 61]


@pytest.mark.parametrize("missing", range(KEPT + 1))
def test_a_file_that_somebody_removed_is_missed_by_nobody(log: EventLog, missing: int) -> None:
    """The other ones are read, and numbers go on."""
    fill_log(log, 60)
    lost = len(log.path(missing).read_bytes().splitlines())
    before = numbers(log)
    log.path(missing).unlink()
    rest = numbers(log)
    assert len(rest) == len(before) - lost and rest == sorted(set(rest))
    assert log.append(event(60_000.0)).seq == rest[-1] + 1
    assert numbers(log)[-1] == rest[-1] + 1


def test_a_log_that_was_removed_begins_anew(log: EventLog) -> None:
    """A person may remove the files at any time."""
    fill_log(log, 3)
    for each in files(log):
        each.unlink()
    assert numbers(log) == []
    assert log.append(event()).seq == 1


# -- what is in the place of a file ------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")
@pytest.mark.parametrize("name", ["events.jsonl", "lock"])
@pytest.mark.parametrize("disguise", DISGUISE.values(), ids=DISGUISE)
def test_what_somebody_put_in_the_place_of_a_file_is_refused(
    tmp_path: Path, log: EventLog, name: str, disguise: Damage
) -> None:
    """One warning in a run names it, nothing is written into it, and the run goes on."""
    fill_log(log, 2)
    path = tmp_path / ".events" / name
    content = path.read_bytes()
    disguise(path)
    before = seen(path)
    run = runtime(tmp_path)
    record(run, PROFILE, event())
    record(run, PROFILE, event())
    (warning,) = warnings(run)
    assert warning.startswith("tokenctl: warning: the event log is not written: ") and str(path) in warning
    assert seen(path) == before
    put_back(path, content)
    record(runtime(tmp_path), PROFILE, event())
    assert numbers(log) == [1, 2, 3]


@pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")
@pytest.mark.parametrize("age", [0, 2])
@pytest.mark.parametrize("disguise", DISGUISE.values(), ids=DISGUISE)
def test_what_is_no_file_of_ours_is_not_read(log: EventLog, disguise: Damage, age: int) -> None:
    """A reader says which file it is, and does not wait for ever. A renewal that was cut off is not guessed at."""
    fill_log(log, 60)
    disguise(log.path(age))
    if log.path(age).is_symlink() or log.path(age).exists():
        with pytest.raises(TokenctlError, match=str(log.path(age))):
            numbers(log)
        assert log.has_renewal("another one", 1)


@pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda folder: folder.rename(folder.with_name("x")) and folder.touch(), id="a file"),
        pytest.param(
            lambda folder: folder.rename(folder.with_name("x")) and folder.symlink_to(folder.with_name("x")),
            id="a link",
        ),
        pytest.param(lambda folder: folder.chmod(0o777), id="others can write"),
    ],
)
def test_a_folder_that_is_not_ours_is_refused(tmp_path: Path, log: EventLog, spoil: Callable[[Path], object]) -> None:
    """The warning names it, and nothing is written there."""
    fill_log(log, 1)
    spoil(tmp_path / ".events")
    run = runtime(tmp_path)
    record(run, PROFILE, event())
    (warning,) = warnings(run)
    assert str(tmp_path / ".events") in warning
    assert not (tmp_path / "x").exists() or len((tmp_path / "x" / "events.jsonl").read_bytes().splitlines()) == 1


@pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")
@pytest.mark.parametrize("disguise", DISGUISE.values(), ids=DISGUISE)
def test_a_mark_that_is_not_ours_costs_no_event(log: EventLog, disguise: Damage) -> None:
    """It is left as it is; whoever looks for it finds something there."""
    log.append(event(kind="dead"))
    assert log.due.stat().st_mode & 0o777 == 0o600
    disguise(log.due)
    before = seen(log.due)
    log.append(event(kind="dead"))
    assert numbers(log) == [1, 2] and (seen(log.due) == before or not log.due.is_symlink())


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277, 0o777])
def test_the_log_is_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    """Also the lock, and the mark that an anomaly may be new."""
    before = os.umask(umask)
    try:
        for kind in ("dead", "renewal"):
            run = runtime(tmp_path / "state")
            record(run, PROFILE, event(kind=kind))
            assert warnings(run) == []
    finally:
        os.umask(before)
    modes = {each.name: each.stat().st_mode & 0o777 for each in (tmp_path / "state").rglob("*")}
    assert modes == {".events": 0o700, ".audit-due": 0o600, "events.jsonl": 0o600, "lock": 0o600}


# -- without room, and without a wish ----------------------------------------------------------------------


def test_a_full_disk_costs_one_warning_and_tears_nothing(tmp_path: Path) -> None:
    """Also when there is no room for the new file of a rotation: no file is lost by trying again and again."""
    with small_disk(tmp_path / "disk") as disk:
        (disk / ".events").mkdir(0o700)
        log = EventLog(disk / ".events", largest=SMALL)
        fill_log(log, 22)
        before = numbers(log)
        ballast = fill(disk)
        for _ in range(3):
            for _ in range(8):
                with pytest.raises(StoreUnavailable, match="No space left"):
                    fill_log(log, SMALL)  # a page of a file can have some room left
            assert numbers(log)[: len(before)] == before
        run = runtime(disk)
        record(run, PROFILE, event())
        record(run, PROFILE, event())
        (warning,) = warnings(run)
        assert warning.endswith(f"{log.path()}: No space left on device")
        found = numbers(log)
        ballast.unlink()
        record(runtime(disk), PROFILE, event())
        assert numbers(log) == [*found, found[-1] + 1]


def test_a_long_running_program_tries_again_after_a_pause(tmp_path: Path) -> None:
    """A log that cannot be written slows down nothing, and is written again when it can be."""
    (tmp_path / ".events").touch()
    run = runtime(tmp_path)
    record(run, PROFILE, event())
    (tmp_path / ".events").unlink()
    record(run, PROFILE, event())
    assert run.events_failed_at is not None and not (tmp_path / ".events").exists()
    run.events_failed_at -= PAUSE
    record(run, PROFILE, event())
    assert len(warnings(run)) == 1 and numbers(open_log(run)) == [1]


def test_a_profile_without_audit_has_no_log(tmp_path: Path) -> None:
    """And a run that only looks writes none; both say the event with -v all the same."""
    for profile, keeps in ((Profile(name="t", audit="off"), True), (PROFILE, False)):
        run = runtime(tmp_path)
        run.keeps_events, run.terminal.verbose = keeps, True
        record(run, profile, event())
        assert isinstance(run.terminal.err, io.StringIO) and "t: renewed" in run.terminal.err.getvalue()
        assert list(tmp_path.iterdir()) == []


# -- reading -----------------------------------------------------------------------------------------------


def snapshot(folder: Path) -> dict[str, tuple[object, ...]]:
    """All that a reader could change of the files in a folder."""
    return {str(each): seen(each) for each in [folder, *folder.rglob("*")]}


def test_reading_makes_no_file_and_changes_none(tmp_path: Path, log: EventLog) -> None:
    """Neither the lock nor a folder that is not there."""
    nowhere = open_log(Runtime({"TOKENCTL_STATE_DIR": str(tmp_path / "nowhere")}))
    assert (list(nowhere.read()), nowhere.size, nowhere.has_renewal("s", 1)) == ([], 0, False)
    fill_log(log, 60)
    before = snapshot(tmp_path)
    assert len(numbers(log)) > 10 and log.has_renewal("s", 1000) and not log.has_renewal("other", 1)
    assert snapshot(tmp_path) == before


def test_reading_does_not_wait_for_a_writer(log: EventLog) -> None:
    """A stopped process that holds the log's lock keeps nobody from reading."""
    from tokenctl.storage.lock import exclusive

    fill_log(log, 3)
    with exclusive(log.path().with_name("lock")):
        assert numbers(log) == [1, 2, 3] and log.has_renewal("s", 1)


def test_a_reader_sees_each_event_once_while_others_write_and_rotate(log: EventLog) -> None:
    """Neither twice nor torn, and no gap is in what it sees."""
    fill_log(log, 60)
    ended = threading.Event()

    def write() -> None:
        while not ended.is_set():
            log.append(event())

    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write) for _ in range(2)]
        try:
            seen_last = 0
            while seen_last < 600:
                lines = list(log.lines())
                found = numbers(log)
                assert all(line.endswith(b"}\n") for line in lines)
                assert found == list(range(found[0], found[-1] + 1)) and found[-1] >= seen_last
                seen_last = found[-1]
        finally:
            ended.set()
        for each in writers:
            each.result()


def test_what_is_written_while_somebody_reads_is_left_out(log: EventLog) -> None:
    """A reader comes to an end, also where the file that it reads was made older or removed."""
    fill_log(log, 3)
    reading = log.read()
    first = next(reading)
    fill_log(log, 60)
    assert [first.seq, *(each.seq for each in reading)] == [1, 2, 3]


# -- what a new event depends on ---------------------------------------------------------------------------


def test_a_kind_that_is_repeated_is_limited_for_each_profile(log: EventLog) -> None:
    """Five in an hour, counted across a rotation; others, another hour, and another profile are not concerned."""
    written = [log.append(event(1000.0 + number, kind="refusal")).seq for number in range(MOST_AN_HOUR + 2)]
    assert written == [1, 2, 3, 4, 5, 0, 0]
    assert log.append(event(1010.0, kind="refusal", profile="other")).seq == 6
    assert log.append(event(1010.0)).seq == 7
    log.path().rename(log.path(1))
    assert log.append(event(1020.0, kind="refusal")).seq == 0
    assert log.append(event(1020.0)).seq == 8
    assert log.append(event(1021.0, kind="refusal")).seq == 0
    assert log.append(event(1000.0 + 3600, kind="refusal")).seq == 9


def test_too_many_renewals_are_noticed_however_much_others_write(tmp_path: Path) -> None:
    """The next command at a terminal is to look: counted are the profile's own events of the last hour."""
    (tmp_path / ".events").mkdir(0o700)
    log = EventLog(tmp_path / ".events")
    for number in range(200):
        log.append(event(1000.0 + number, lifetime=60))
        log.append(event(1000.0 + number, profile=f"other {number % 5}", kind="change"))
        assert log.due.exists() == (number >= 130), number


def ordinary() -> Iterator[Event]:
    """Events that no rule is about."""
    while True:
        yield event(5000.0, session="other", profile="other")


def test_the_event_of_a_renewal_is_found_however_much_others_write(log: EventLog) -> None:
    """In an older file too: else the next run would write it once more."""
    log.append(event(1000.0))
    for _ in range(20):
        log.append(next(ordinary()))
    assert len(files(log)) > 2
    assert [log.has_renewal("s", generation) for generation in (999, 1000, 1001)] == [True, True, False]
    assert not log.has_renewal("a session without an event", 1)


@pytest.mark.parametrize("at", [-1e15, 0.0, 1e15])
def test_a_clock_that_is_far_off_costs_no_event(log: EventLog, at: float) -> None:
    """Numbers go on, and the limit of repeated events holds for an hour of that clock."""
    log.append(event(1000.0))
    assert log.append(event(at, kind="refusal")).seq == 2
    assert log.append(event(1001.0, kind="refusal")).seq == 3
    assert numbers(log) == [1, 2, 3]


# -- killed, and many at once ------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.quick
@pytest.mark.parametrize("state", STATES)
def test_a_writer_may_be_killed_before_any_line_of_its_code(tmp_path: Path, state: str) -> None:
    """At most the event that it writes is missing; the numbers go on, and nothing is doubled or torn."""
    words = [sys.executable, "-W", "error", "-m", "tests.killing.each_line", str(tmp_path), state]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT)
    *problems, kills = done.stdout.splitlines()
    assert (done.returncode, problems, done.stderr) == (0, [], "")
    assert int(kills) > 100


def test_a_keyring_that_fails_is_written_after_each_renewal(tmp_path: Path) -> None:
    """Five failures an hour are written, and one after each renewal: else its copy seems to have reached the keyring."""
    log = EventLog(tmp_path)
    for at in range(10):
        log.append(Event(event="keyring-failed", profile="t", at=float(at)))
    log.append(Event(event="renewal", profile="t", at=11.0))
    for profile in ("t", "t", "u"):
        log.append(Event(event="keyring-failed", profile=profile, at=12.0))
    assert [each.profile for each in log.read() if each.event == "keyring-failed"] == ["t"] * 6 + ["u"]
