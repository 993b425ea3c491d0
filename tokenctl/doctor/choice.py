"""Check: the config file, the profile in use, and why it is this one."""

import os
import shlex
from collections.abc import Iterator
from contextlib import suppress

from tokenctl.config import environment
from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding
from tokenctl.doctor.trouble import finding_of
from tokenctl.errors import UsageError

NAME = "profile"
MOST = 5
"""Mistakes of other profiles that are shown one by one: many profiles are often written by one program."""


def look(case: Case) -> Iterator[Finding]:
    """Say which config file and which profile `token` uses, or why it uses none."""
    problem = case.failed_at("profile")
    if problem is not None:
        yield finding_of(NAME, problem)
    elif case.profile is not None:
        yield _chosen(case, case.profile.name)
    if not case.has_config:
        return
    yield from _mistakes(case)
    yield from _rights(case)


def _chosen(case: Case, name: str) -> Finding:
    runtime = case.runtime
    path, why = runtime.config.path, environment.reason(runtime.config, runtime.environ, case.name)
    there = f"the config file is {path}" if os.path.exists(path) else f"there is no config file {path}"
    return Finding(
        check=NAME,
        status="ok",
        sentence=f"{name} is used, because {why}; {there}",
        more={"profile": name, "because": why, "config_file": str(path)},
    )


def _mistakes(case: Case) -> Iterator[Finding]:
    """Find the profiles that nobody asked for, and that cannot be used."""
    found = []
    for name in case.runtime.config.profiles:
        try:
            case.runtime.config.profiles[name]
        except UsageError as mistake:
            if mistake.message != getattr(case.problem, "message", None):
                found.append(mistake)
    yield from (finding_of(NAME, each, counts=False) for each in found[:MOST])
    if found[MOST:]:
        sentence = f"{len(found) - MOST} more profiles have such a mistake"
        yield Finding(check=NAME, status="warning", sentence=sentence, remedy="correct the first ones, and look again")


def _rights(case: Case) -> Iterator[Finding]:
    """Find out whether others can change the config file: it says where a refresh token is sent at a login."""
    path = case.runtime.config.path
    with suppress(OSError):
        if os.name == "posix" and path.stat().st_mode & 0o022:
            yield Finding(
                check=NAME,
                status="warning",
                sentence=f"other users can write to {path}, which says where to sign in",
                remedy=f"chmod go-w {shlex.quote(str(path))}",
            )
