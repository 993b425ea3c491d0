"""The findings of the doctor, as a document and as lines for a pipe. There is no secret in them."""

from typing import Any

from tokenctl.adapters.terminal import clean
from tokenctl.doctor.examination import Examination

SCHEMA = 1


def document(found: Examination) -> dict[str, Any]:
    """Describe an examination. A new version can add members, and never removes one."""
    return {
        "schema": SCHEMA,
        "exit_status": found.exit_status,
        "findings": [
            {"check": each.check, "status": each.status, "sentence": each.sentence, "remedy": each.remedy, **each.more}
            for each in found.findings
        ],
    }


def lines(found: Examination) -> list[str]:
    """Write each finding as a line `status: check: sentence`, and its remedy below it; at the end, what to do first."""
    written = []
    for each in found.findings:
        written.append(f"{each.status}: {each.check}: {clean(each.sentence)}")
        written += [f"  remedy: {clean(each.remedy)}"] if each.remedy else []
    return [*written, verdict(found)]


def verdict(found: Examination) -> str:
    """Say what to do first, or that all is well; and with which status `token` would end."""
    first = next((each for each in found.findings if each.status == "failed"), None)
    end = f"'tokenctl token' would end with {found.exit_status}"
    if first is None:
        return f"all is well: {end}" if not found.exit_status else end
    return f"{end}; do this first: {clean(first.remedy or first.sentence)}"
