"""The terminal of a program that uses tokenctl as a library: a log, and nobody who could be asked."""

import json
import logging
import threading

import pytest

from tokenctl.adapters.log_terminal import LogTerminal
from tokenctl.errors import UsageError
from tokenctl.model.event import Event, dumps


def test_messages_go_to_the_log_by_their_weight(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """What happened is for who looks for it; a warning, also one of the worker, is for everybody."""
    with caplog.at_level(logging.DEBUG, "tokenctl"):
        terminal = LogTerminal({})
        terminal.message("renewed")
        terminal.detail("asked")
        terminal.warning("it is \x1b[31mfull")
        terminal.plain_line("tokenctl: warning: of the worker")
        terminal.plain_line("tokenctl: POST https://a.example")
        terminal.hint("do that")
    said = [(each.levelname, each.message) for each in caplog.records]
    assert said == [
        ("DEBUG", "renewed"),
        ("DEBUG", "asked"),
        ("WARNING", "it is \N{REPLACEMENT CHARACTER}[31mfull"),
        ("WARNING", "of the worker"),
        ("DEBUG", "POST https://a.example"),
        ("DEBUG", "hint: do that"),
    ]
    assert capsys.readouterr() == ("", "")


def test_an_event_is_logged_with_all_its_members(caplog: pytest.LogCaptureFixture) -> None:
    """As INFO: a sentence for a person, and for a program the object that the event log has."""
    event = Event(
        event="refusal", profile="t", result="failed", seq=7, at=1.5, more={"error": "\x1b[31mno", "status": 400}
    )
    with caplog.at_level(logging.INFO, "tokenctl"):
        LogTerminal({}).event(event)
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("tokenctl", "INFO")
    assert record.message == "t: a renewal brought no usable tokens (\N{REPLACEMENT CHARACTER}[31mno)"
    assert vars(record)["event"] == json.loads(dumps(event))


def test_nobody_is_asked_and_no_thread_is_started() -> None:
    """A question is an error; a progress line needs no thread, which could not be started at a program's end."""
    terminal = LogTerminal({})
    assert not terminal.attended and not terminal.watched
    with pytest.raises(UsageError, match="nobody can be asked"):
        terminal.confirm("Go on?")
    before = threading.active_count()
    with terminal.delayed_progress("waiting"), terminal.delayed_message(0.0, "waiting"):
        assert threading.active_count() == before
