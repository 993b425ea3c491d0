"""The event log of a HOME, and what `tokenctl audit` finds in it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.commandline import Home
from tokenctl.model.event import Event
from tokenctl.storage.event_log import FOLDER, EventLog


def events(home: Home, kind: str) -> list[Event]:
    """Return the events of a kind."""
    log = EventLog(Path(home.environ["TOKENCTL_STATE_DIR"]) / FOLDER)
    return [each for each in log.read() if each.event == kind]


def anomalies(home: Home, environ: Mapping[str, str] = {}) -> list[dict[str, Any]]:
    """Run `tokenctl audit`, and return the anomalies; its exit status must agree with them."""
    result = home.run("audit", "--json", environ=environ)
    found: list[dict[str, Any]] = json.loads(result.stdout)["anomalies"]
    assert result.status == (8 if found else 0), result
    return found


def names(home: Home, environ: Mapping[str, str] = {}) -> list[str]:
    """Run `tokenctl audit`, and return the names of the anomalies."""
    return [each["name"] for each in anomalies(home, environ)]
