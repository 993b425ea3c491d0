"""Check: the anomalies that `tokenctl audit` finds, and that nobody has acknowledged."""

from collections.abc import Iterator

from tokenctl.audit.report import Scope, report
from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding
from tokenctl.doctor.trouble import finding_of
from tokenctl.errors import TokenctlError
from tokenctl.storage.event_log import open_log

NAME = "audit"


def look(case: Case) -> Iterator[Finding]:
    """Read the event log, without its lock. An anomaly stops no command, so it is a warning."""
    if case.profile is None or case.failed_at("state"):
        return
    now, scope = case.runtime.clock(), Scope(profile=case.profile.name)
    try:
        anomalies = report(open_log(case.runtime).lines(), now, scope).anomalies
    except TokenctlError as error:  # no command ends with it: the log is not written, and they warn
        yield finding_of(NAME, error, counts=False)
        return
    newest = {each.name: each for each in anomalies}
    for each in newest.values():
        yield Finding(
            check=NAME,
            status="warning",
            sentence=each.sentence.rstrip("."),
            remedy=f"tokenctl audit -p {case.profile.name}   (it says what to do)",
            more={"anomaly": each.name, "count": sum(other.name == each.name for other in anomalies)},
        )
    if not newest:
        off = '; audit = "off" keeps new events out of it' if case.profile.audit == "off" else ""
        yield Finding(check=NAME, status="ok", sentence=f"the event log has no anomaly of this profile{off}")
