"""A person hears of a new anomaly once, at the next command at a terminal."""

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.support.attended import attended
from tests.support.commandline import Home
from tests.support.events import DAY, login, renewal
from tests.support.events_on_disk import log_of, theft
from tests.support.paths import ROOT
from tokenctl.adapters.terminal import Terminal
from tokenctl.cli import due
from tokenctl.model.event import Event
from tokenctl.runtime import Runtime
from tokenctl.storage.event_log import EventLog

NAME = "refresh-token-refused"


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    """An event log in which two profiles have an anomaly that no person was told of."""
    log = log_of(tmp_path / "state")
    for profile in ("work", "home"):
        log.append(theft(profile, 0.0))
    assert log.due.exists()
    return log


def said(tmp_path: Path, *, stream: io.StringIO | None = None, quiet: bool = False, **environ: str) -> list[str]:
    """Look for something to tell, as a command does; return what is said."""
    stream = Screen() if stream is None else stream
    terminal = Terminal({"NO_COLOR": "1", **environ}, err=stream)
    terminal.quiet = quiet
    due.tell(Runtime({"TOKENCTL_STATE_DIR": str(tmp_path / "state"), **environ}, terminal=terminal))
    return stream.getvalue().splitlines()


def told(log: EventLog) -> list[tuple[str, str]]:
    """The profiles and anomalies of which the log says that a person was told."""
    return [(each.profile, each["anomaly"]) for each in log.read() if each.event == "told"]


def test_each_anomaly_is_said_once(tmp_path: Path, log: EventLog) -> None:
    """With profile, name, sentence and the command that shows more; then the log knows that a person was told."""
    lines = said(tmp_path)
    assert len(lines) == 2 and all("the server refused a refresh token" in line for line in lines)
    for line, profile in zip(lines, ("work", "home"), strict=True):
        assert line.startswith(f"tokenctl: warning: {profile}: {NAME}: At ")
        assert line.endswith("; see 'tokenctl audit'")
    assert told(log) == [("home", NAME), ("work", NAME)]
    assert said(tmp_path) == [] and not log.due.exists()


def test_only_what_is_new_is_said_later(tmp_path: Path, log: EventLog) -> None:
    """An anomaly of another profile is new, and so is one more of the same."""
    said(tmp_path)
    log.append(theft("third", 10.0))
    log.append(theft("work", 20.0))
    assert [line.split(": ")[2] for line in said(tmp_path)] == ["third", "work"]
    log.append(theft("work", 30.0))
    log.append(Event(event="acknowledged", profile="work", at=1.8e9, more={"anomaly": NAME}))
    assert said(tmp_path) == [] and not log.due.exists()


def test_who_cannot_read_it_is_not_told(tmp_path: Path, log: EventLog) -> None:
    """In a job, with -q and where stderr is no terminal the mark stays for the next command."""
    assert said(tmp_path, CI="true") == said(tmp_path, quiet=True) == said(tmp_path, stream=io.StringIO()) == []
    assert log.due.exists() and told(log) == [] and len(said(tmp_path)) == 2


def test_an_event_that_is_no_anomaly_says_nothing(tmp_path: Path) -> None:
    """The mark is removed all the same, so that the log is read once for it."""
    log = log_of(tmp_path / "state")
    log.append(Event(event="lock-wait", profile="work", at=1.0, more={"waited": 61, "holder": 7}))
    assert log.due.exists() and said(tmp_path) == []
    assert not log.due.exists() and told(log) == []


def test_a_session_that_nobody_uses_is_said_while_another_one_is_used(tmp_path: Path) -> None:
    """It has no event of its own any more, so the first event of each week lets the next command look."""
    log, now = log_of(tmp_path / "state"), Runtime().clock()
    log.append(replace(login(profile="idle"), at=now - 40 * DAY))
    for days in range(39, 5, -1):
        log.append(replace(renewal(0.0, profile="work", fingerprint=f"f{days}"), at=now - days * DAY))
    assert [line.split(": ")[2:4] for line in said(tmp_path)] == [["idle", "idle-session"]]
    assert not log.due.exists() and told(log) == [("idle", "idle-session")]


def test_many_anomalies_are_not_many_lines(tmp_path: Path) -> None:
    """The newest ones are named; the rest is counted, and `audit` shows it."""
    log = log_of(tmp_path / "state")
    for number in range(12):
        log.append(theft(f"p{number}", float(number)))
    lines = said(tmp_path)
    assert len(lines) == 6 and "p11" in lines[4] and "7 more anomalies are new" in lines[5]
    assert len(told(log)) == 12


def test_a_log_that_cannot_be_read_stops_no_command(tmp_path: Path, log: EventLog) -> None:
    """Nothing is raised, and nothing is said: `audit` says what is wrong."""
    log.path().unlink()
    log.path().mkdir()
    assert said(tmp_path) == []
    log.path().rmdir()
    due.tell(Runtime({"TOKENCTL_STATE_DIR": "relative"}, terminal=Terminal({}, err=Screen())))


def test_of_many_commands_at_once_one_tells(tmp_path: Path, log: EventLog) -> None:
    """Who removes the mark tells; the others say nothing and wait for nobody."""
    program = (
        "import io, sys\n"
        "from tests.cli.test_due import said\n"
        "from pathlib import Path\n"
        "print(len(said(Path(sys.argv[1]))))\n"
    )
    words = [sys.executable, "-c", program, str(tmp_path)]
    started = [subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert sorted(each.communicate()[0].strip() for each in started) == ["0", "0", "0", "2"]
    assert len(told(log)) == 2


def test_without_a_mark_next_to_nothing_is_loaded(tmp_path: Path) -> None:
    """Every command looks, also the fastest one: no log, no detector and no view is loaded for that."""
    program = (
        "import io, sys\n"
        "from tokenctl.adapters.terminal import Terminal\n"
        "from tokenctl.cli import due\n"
        "from tokenctl.runtime import Runtime\n"
        "class Screen(io.StringIO):\n"
        "    def isatty(self): return True\n"
        "due.tell(Runtime(dict(TOKENCTL_STATE_DIR=sys.argv[1]), terminal=Terminal({}, err=Screen())))\n"
        "print(*[each for each in sys.modules if each.startswith('tokenctl')])\n"
    )
    words = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "tokenctl.cli.due" in loaded
    assert not {"tokenctl.cli.notice", "tokenctl.storage.event_log", "tokenctl.storage.lock"} & loaded
    assert not [each for each in loaded if each.startswith(("tokenctl.audit", "tokenctl.cli.views"))]


WAYS = [
    ("exec", "--", "sh", "-c", "echo the child; exit 3"),
    ("exec", "--wait", "0", "--", "sh", "-c", "echo the child; exit 3"),
]


@pytest.mark.parametrize("words", WAYS, ids=["plain", "click"])
def test_it_is_said_before_the_child_begins(home: Home, demo_server: FaultyServer, words: tuple[str, ...]) -> None:
    """On stderr, once; the child's answer and status are its own. `audit` shows it and a helper does not: both leave it."""
    assert home.login(demo_server.issuer).status == 0
    log = log_of(Path(home.environ["TOKENCTL_STATE_DIR"]))
    log.append(theft("work", 0.0))
    assert home.run(*words).stderr == "" and attended(home, "audit").status == 8 and log.due.exists()
    helper = attended(home, "helper", "--config", str(home.config), "api-key")
    assert helper.status == 0 and NAME not in helper.stderr and log.due.exists()
    shown = attended(home, *words)
    warning, _, rest = shown.stderr.partition("see 'tokenctl audit'\n")
    assert shown.status == 3 and rest == "the child\n"
    assert warning.startswith(f"tokenctl: warning: work: {NAME}: ")
    assert attended(home, *words).stderr == "the child\n"
