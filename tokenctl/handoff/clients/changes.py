"""What `helper install` and `helper uninstall` would change. Nothing is written here."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tokenctl.adapters import edited_files
from tokenctl.config import config_file, environment
from tokenctl.config.config_file import Config
from tokenctl.errors import UsageError
from tokenctl.handoff.clients import bound_hosts, client, client_file, companions, file_text, program, receipts
from tokenctl.handoff.clients.patch import patch
from tokenctl.handoff.clients.receipts import Entry, Kept, Receipts
from tokenctl.handoff.clients.wanted import Script, Wanted
from tokenctl.model import origin_checks
from tokenctl.runtime import Runtime

_NOTHING = Kept(entries=(), patches=())


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

    `scripts` and `bound`, of (profile, origin), are those that must be written first; `unbound` are those that the config
    file has no more afterwards.
    """

    path: Path
    before: str | None
    after: str | None
    old: Receipts
    new: Receipts
    bound: tuple[tuple[str, str], ...] = ()
    unbound: tuple[tuple[str, str], ...] = ()
    scripts: tuple[Script, ...] = ()
    hints: tuple[str, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Tell whether all is there already."""
        return self.before == self.after and self.old == self.new and not self.bound and not self.scripts


def installation(runtime: Runtime, asked: Asked) -> Change:
    """Return what sets a client up. Raises UsageError."""
    environ, found = runtime.environ, client(asked.client)
    config = config_file.load(environ, runtime.config_file)
    wanted = _wanted(runtime, config, asked)
    path = edited_files.real_path(wanted.file)
    old = receipts.read(environ)
    scripts = tuple(found.scripts(environ, wanted))
    for script in scripts:
        companions.check_script(script, old.scripts)
    before = client_file.read(path)
    entry = receipts.entry_of(asked.client, wanted, scripts)
    after, kept = _set_up(runtime, before, old.files.get(str(path), _NOTHING), entry)
    is_bound = wanted.origin in config.profiles[wanted.profile].hosts
    bound = () if is_bound else ((wanted.profile, wanted.origin),)
    return Change(
        path=path,
        before=before,
        after=after,
        old=old,
        new=_receipts_after(runtime, old, _added(old, str(path), kept, bound, scripts)),
        bound=bound,
        scripts=tuple(each for each in scripts if not companions.is_written(each)),
        hints=tuple(found.hints(wanted)),
    )


def _wanted(runtime: Runtime, config: Config, asked: Asked) -> Wanted:
    """Return what the client is to have. Raises UsageError."""
    origin = origin_checks.checked(asked.origin, "--host")
    return Wanted(
        origin=origin,
        profile=_profile(runtime, config, asked.profile, origin),
        program=program.path(),
        folder=receipts.scripts_folder(runtime.environ),
        named=asked.profile is not None,
        replace=asked.replace,
        file=_file(runtime, asked),
    )


def _set_up(runtime: Runtime, before: str | None, kept: Kept, entry: Entry) -> tuple[str | None, Kept]:
    """Return the text with a helper, and what is kept of that. Raises UsageError."""
    entries = receipts.with_entry(kept.entries, entry)
    if before is not None and client(entry.client).is_there(before, entry.wanted(runtime.environ)):
        return before, Kept(entries=entries, patches=kept.patches or (patch(before, before),))
    base = file_text.without_ours(runtime.environ, before, kept)
    after = file_text.with_entries(runtime.environ, base, entries)
    return after, Kept(entries=entries, patches=(patch(base, after),))


def files_of(runtime: Runtime, asked: Asked, origin: str) -> list[Path]:
    """List the files that have a helper; without a receipt, the client's usual one. Raises UsageError."""
    known = receipts.read(runtime.environ).files
    found = [Path(path) for path, kept in known.items() for each in kept.entries if _is_asked(each, asked, origin)]
    return found if found and asked.file is None else [edited_files.real_path(_file(runtime, asked))]


def removal(runtime: Runtime, asked: Asked, origin: str, path: Path) -> Change:
    """Return what takes a helper out of a file. Raises UsageError."""
    environ, old = runtime.environ, receipts.read(runtime.environ)
    before = after = client_file.read(path)
    kept = old.files.get(str(path), _NOTHING)
    gone = next((each for each in kept.entries if _is_asked(each, asked, origin)), None)
    if gone is None:  # the receipts are lost, or install did not write it
        folder = receipts.scripts_folder(environ)
        wanted = Wanted(origin=origin, profile="", program=program.path(), folder=folder, file=_file(runtime, asked))
        after = None if before is None else client(asked.client).removed(before, wanted)
        return Change(path=path, before=before, after=after, old=old, new=old)
    files = {name: each for name, each in old.files.items() if name != str(path)}
    base = after = file_text.without_ours(environ, before, kept)
    left = tuple(each for each in kept.entries if each != gone)
    if left:
        after = file_text.with_entries(environ, base, left)
        files[str(path)] = Kept(entries=left, patches=(patch(base, after),))
    new = _receipts_after(runtime, old, replace(old, files=files))
    unbound = bound_hosts.there(runtime, [each for each in old.hosts if each not in new.hosts])
    return Change(path=path, before=before, after=after, old=old, new=new, unbound=unbound)


def _file(runtime: Runtime, asked: Asked) -> Path:
    """Return the client's file by the name that the person has for it."""
    return Path(os.path.abspath((asked.file or client(asked.client).path(runtime.environ)).expanduser()))


def _profile(runtime: Runtime, config: Config, named: str | None, origin: str) -> str:
    """Choose the profile: the named one, else the one that binds the origin, else the usual one. Raises UsageError."""
    named = named or runtime.environ.get("TOKENCTL_PROFILE") or None
    binding = [each.name for each in environment.readable(config) if origin in each.hosts]
    chosen = environment.of_file(config, named or (binding[0] if binding else None)).name
    others = [each for each in binding if each != chosen]
    if others:
        raise environment.bound_twice([chosen, *others], origin, origin)
    return chosen


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


def _receipts_after(runtime: Runtime, old: Receipts, found: Receipts) -> Receipts:
    """Leave out the hosts, scripts and folders that no helper needs, and tell how the config file is changed.

    Raises UsageError.
    """
    entries = found.entries()
    needed = {script for each in entries for script in each.scripts}
    paths = [Path(each) for each in (*found.files, *needed)]
    hosts = tuple(pair for pair in found.hosts if any(pair == (each.profile, each.origin) for each in entries))
    return replace(
        found,
        hosts=hosts,
        config=bound_hosts.patches(runtime, old, hosts),
        scripts={path: digest for path, digest in found.scripts.items() if path in needed},
        folders=tuple(each for each in found.folders if any(Path(each) in path.parents for path in paths)),
    )
