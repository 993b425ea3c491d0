"""The report of `audit` for a pipe: lines with tabs between their columns, or one JSON document.

Both are made part by part: the log can have 100,000 events.
"""

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from tokenctl.adapters.terminal import clean
from tokenctl.audit.anomaly import Anomaly
from tokenctl.audit.report import Report
from tokenctl.audit.tally import Tally
from tokenctl.cli.views.plot import PLAIN, plots
from tokenctl.cli.views.times import utc
from tokenctl.model.event import Event, document_of, sentence

SCHEMA = 1


def document(found: Report, events: Iterable[Event]) -> Iterator[str]:
    """Write the JSON document, in ASCII: one line an event."""
    head = {
        "schema": SCHEMA,
        "profiles": [_members(each) for each in found.tallies],
        "anomalies": [asdict(each) for each in found.anomalies],
    }
    yield json.dumps(head).removesuffix("}") + ', "events": ['
    for number, event in enumerate(events):
        yield f"{',' if number else ''}\n{json.dumps(document_of(event))}"
    yield "\n]}\n"


def _members(tally: Tally) -> dict[str, Any]:
    return {
        "profile": tally.profile,
        "logins": tally.logins,
        "renewals": tally.renewals,
        "refusals": tally.refusals,
        "last_renewal_at": tally.last_renewal_at,
        "first_event_at": tally.first_event_at,
        "last_event_at": tally.last_event_at,
        "programs": tally.programs,
    }


def lines(found: Report, events: Iterable[Event], *, plot: bool) -> Iterator[str]:
    """Write the report as lines: `anomaly`, then `event` or a plot, then `profile`. Times are UTC."""
    for anomaly in found.anomalies:
        yield _line("anomaly", utc(anomaly.at), anomaly.profile, anomaly.name, anomaly.sentence, anomaly.remedy)
    if plot:
        for name, drawn in plots(found.renewals, PLAIN, shutil.get_terminal_size().columns).items():
            yield from (clean(name), *drawn)
    else:
        for event in events:
            names = (event.profile, event.event, event.result)
            yield _line("event", utc(event.at), *names, what(event), event.asked_by or "-")
    for tally in found.tallies:
        counts = (f"{name} {getattr(tally, name)}" for name in ("logins", "renewals", "refusals"))
        yield _line("profile", tally.profile, *counts, *_times(tally), f"used by {', '.join(tally.programs) or '-'}")


def what(event: Event) -> str:
    """Say what happened, without the profile's name."""
    return clean(sentence(event).removeprefix(f"{event.profile}: "))


def warning(anomaly: Anomaly) -> str:
    """Say an anomaly in one line of stderr."""
    return f"{anomaly.profile}: {anomaly.name}: {anomaly.sentence.rstrip('.')}; see 'tokenctl audit'"


def _times(tally: Tally) -> Iterator[str]:
    for name in ("last_renewal_at", "first_event_at", "last_event_at"):
        at = getattr(tally, name)
        yield f"{name.removesuffix('_at').replace('_', ' ')} {'-' if at is None else utc(at)}"


def _line(*columns: str) -> str:
    return "\t".join(map(clean, columns))
