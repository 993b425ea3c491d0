"""What is installed where, and whether it would answer. Reads only: no network, no renewal, and nothing is written."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenctl.broker.lifecycle import can_begin
from tokenctl.broker.standing import standing
from tokenctl.config import environment
from tokenctl.errors import TokenctlError, UsageError
from tokenctl.handoff.clients import client, client_file, receipts
from tokenctl.handoff.clients.receipts import Entry
from tokenctl.model.session_state import logged_out
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A helper that `helper install` has set up.

    `problem` says why the client gets no token, and `remedy` what to do; None where it would get one.
    `in_file` tells whether the client's file still has it.
    """

    client: str
    origin: str
    profile: str
    file: str
    in_file: bool
    problem: str | None
    remedy: str | None

    def document(self) -> dict[str, Any]:
        """Describe it, for programs."""
        return {
            "client": self.client,
            "origin": self.origin,
            "profile": self.profile,
            "file": self.file,
            "installed": self.in_file,
            "answers": self.problem is None,
            "problem": self.problem,
            "remedy": self.remedy,
        }


def installed(runtime: Runtime, name: str | None = None) -> list[Installed]:
    """List the helpers of the receipts, in the order of their files: those of one profile, or all.

    The sessions of other profiles are not read. Raises UsageError, StoreUnavailable.
    """
    sessions: dict[str, tuple[str, str | None] | None] = {}
    found = []
    for path, kept in receipts.read(runtime.environ).files.items():
        for entry in kept.entries:
            if name not in (None, entry.profile):
                continue
            problem = _of_file(runtime, path, entry)
            in_file = problem is None
            problem = problem or _of_program(entry) or _of_binding(runtime, entry)
            if problem is None:
                if entry.profile not in sessions:
                    sessions[entry.profile] = _of_session(runtime, entry.profile)
                problem = sessions[entry.profile]
            found.append(
                Installed(
                    client=entry.client,
                    origin=entry.origin,
                    profile=entry.profile,
                    file=entry.file,
                    in_file=in_file,
                    problem=problem[0] if problem else None,
                    remedy=problem[1] if problem else None,
                )
            )
    return found


def _again(entry: Entry) -> str:
    named = f" -p {entry.profile}" if entry.named else ""
    return f"tokenctl helper install {entry.client} --host {entry.origin}{named}"


def _of_file(runtime: Runtime, path: str, entry: Entry) -> tuple[str, str | None] | None:
    """Tell what is wrong with the client's file; None when our helper is in it."""
    try:
        text = client_file.read(Path(path))
        there = client(entry.client).is_there(text or "", entry.wanted(runtime.environ))
    except UsageError as error:
        return error.message, error.hint
    if not there:
        return f"{path} does not have our helper as install wrote it", _again(entry)
    gone = next((each for each in entry.scripts if not os.access(each, os.X_OK)), None)
    return (f"{gone} is gone", _again(entry)) if gone else None


def _of_program(entry: Entry) -> tuple[str, str | None] | None:
    if os.access(entry.program, os.X_OK):
        return None
    return f"it calls {entry.program}, which is gone", _again(entry)


def _of_binding(runtime: Runtime, entry: Entry) -> tuple[str, str | None] | None:
    """Tell what keeps the profile from answering for the origin."""
    try:
        if entry.origin not in environment.of_file(runtime.config, entry.profile).hosts:
            change = f"tokenctl profile set {entry.profile} hosts+={entry.origin}"
            return f"profile {entry.profile!r} is not bound to {entry.origin}", change
        environment.bound_to(runtime.config, entry.origin)
    except TokenctlError as error:
        return error.message, error.hint
    return None


def _of_session(runtime: Runtime, name: str) -> tuple[str, str | None] | None:
    """Tell why the profile has no token, as `show` would."""
    try:
        profile = environment.of_file(runtime.config, name)
        vault = vaults.open_kept(runtime, profile)
        if vault is None and not profile.by_machine:
            raise logged_out(profile)
        vault = vault or vaults.open(runtime, profile)
        session = vault.newest()
        problem = standing(runtime, vault, session, profile.min_ttl).problem
        if problem is None or can_begin(runtime, vault, session):
            return None
    except TokenctlError as error:
        problem = error
    return problem.message, problem.hint
