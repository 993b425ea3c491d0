"""`tokenctl audit`: what it shows at a terminal, in a pipe and as JSON, and `acknowledge`."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.support.attended import attended
from tests.support.commandline import COMMAND, Home
from tests.support.events_on_disk import NOW, log_of, renewal, theft
from tests.support.flows import SetClock
from tokenctl.audit.kinds import KINDS
from tokenctl.cli import main as cli
from tokenctl.model.event import Event
from tokenctl.runtime import Runtime
from tokenctl.storage.event_log import EventLog

CONFIG = """\
[profiles.work]
issuer = "https://a.example"
client_id = "c"

[profiles.home]
issuer = "https://b.example"
client_id = "c"
audit = "off"
"""
NAME = "refresh-token-refused"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment with a config file of two profiles; one has no event log."""
    (tmp_path / "config.toml").write_text(CONFIG)
    return {"TOKENCTL_CONFIG": str(tmp_path / "config.toml"), "TOKENCTL_STATE_DIR": str(tmp_path / "state")}


@pytest.fixture
def log(environ: dict[str, str]) -> EventLog:
    """The event log of that environment."""
    return log_of(Path(environ["TOKENCTL_STATE_DIR"]))


def run(environ: dict[str, str], *words: str) -> int:
    """Run the program in this process, at the time NOW."""
    return cli.run(words, obj=Runtime(environ, clock=SetClock(lambda: int(NOW))))


def steal(log: EventLog, *profiles: str, at: float = -10.0) -> None:
    """Let the refresh token of each profile be refused."""
    for profile in profiles:
        log.append(theft(profile, at))


Captured = pytest.CaptureFixture[str]


def test_without_an_anomaly_the_status_is_0(environ: dict[str, str], log: EventLog, capsys: Captured) -> None:
    """In a pipe each event and each profile is a line, to be found by its first word."""
    log.append(renewal("work", -20.0))
    log.append(renewal("other", -10.0))
    assert run(environ, "audit") == 0
    written = capsys.readouterr()
    assert [line.split("\t") for line in written.out.splitlines()] == [
        ["event", "2026-11-24T05:59:40Z", "work", "renewal", "ok", "renewed in 0.2 s, generation 7", "bash"],
        ["event", "2026-11-24T05:59:50Z", "other", "renewal", "ok", "renewed in 0.2 s, generation 7", "bash"],
        [
            *("profile", "other", "logins 0", "renewals 1", "refusals 0", "last renewal 2026-11-24T05:59:50Z"),
            *("first event 2026-11-24T05:59:50Z", "last event 2026-11-24T05:59:50Z", "used by bash"),
        ],
        [
            *("profile", "work", "logins 0", "renewals 1", "refusals 0", "last renewal 2026-11-24T05:59:40Z"),
            *("first event 2026-11-24T05:59:40Z", "last event 2026-11-24T05:59:40Z", "used by bash"),
        ],
    ]
    assert written.err == ""


@pytest.mark.parametrize("words", [(), ("--json",), ("--plot",), ("-p", "work"), ("--since", "1h")])
def test_with_an_anomaly_the_status_is_8(
    environ: dict[str, str], log: EventLog, words: tuple[str, ...], capsys: Captured
) -> None:
    """After the whole answer, whatever its form."""
    log.append(renewal("work", -20.0))
    steal(log, "work")
    assert run(environ, "audit", *words) == 8
    written = capsys.readouterr()
    assert NAME in written.out and written.err == ""
    if words != ("--json",):
        assert written.out.startswith("anomaly\t2026-11-24T05:59:50Z\twork\trefresh-token-refused\t")
        assert written.out.splitlines()[-1].startswith("profile\twork\t")


def test_json_is_one_document(environ: dict[str, str], log: EventLog, capsys: Captured) -> None:
    """Profiles, anomalies with their evidence, and every event as the log has it; ASCII, an event a line."""
    log.append(renewal("work", -20.0))
    log.append(Event(event="login", profile="Grüße", at=NOW - 15, more={"flow": "\x1b[31m"}))
    steal(log, "work")
    assert run(environ, "audit", "--json") == 8
    written = capsys.readouterr().out
    assert written.isascii() and "\x1b" not in written and len(written.splitlines()) == 1 + 3 + 1
    found = json.loads(written)
    assert [*found] == ["schema", "profiles", "anomalies", "events"] and found["schema"] == 1
    assert [(each["profile"], each["renewals"], each["programs"]) for each in found["profiles"]] == [
        ("Grüße", 0, []),
        ("work", 1, ["bash"]),
    ]
    (anomaly,) = found["anomalies"]
    assert [*anomaly] == ["name", "profile", "began_at", "at", "sentence", "remedy", "evidence"]
    assert (anomaly["name"], anomaly["profile"], anomaly["at"]) == (NAME, "work", NOW - 10) and 3 in anomaly["evidence"]
    assert found["events"] == [json.loads(line) for line in log.lines()]


def test_json_of_an_empty_log_is_a_document_too(environ: dict[str, str], capsys: Captured) -> None:
    """So that a program need not tell two cases apart."""
    assert run(environ, "audit", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"schema": 1, "profiles": [], "anomalies": [], "events": []}


def test_a_profile_and_a_time_limit_what_is_shown(environ: dict[str, str], log: EventLog, capsys: Captured) -> None:
    """An anomaly outside of them does not count for the status either."""
    log.append(renewal("other", -90000.0))
    steal(log, "work", at=-86400.0)
    assert run(environ, "audit", "--since", "1h") == 0
    written = capsys.readouterr()
    assert (written.out, written.err) == ("", "tokenctl: there is no event in that time\n")
    assert run(environ, "audit", "-p", "other") == 0
    assert "work" not in capsys.readouterr().out
    assert run(environ, "audit", "--since", "2d", "-p", "work") == 8
    assert "other" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "there is no event yet"),
        (("-p", "work"), "there is no event of work yet"),
        (("-p", "home"), 'there is no event: audit = "off" is set for home'),
    ],
)
def test_why_there_is_no_event(environ: dict[str, str], words: tuple[str, ...], said: str, capsys: Captured) -> None:
    """A sentence, and status 0: nothing was found. Looking makes no file."""
    assert run(environ, "audit", *words) == 0
    written = capsys.readouterr()
    assert (written.out, written.err) == ("", f"tokenctl: {said}\n")
    assert not Path(environ["TOKENCTL_STATE_DIR"]).exists()


def test_a_profile_that_is_unknown_is_an_error(environ: dict[str, str], log: EventLog, capsys: Captured) -> None:
    """With the nearest name; but one that is gone from the config file has its events still."""
    steal(log, "gone")
    for words in (("audit", "-p", "wrok"), ("audit", "acknowledge", NAME, "-p", "wrok")):
        assert run(environ, *words) == 2
        written = capsys.readouterr()
        assert written.out == "" and "did you mean 'work'?" in written.err
    assert run(environ, "audit", "-p", "gone") == 8


def test_a_log_that_cannot_be_read_is_an_error(environ: dict[str, str], log: EventLog, capsys: Captured) -> None:
    """Its status says that the store is the reason, and nothing looks as if it was clean."""
    log.path().mkdir()
    assert run(environ, "audit") in (2, 3)
    written = capsys.readouterr()
    assert written.out == "" and "tokenctl: error: " in written.err and "events.jsonl" in written.err


def test_lines_that_are_no_events_get_a_warning(environ: dict[str, str], log: EventLog, capsys: Captured) -> None:
    """And the others are shown."""
    log.append(renewal("work", -20.0))
    with log.path().open("ab") as file:
        file.write(b'{"schema":2}\n')
    assert run(environ, "audit") == 0
    written = capsys.readouterr()
    assert written.out.startswith("event\t") and "no events of this version of tokenctl were left out: 1" in written.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("audit", "--json", "--plot"), "--json and --plot contradict each other"),
        (("audit", "--json", "acknowledge", NAME), "--since, --json and --plot are for the report alone"),
        (("audit", "--since", "0d"), "must be more than 0 seconds"),
        (("audit", "--since", ""), "'--since': '' is not a duration"),
        (("audit", "acknowledge", "refresh-token-refusd"), f"did you mean '{NAME}'?"),
        (("audit", "acknowlege", NAME), "did you mean 'acknowledge'?"),
        (("audit", "work"), "name a profile with -p: tokenctl audit -p work"),
        (("audit", "acknowledge", NAME), f"there is no anomaly '{NAME}', or it is acknowledged already"),
        (("audit", "acknowledge", NAME, "-p", "work"), f"there is no anomaly '{NAME}' of 'work', or it is"),
    ],
)
def test_wrong_words(environ: dict[str, str], words: tuple[str, ...], said: str, capsys: Captured) -> None:
    """Status 2, the reason or the nearest word, and nothing on stdout or in the log."""
    assert run(environ, *words) == 2
    written = capsys.readouterr()
    assert written.out == "" and said in written.err
    assert not Path(environ["TOKENCTL_STATE_DIR"]).exists()


def test_acknowledge_ends_the_alarm(environ: dict[str, str], log: EventLog, capsys: Captured) -> None:
    """Of every profile that has it, or of one; it is an event, and what comes later is an anomaly again."""
    steal(log, "work", "other", "third")
    assert run(environ, "audit", "acknowledge", NAME, "-p", "third") == 0
    assert capsys.readouterr().err == f"tokenctl: acknowledged {NAME} of third\n"
    assert run(environ, "audit", "acknowledge", NAME) == 0
    assert capsys.readouterr() == ("", f"tokenctl: acknowledged {NAME} of other, work\n")
    assert [(each.event, each.profile, each["anomaly"]) for each in log.read()][3:] == [
        ("acknowledged", "third", NAME),
        ("acknowledged", "other", NAME),
        ("acknowledged", "work", NAME),
    ]
    assert run(environ, "audit") == 0
    steal(log, "other", at=5.0)
    capsys.readouterr()
    assert run(environ, "audit") == 8
    assert "\tother\t" in capsys.readouterr().out.splitlines()[0]


def test_acknowledge_names_every_kind() -> None:
    """A kind that is added to the table can be acknowledged, and TAB completes it."""
    from tokenctl.cli.commands.audit import acknowledge

    (argument,) = (each for each in acknowledge.params if each.name == "anomaly")
    assert tuple(getattr(argument.type, "choices", ())) == tuple(kind.name for kind in KINDS)


@pytest.mark.parametrize("width", [80, 120])
def test_a_plot_fits_the_width(
    environ: dict[str, str], log: EventLog, width: int, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a pipe it is made of plain characters, with the number of the highest bar and the times of both ends."""
    monkeypatch.setenv("COLUMNS", str(width))
    for hour in range(48):
        log.append(renewal("work" if hour % 3 else "other", (hour - 48) * 3600.0))
    assert run(environ, "audit", "--plot") == 0
    written = capsys.readouterr().out
    plot = written[: written.index("profile\t")].splitlines()
    assert written.isascii() and plot[0] == "other" and "work" in plot
    assert width // 2 < max(map(len, plot)) <= width
    assert sum("#" in line for line in plot) >= 4 and "one bar is " in plot[-1]


@pytest.mark.parametrize("words", [(), ("--plot",)])
@pytest.mark.parametrize("width", ["80", "120"])
def test_at_a_terminal_nothing_is_cut(home: Home, width: str, words: tuple[str, ...]) -> None:
    """Anomalies on top, then events with renewals folded, or the plot, then totals; no line is wider than the terminal."""
    log = log_of(Path(home.environ["TOKENCTL_STATE_DIR"]))
    for number in range(50):
        log.append(Event(event="change", profile="work", at=NOW - 90100 + number, more={"what": "key"}))
    for number in range(200):
        log.append(renewal("customer-europe", -90000.0 + number * 300))
    steal(log, "work")
    shown = attended(home, "audit", *words, environ={"COLUMNS": width, "TERM": "xterm-256color", "NO_COLOR": "1"})
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown.stderr)
    lines, words_of = text.splitlines(), " ".join(text.replace("│", " ").split())
    assert shown.status == 8 and max(map(cell_len, lines)) <= int(width)
    assert lines[0].startswith(f"╭─ work: {NAME} ─") and "Somebody else may have used it" in words_of
    if words:
        assert "█" in text and "one bar is" in text and "┤" in text
    else:
        assert "renewed 200 times since" in text and "earlier events: tokenctl audit | less" in text
    assert text.index("used by") > text.index("customer-europe")


def test_a_log_that_is_off_is_no_proof_of_quiet(home: Home) -> None:
    """At a terminal that is said beside `no anomaly`; a cron job's mail is only for anomalies."""
    home.write_config(CONFIG)
    log_of(Path(home.environ["TOKENCTL_STATE_DIR"])).append(renewal("home", -100.0))
    shown = attended(home, "audit", environ={"COLUMNS": "120", "TERM": "dumb", "NO_COLOR": "1"})
    assert shown.status == 0 and "no anomaly" in shown.stderr
    assert 'audit = "off" is set, so new events are not written: home' in shown.stderr
    assert home.run("audit").stderr == ""


@pytest.mark.skipif(os.name != "posix", reason="needs a pipe that closes")
def test_a_reader_that_has_enough_ends_it(home: Home) -> None:
    """As with every other command: one line on stderr, and no traceback."""
    log = log_of(Path(home.environ["TOKENCTL_STATE_DIR"]))
    for at in range(2000):
        log.append(renewal("work", float(at)))
    for words in ("audit", "audit --json"):
        done = subprocess.run(
            ["sh", "-c", '"$@" | head -n 1', "sh", *COMMAND, *words.split()],
            env=home.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.count("\n") == 1
        assert done.stderr == "tokenctl: error: stdout was closed before everything was written\n"
