"""An anomaly that stands is a warning of the doctor, too."""

import os

from tests.doctor.conftest import NOW, Setup
from tokenctl.doctor import anomalies
from tokenctl.model.event import Event
from tokenctl.storage.event_log import FOLDER, EventLog


def refused(setup: Setup) -> None:
    """Let the event log say that a good refresh token was refused."""
    session = setup.sign_in()
    (setup.state / FOLDER).mkdir(mode=0o700, exist_ok=True)
    more = {"error": "invalid_grant", "says": "reuse", "unanswered": 0, "old_fingerprint": "sha256:00000000"}
    dead = Event(event="dead", profile="t", result="failed", session=session.id, generation=1, at=NOW - 60.0, more=more)
    EventLog(setup.state / FOLDER).append(dead)


def test_without_events_there_is_no_anomaly(setup: Setup) -> None:
    """Also where there is no log."""
    (found,) = anomalies.look(setup.case())
    assert (found.status, found.exit_status) == ("ok", 0) and not setup.state.exists()


def test_an_anomaly_is_a_warning(setup: Setup) -> None:
    """With its name and what to do; and no file of the log changes."""
    refused(setup)
    before = {each: os.stat(each).st_mtime_ns for each in (setup.state / FOLDER).iterdir()}
    (found,) = anomalies.look(setup.case())
    assert (found.status, found.exit_status) == ("warning", 0)
    assert found.more["anomaly"] == "refresh-token-refused" and "tokenctl audit" in (found.remedy or "")
    assert {each: os.stat(each).st_mtime_ns for each in (setup.state / FOLDER).iterdir()} == before


def test_an_anomaly_of_another_profile_is_not_told(setup: Setup) -> None:
    """The doctor looks at one profile."""
    refused(setup)
    setup.write("t", "u", head='default_profile = "u"\n')
    (found,) = anomalies.look(setup.case())
    assert found.status == "ok"


def test_a_log_that_nobody_can_read_is_a_warning(setup: Setup) -> None:
    """It is told in words: no command ends with it."""
    setup.sign_in()
    (setup.state / FOLDER).write_text("a file in the place of the folder")
    (found,) = anomalies.look(setup.case())
    assert (found.status, found.exit_status) == ("warning", 0) and str(setup.state / FOLDER) in found.sentence
