"""Check: the config file, the profile in use, and why it is this one."""

from collections.abc import Iterator

from tokenctl.config import environment
from tokenctl.config.config_file import config_path
from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding

NAME = "profile"


def look(case: Case) -> Iterator[Finding]:
    """Say which config file and which profile `token` uses, or why it uses none."""
    runtime = case.runtime
    if case.problem is not None and case.step == "profile":
        yield Finding(
            check=NAME,
            status="failed",
            sentence=case.problem.message,
            remedy=case.problem.hint,
            exit_status=case.problem.exit_status,
        )
        return
    if case.profile is None:
        return
    path, _ = config_path(runtime.environ, runtime.config_file)
    why = environment.reason(runtime.config, runtime.environ, case.name)
    there = str(path) if path.exists() else f"{path}, which does not exist"
    yield Finding(
        check=NAME,
        status="ok",
        sentence=f"{case.profile.name!r} is in use, because {why}; the config file is {there}",
        more={"profile": case.profile.name, "because": why, "config_file": str(path)},
    )
