"""A case for the doctor's checks, made in this process: a profile, its vault and what the vault has."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from tests.support.flows import here
from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding
from tokenctl.errors import StoreError
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.model.store import Store
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults


def case_of(profile: Profile, environ: Mapping[str, str] = {}, *, store: Store | None = None, **members: Any) -> Case:
    """Make a case as the doctor does, for a profile that needs no config file. `members` are more of the case."""
    runtime = Runtime(here(environ), store=store)
    runtime.look_only()
    vault = vaults.open(runtime, profile)
    session: Session | None = None
    problem = None
    try:
        session = vault.newest()
    except StoreError as error:
        problem = error
    found = {"session": session, "problem": problem, **members}
    return Case(runtime=runtime, name=profile.name, profile=profile, vault=vault, **found)


def by_check(findings: Iterable[Finding]) -> dict[str, Finding]:
    """Name each finding by its check; the last one where a check has several."""
    return {each.check: each for each in findings}


def statuses(findings: Iterable[Finding]) -> list[tuple[str, str, int]]:
    """Tell what was found, without the sentences."""
    return [(each.check, each.status, each.exit_status) for each in findings]


def said(findings: Iterable[Finding]) -> str:
    """Tell all that the findings say."""
    return "\n".join(f"{each.sentence} / {each.remedy} / {dict(each.more)}" for each in findings)


def process_environ(**more: str) -> dict[str, str]:
    """Tell the environment of this process, and more."""
    return {**os.environ, **more}
