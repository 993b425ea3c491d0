"""What `tokenctl helper install` and `uninstall` do: change the file of a client, and say what was changed."""

import difflib
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tokenctl.adapters.terminal import clean
from tokenctl.cli.output import answer
from tokenctl.errors import explained_on
from tokenctl.handoff.clients import changes, installing
from tokenctl.handoff.clients.changes import Asked, Change
from tokenctl.model import origin_checks
from tokenctl.runtime import Runtime

_WORD = re.compile(r"\w{3,}")


def asked(client: str, origin: str, name: str | None, file: str | None, *, replace: bool = False) -> Asked:
    """Return what the words of the command line ask for."""
    return Asked(client=client, origin=origin, profile=name, file=Path(file) if file else None, replace=replace)


@explained_on("helpers")
def install(runtime: Runtime, asked: Asked, *, dry_run: bool) -> None:
    """Set the client up; or print what would be written, as a unified diff. Raises TokenctlError."""
    asked = _exact(asked)
    if dry_run:
        _print(runtime, asked, changes.installation(runtime, asked))
        return
    found = installing.install(runtime, asked)
    say = runtime.terminal.message
    if found.before == found.after:
        say(f"{asked.client} is set up for {asked.origin} already, in {found.path}")
    else:
        say(f"set up {asked.client} for {asked.origin} in {found.path}")
        for line in _own_lines(found, asked.origin):
            say(f"  {clean(line.expandtabs(4))}")
    for script in found.scripts:
        say(f"wrote {script.path}, which calls the helper")
    for name, origin in found.bound:
        say(f"added {origin} to the hosts of {name}: it may get the token now")
    for hint in () if found.is_nothing else found.hints:
        runtime.terminal.hint(hint)
    if runtime.config_file:
        path = shlex.quote(os.path.abspath(runtime.config_file))
        runtime.terminal.hint(f"{asked.client} passes no --config: start it with TOKENCTL_CONFIG={path}")


@explained_on("helpers")
def uninstall(runtime: Runtime, asked: Asked) -> None:
    """Take our helper out of the client's file. Raises TokenctlError."""
    asked = _exact(asked)
    say = runtime.terminal.message
    for found in installing.uninstall(runtime, asked):
        if found.before == found.after and found.old != found.new:
            say(f"{found.path} is as it was before install")
        elif found.before == found.after:
            say(f"{asked.client} has no helper of ours for {asked.origin} in {found.path}; it was not changed")
        elif found.after is None:
            say(f"removed {found.path}, which install made")
        else:
            say(f"removed our helper for {asked.origin} from {found.path}")
        for name, origin in found.unbound:
            say(f"removed {origin} from the hosts of {name}, where install added it")


def _exact(asked: Asked) -> Asked:
    """Write the origin as the files have it, so that no message has another one. Raises UsageError."""
    return replace(asked, origin=origin_checks.checked(asked.origin, "--host"))


def _own_lines(found: Change, origin: str) -> Iterator[str]:
    """Yield the new lines that have no word of the lines in whose place they are: those can have secrets of others.

    A word of ours is none of theirs: a part of the origin, or our name.
    """
    ours = {*_WORD.findall(origin), "tokenctl"}
    before, after = (found.before or "").splitlines(), (found.after or "").splitlines()
    for kind, old, old_end, new, new_end in difflib.SequenceMatcher(None, before, after).get_opcodes():
        if kind in ("insert", "replace"):
            words = {word for line in before[old:old_end] for word in _WORD.findall(line)}
            yield from (
                line for line in after[new:new_end] if line.strip() and not (words - ours) & {*_WORD.findall(line)}
            )


def _print(runtime: Runtime, asked: Asked, found: Change) -> None:
    """Print the changes of the file without the lines around them: those can have secrets of others."""
    before, after = (found.before or "").splitlines(keepends=True), (found.after or "").splitlines(keepends=True)
    old = "/dev/null" if found.before is None else str(found.path)
    for line in difflib.unified_diff(before, after, old, str(found.path), n=0):
        answer("\t".join(map(clean, line.rstrip("\r\n").split("\t"))))
        if line[:1] in "+-" and not line.endswith("\n"):
            answer("\\ No newline at end of file")
    say = runtime.terminal.message
    if found.before == found.after:
        say(f"{asked.client} is set up for {asked.origin} already, in {found.path}")
    for script in found.scripts:
        say(f"would write {script.path}, which calls the helper")
    for name, origin in found.bound:
        say(f"would add {origin} to the hosts of {name}")
