"""An examination: every check of the table looks at the case, one after the other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tokenctl.doctor.case import Case
from tokenctl.doctor.checks import CHECKS, Check
from tokenctl.doctor.finding import Finding
from tokenctl.doctor.redaction import Redaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """The findings in the order of the table, the exit status that `token` would end with, and what to do first."""

    findings: tuple[Finding, ...]
    exit_status: int
    first: str | None = None
    """The remedy of the first failure; None where nothing has failed, or nothing can be done."""


def examine(case: Case, checks: Sequence[Check] = CHECKS) -> Examination:
    """Let every check look. A check that fails itself is no reason for the others not to look."""
    redaction = Redaction(case.runtime.environ)
    findings = tuple(
        _redacted(_harmless(found) if case.copied else found, redaction)
        for check in checks
        for found in _findings_of(check, case)
    )
    first = next((each.remedy for each in findings if each.status == "failed" and each.remedy), None)
    if first is None and case.problem is not None:
        first = redaction.of(case.problem.hint or case.problem.next_step or case.problem.message)
    return Examination(findings=findings, exit_status=_exit_status(case, findings), first=first)


def _findings_of(check: Check, case: Case) -> Sequence[Finding]:
    if check.online and case.offline:
        return [Finding(check=check.name, status="could not check", sentence="--offline leaves this out")]
    try:
        with case.runtime.terminal.delayed_progress(f"tokenctl: looking at: {check.meaning} "):
            return list(check.look(case))
    except Exception as error:  # its text can have a secret in it; the type cannot
        sentence = f"this check failed itself: unexpected {type(error).__name__}"
        return [Finding(check=check.name, status="could not check", sentence=sentence)]


def _harmless(found: Finding) -> Finding:
    """Make a warning of a failure: what `token` does not need now."""
    return replace(found, status="warning", exit_status=0) if found.status == "failed" else found


def _redacted(found: Finding, redaction: Redaction) -> Finding:
    remedy = None if found.remedy is None else redaction.of(found.remedy)
    return replace(found, sentence=redaction.of(found.sentence), remedy=remedy, more=redaction.of(found.more))


def _exit_status(case: Case, findings: Iterable[Finding]) -> int:
    """Return the status of the error that `token` would meet first: what needs no request comes first."""
    if case.copied:
        return 0
    if case.problem is not None:
        return case.problem.exit_status
    return next((each.exit_status for each in findings if each.status == "failed" and each.exit_status), 0)
