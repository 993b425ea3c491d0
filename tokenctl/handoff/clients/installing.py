"""`helper install` and `helper uninstall`: plan a change whole, write the receipts, make the change, settle the receipts.

A run that is killed at any point leaves receipts of everything that it may have written: the next one completes or
undoes it. A failure is undone at once.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tokenctl.adapters import edited_files
from tokenctl.config import config_file, environment
from tokenctl.config.config_file import Config
from tokenctl.errors import UsageError
from tokenctl.handoff.clients import change, client, client_file, companions, program, receipts
from tokenctl.handoff.clients.patch import patch
from tokenctl.handoff.clients.receipts import Entry, Kept, Receipts
from tokenctl.handoff.clients.wanted import Script, Wanted
from tokenctl.model import origin_checks
from tokenctl.runtime import Runtime
from tokenctl.storage.lock import exclusive_config

_ATTEMPTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person asks for: a client and an origin, as typed; `profile` is the name of `-p`, and `file` another file."""

    client: str
    origin: str
    profile: str | None = None
    file: Path | None = None
    replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What install or uninstall changes: the text of one file, and the receipts before and after.

    `scripts` and `bound`, of (profile, origin), are those that must be written first.
    """

    path: Path
    before: str | None
    after: str | None
    old: Receipts
    new: Receipts
    profile: str
    bound: tuple[tuple[str, str], ...] = ()
    scripts: tuple[Script, ...] = ()
    hints: tuple[str, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Tell whether all is there already."""
        return self.before == self.after and self.old == self.new and not self.bound and not self.scripts

    @property
    def unbound(self) -> list[tuple[str, str]]:
        """The (profile, origin) that are removed from the config file."""
        return [each for each in self.old.hosts if each not in self.new.hosts]


def planned(runtime: Runtime, asked: Asked) -> Change:
    """Plan an installation, and change nothing. Raises UsageError."""
    config = config_file.load(runtime.environ, runtime.config_file)
    origin = origin_checks.checked(asked.origin, "--host")
    name = _profile(runtime, config, asked.profile, origin)
    found, environ = client(asked.client), runtime.environ
    shown = Path(os.path.abspath((asked.file or found.path(environ)).expanduser()))
    path = edited_files.real_path(shown)
    old = receipts.read(environ)
    wanted = Wanted(
        origin=origin,
        profile=name,
        program=program.path(),
        folder=receipts.scripts_folder(environ),
        named=asked.profile is not None,
        replace=asked.replace,
        file=shown,
    )
    scripts = tuple(found.scripts(environ, wanted))
    for script in scripts:
        companions.check_script(script, old.scripts)
    entry = _entry(asked.client, wanted, scripts)
    before = client_file.read(path)
    kept = old.files.get(str(path), Kept(entries=(), patches=()))
    after: str | None
    if before is not None and found.is_there(before, wanted):
        after, kept = before, replace(kept, entries=_with(kept.entries, entry))
    else:
        base = change.without_ours(environ, str(path), before, kept)
        entries = _with(kept.entries, entry)
        after = change.with_entries(environ, str(path), base, entries)
        kept = Kept(entries=entries, patches=(patch(base, after),))
    bound = () if origin in config.profiles[name].hosts else ((name, origin),)
    return Change(
        path=path,
        before=before,
        after=after,
        old=old,
        new=_needed(_added(old, str(path), kept, bound, scripts)),
        profile=name,
        bound=bound,
        scripts=tuple(each for each in scripts if not companions.is_written(each)),
        hints=tuple(found.hints(wanted)),
    )


def install(runtime: Runtime, asked: Asked) -> Change:
    """Set a client up. Raises UsageError, Busy, StoreUnavailable."""
    with exclusive_config(runtime.environ):
        for _ in range(_ATTEMPTS):
            found = planned(runtime, asked)
            if found.is_nothing or _made(runtime, found):
                return found
    raise _restless(found.path)


def uninstall(runtime: Runtime, asked: Asked) -> list[Change]:
    """Take our helper out of each file where install has put it; without a receipt, out of the client's usual file.

    Raises UsageError, Busy, StoreUnavailable.
    """
    origin = origin_checks.checked(asked.origin, "--host")
    with exclusive_config(runtime.environ):
        old = receipts.read(runtime.environ)
        usual = (asked.file or client(asked.client).path(runtime.environ)).expanduser()
        usual = edited_files.real_path(Path(os.path.abspath(usual)))
        paths = [
            path for path, kept in old.files.items() if any(_is_asked(each, asked, origin) for each in kept.entries)
        ]
        if asked.file is not None or not paths:
            paths = [str(usual)]
        return [_uninstalled(runtime, asked, origin, path) for path in paths]


def _uninstalled(runtime: Runtime, asked: Asked, origin: str, path: str) -> Change:
    for _ in range(_ATTEMPTS):
        found = _removal(runtime, asked, origin, path)
        if found.is_nothing or _made(runtime, found):
            return found
    raise _restless(Path(path))


def _removal(runtime: Runtime, asked: Asked, origin: str, path: str) -> Change:
    environ, old = runtime.environ, receipts.read(runtime.environ)
    before = client_file.read(Path(path))
    kept = old.files.get(path, Kept(entries=(), patches=()))
    gone = next((each for each in kept.entries if _is_asked(each, asked, origin)), None)
    files = {name: each for name, each in old.files.items() if name != path}
    if gone is None:  # the receipts are lost, or install did not write it
        folder = receipts.scripts_folder(environ)
        wanted = Wanted(
            origin=origin, profile=asked.profile or "", program=program.path(), folder=folder, file=Path(path)
        )
        after = None if before is None else client(asked.client).removed(before, wanted)
        return Change(path=wanted.file, before=before, after=after, old=old, new=old, profile=wanted.profile)
    base = change.without_ours(environ, path, before, kept)
    left = tuple(each for each in kept.entries if each != gone)
    after = change.with_entries(environ, path, base, left) if left else base
    if left:
        files[path] = Kept(entries=left, patches=(patch(base, after),))
    new = _needed(replace(old, files=files))
    return Change(path=Path(path), before=before, after=after, old=old, new=new, profile=gone.profile)


def _made(runtime: Runtime, found: Change) -> bool:
    """Make a change, and tell whether it was possible: not where somebody has changed the file meanwhile."""
    if found.before != found.after:
        client_file.check(found.path)
    both, state = found.old.joined(found.new), found.old
    try:
        receipts.write(runtime.environ, both)
        for script in found.scripts:
            companions.write_script(script)
        companions.bind(runtime, found.bound)
        if client_file.replace(found.path, found.before, found.after):
            state = found.new
    except OSError as reason:
        raise UsageError(f"{reason.filename or found.path} cannot be written: {reason.strerror}") from None
    finally:
        companions.remove(runtime, both, state)
        receipts.write(runtime.environ, state)
    return state is found.new


def _profile(runtime: Runtime, config: Config, named: str | None, origin: str) -> str:
    """Choose the profile: the named one, else the one that binds the origin, else the usual one. Raises UsageError."""
    named = named or runtime.environ.get("TOKENCTL_PROFILE") or None
    binding = [each.name for each in environment.readable(config) if origin in each.hosts]
    chosen = environment.of_file(config, named or (binding[0] if binding else None)).name
    others = [each for each in binding if each != chosen]
    if others:
        raise environment.bound_twice([chosen, *others], origin, origin)
    return chosen


def _entry(name: str, wanted: Wanted, scripts: Sequence[Script]) -> Entry:
    return Entry(
        client=name,
        origin=wanted.origin,
        profile=wanted.profile,
        program=str(wanted.program),
        named=wanted.named,
        replace=wanted.replace,
        scripts=tuple(str(each.path) for each in scripts),
    )


def _with(entries: Sequence[Entry], entry: Entry) -> tuple[Entry, ...]:
    """Put an entry in the place of the one of the same client and origin, or at the end."""
    if not any(each.is_of(entry.client, entry.origin) for each in entries):
        return (*entries, entry)
    return tuple(entry if each.is_of(entry.client, entry.origin) else each for each in entries)


def _is_asked(entry: Entry, asked: Asked, origin: str) -> bool:
    """Tell whether a helper is to be taken out. Raises UsageError where another profile is named than was installed."""
    if entry.is_of(asked.client, origin) and asked.profile not in (None, entry.profile):
        raise UsageError(
            f"{asked.client} is set up for {origin} with profile {entry.profile!r}, not with {asked.profile!r:.70}",
            hint="leave -p out",
        )
    return entry.is_of(asked.client, origin)


def _added(
    old: Receipts, path: str, kept: Kept, bound: Sequence[tuple[str, str]], scripts: Sequence[Script]
) -> Receipts:
    """Return the receipts with a file, and with all that must be made for it."""
    made = companions.missing_folders([Path(path), *(each.path for each in scripts)])
    return Receipts(
        files={**old.files, path: kept},
        hosts=tuple(dict.fromkeys((*old.hosts, *bound))),
        scripts={**old.scripts, **{str(each.path): companions.digest(each.content) for each in scripts}},
        folders=tuple(dict.fromkeys((*old.folders, *made))),
    )


def _needed(found: Receipts) -> Receipts:
    """Leave out the hosts, scripts and folders that no helper needs."""
    entries = found.entries()
    needed = {script for each in entries for script in each.scripts}
    paths = [Path(each) for each in (*found.files, *needed)]
    return replace(
        found,
        hosts=tuple(pair for pair in found.hosts if any(pair == (each.profile, each.origin) for each in entries)),
        scripts={path: digest for path, digest in found.scripts.items() if path in needed},
        folders=tuple(each for each in found.folders if any(Path(each) in path.parents for path in paths)),
    )


def _restless(path: Path) -> UsageError:
    return UsageError(f"{path} cannot be changed: another program changes it again and again")
