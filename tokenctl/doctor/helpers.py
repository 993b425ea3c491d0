"""Check: the helpers that `tokenctl helper install` has set up, and whether they would answer."""

from collections.abc import Iterator

from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding
from tokenctl.doctor.trouble import finding_of
from tokenctl.errors import TokenctlError
from tokenctl.handoff.clients import status
from tokenctl.handoff.clients.status import Installed

NAME = "helpers"


def look(case: Case) -> Iterator[Finding]:
    """Look at the helpers of the profile of `-p`, else at all: a client finds its profile by the origin.

    `token` works also where a helper does not, so a problem is a warning. Several helpers can have the same one.
    """
    try:
        found = status.installed(case.runtime, case.name)
    except TokenctlError as error:  # the receipts cannot be read
        yield finding_of(NAME, error, counts=False)
        return
    silent: dict[tuple[str, str | None], list[Installed]] = {}
    for each in found:
        if each.problem is not None:
            silent.setdefault((each.problem, each.remedy), []).append(each)
    for (problem, remedy), those in silent.items():
        yield Finding(
            check=NAME,
            status="warning",
            sentence=f"no token for {_listed(those)}: {problem}",
            remedy=remedy,
            more={"helpers": [each.document() for each in those]},
        )
    good = [each for each in found if each.problem is None]
    if good or not found:
        sentence = f"{_listed(good)} would get a token" if good else "no helper is installed"
        more = {"helpers": [each.document() for each in good]}
        yield Finding(check=NAME, status="ok", sentence=sentence, more=more)


def _listed(helpers: list[Installed]) -> str:
    return ", ".join(f"{each.client} at {each.origin}" for each in helpers)
