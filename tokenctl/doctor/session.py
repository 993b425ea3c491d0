"""Check: the session's state, and how long its token lives."""

from collections.abc import Iterator

from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding

NAME = "session"


def look(case: Case) -> Iterator[Finding]:
    """Say how the session stands."""
    if case.problem is not None and case.step == "session":
        yield Finding(
            check=NAME,
            status="failed",
            sentence=case.problem.message,
            remedy=case.problem.hint,
            exit_status=case.problem.exit_status,
        )
    elif case.state is not None:
        yield Finding(check=NAME, status="ok", sentence=f"the session is {case.state}")
