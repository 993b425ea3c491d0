"""The findings of the doctor, as a document and as lines for a pipe. There is no secret in them."""

from collections import Counter
from typing import Any

from tokenctl.adapters.terminal import clean
from tokenctl.doctor.examination import Examination
from tokenctl.doctor.finding import Finding

SCHEMA = 1


def document(found: Examination) -> dict[str, Any]:
    """Describe an examination. A new version can add members, and never removes one."""
    return {
        "schema": SCHEMA,
        "exit_status": found.exit_status,
        "findings": list(map(_document, found.findings)),
    }


def _document(found: Finding) -> dict[str, Any]:
    named = {"check": found.check, "status": found.status, "sentence": found.sentence, "remedy": found.remedy}
    return named | {name: value for name, value in found.more.items() if name not in named}


def lines(found: Examination) -> list[str]:
    """Write each finding as a line `status: check: sentence`, and its remedy below it; at the end, what to do first."""
    written = []
    for each in found.findings:
        written.append(f"{each.status}: {each.check}: {clean(each.sentence)}")
        written += [f"  remedy: {clean(each.remedy)}"] if each.remedy else []
    return [*written, verdict(found)]


def verdict(found: Examination) -> str:
    """Say what to do first, or that all is well; and with which status `token` would end."""
    counted = Counter(each.status for each in found.findings)
    end = f"'tokenctl token' would end with {found.exit_status}"
    if found.exit_status or counted["failed"]:
        first = clean(found.first or "")
        if first.endswith("?"):  # `did you mean ...?` is nothing to do
            return f"{end}; {first}"
        return f"{end}; do this first: {first}" if first else end
    if counted["warning"]:
        return f"{end}; see the {'warning' if counted['warning'] == 1 else 'warnings'}"
    return f"as far as it could be checked, {end}" if counted["could not check"] else f"all is well: {end}"
