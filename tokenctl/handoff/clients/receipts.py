"""The receipts: what `helper install` has written, so that `uninstall` can undo it.

They never have a token of ours. What `--replace` took out of a client's file can be a token of the person's: it must come
back, and no other text of the file is kept.

They are one private file in the state directory, for the same host, script or folder can be needed by several clients.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tokenctl.adapters.private_files import read_private, replace_private
from tokenctl.errors import UsageError
from tokenctl.handoff.clients import LINES
from tokenctl.handoff.clients.patch import Edit, Patch
from tokenctl.handoff.clients.wanted import Script, Wanted
from tokenctl.handoff.helpers.again import FOLDER
from tokenctl.storage.state_dir import profile_dir, state_home

_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A helper that is set up in a client's file: what `Wanted` was, and the paths of the scripts that it needs.

    `file` is the name that the person has for the client's file, which can be a link.
    """

    client: str
    origin: str
    profile: str
    file: str
    program: str
    named: bool
    replace: bool
    scripts: tuple[str, ...]

    def is_of(self, client: str, origin: str) -> bool:
        """Tell whether it is this client's, for this origin."""
        return (self.client, self.origin) == (client, origin)

    def wanted(self, environ: Mapping[str, str]) -> Wanted:
        """Return what was wanted of the client."""
        return Wanted(
            origin=self.origin,
            profile=self.profile,
            program=Path(self.program),
            folder=scripts_folder(environ),
            named=self.named,
            replace=self.replace,
            file=Path(self.file),
        )


def entry_of(client: str, wanted: Wanted, scripts: Iterable[Script]) -> Entry:
    """Make the entry of a helper that is wanted."""
    return Entry(
        client=client,
        origin=wanted.origin,
        profile=wanted.profile,
        file=str(wanted.file),
        program=str(wanted.program),
        named=wanted.named,
        replace=wanted.replace,
        scripts=tuple(str(each.path) for each in scripts),
    )


def with_entry(entries: Sequence[Entry], entry: Entry) -> tuple[Entry, ...]:
    """Put an entry where the one of the same client and origin was, or at the end."""
    if not any(each.is_of(entry.client, entry.origin) for each in entries):
        return (*entries, entry)
    return tuple(entry if each.is_of(entry.client, entry.origin) else each for each in entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is known of a client's file: the helpers in it, and how it was changed for all of them together.

    There are several patches only while a change is made: a run that is killed leaves one of them.
    """

    entries: tuple[Entry, ...]
    patches: tuple[Patch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipts:
    """All that was written: the files by their real path, and what exists only for them.

    `hosts` are the (profile, origin) that install has bound. `scripts` has the digest of each script by its path.
    `config` is how the config file was changed for all the hosts together. `folders` are those that install has made.
    """

    files: Mapping[str, Kept] = field(default_factory=dict)
    hosts: tuple[tuple[str, str], ...] = ()
    config: tuple[Patch, ...] = ()
    scripts: Mapping[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ()

    def entries(self) -> list[Entry]:
        """List the helpers of all files."""
        return [entry for kept in self.files.values() for entry in kept.entries]

    def joined(self, after: "Receipts") -> "Receipts":
        """Return what may be there while one state is changed into another."""
        return Receipts(
            files={
                path: _joined(self.files.get(path), after.files.get(path)) for path in {**self.files, **after.files}
            },
            hosts=tuple(dict.fromkeys((*self.hosts, *after.hosts))),
            config=tuple(dict.fromkeys((*self.config, *after.config))),
            scripts={**self.scripts, **after.scripts},
            folders=tuple(dict.fromkeys((*self.folders, *after.folders))),
        )


def _joined(before: Kept | None, after: Kept | None) -> Kept:
    if before is None or after is None:
        return before or after or Kept(entries=(), patches=())
    gone = [each for each in before.entries if not any(each.is_of(new.client, new.origin) for new in after.entries)]
    return Kept(entries=(*after.entries, *gone), patches=tuple(dict.fromkeys((*before.patches, *after.patches))))


def scripts_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of private scripts."""
    return state_home(environ) / FOLDER / "scripts"


def read(environ: Mapping[str, str]) -> Receipts:
    """Read the receipts; makes nothing. Raises UsageError or StoreUnavailable."""
    path = _path(environ)
    content = read_private(path)
    if content is None:
        return Receipts()
    said = "cannot be read"
    try:
        found = json.loads(content)
        if found["version"] == _VERSION:
            return _receipts(found)
        said = f"is of version {found['version']!r:.20}"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    hint = (
        "use the tokenctl that wrote it; or move it away: then uninstall removes our helpers, and restores nothing else"
    )
    raise UsageError(f"{path} {said}", hint=hint)


def write(environ: Mapping[str, str], receipts: Receipts) -> None:
    """Replace the receipts; where nothing is installed, there is no file. The caller holds the lock. Raises OSError."""
    path = profile_dir(environ, FOLDER) / _path(environ).name
    if receipts == Receipts():
        path.unlink(missing_ok=True)
    else:
        replace_private(path, json.dumps({"version": _VERSION, **asdict(receipts)}, indent=1).encode())


def _path(environ: Mapping[str, str]) -> Path:
    return state_home(environ) / FOLDER / "installed.json"


def _receipts(found: dict[str, Any]) -> Receipts:
    return Receipts(
        files={path: _kept(each) for path, each in found["files"].items()},
        hosts=tuple((profile, origin) for profile, origin in found["hosts"]),
        config=_patches(found["config"]),
        scripts=dict(found["scripts"]),
        folders=tuple(found["folders"]),
    )


def _kept(found: dict[str, Any]) -> Kept:
    if not all(each["client"] in LINES for each in found["entries"]):
        raise ValueError("a client that this tokenctl does not know")
    return Kept(
        entries=tuple(Entry(**{**each, "scripts": tuple(each["scripts"])}) for each in found["entries"]),
        patches=_patches(found["patches"]),
    )


def _patches(found: list[dict[str, Any]]) -> tuple[Patch, ...]:
    return tuple(Patch(**{**each, "edits": tuple(Edit(**edit) for edit in each["edits"])}) for each in found)
