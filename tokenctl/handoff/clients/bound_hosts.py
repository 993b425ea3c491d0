"""The origins that install adds to the `hosts` of profiles: the config file gets its old bytes again when they go."""

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from tokenctl.adapters import edited_files
from tokenctl.config import config_file, editing
from tokenctl.errors import UsageError
from tokenctl.handoff.clients.patch import Patch, digest, patch
from tokenctl.handoff.clients.receipts import Receipts
from tokenctl.runtime import Runtime

_ATTEMPTS = 20

Hosts = tuple[tuple[str, str], ...]
"""Pairs of a profile's name and an origin."""


def patches(runtime: Runtime, known: Receipts, hosts: Hosts) -> tuple[Patch, ...]:
    """Return how the config file will differ from the one without hosts of ours. Raises UsageError."""
    before = _read(_path(runtime))
    if before is None or not hosts:
        return ()
    after = _with(_path(runtime), before, known, hosts)
    return known.config if after == before else (patch(_without(_path(runtime), before, known), after),)


def there(runtime: Runtime, hosts: Collection[tuple[str, str]]) -> Hosts:
    """Return those of the hosts that the config file has. Raises UsageError."""
    text = (_read(_path(runtime)) if hosts else None) or ""
    return tuple((profile, origin) for profile, origin in hosts if origin in _listed(text, profile))


def write(runtime: Runtime, known: Receipts, hosts: Hosts) -> None:
    """Bind these origins, and of those that the receipts know no other. The caller holds the config file's lock.

    Raises UsageError.
    """
    path = _path(runtime)
    for _ in range(_ATTEMPTS):
        before = _read(path)
        after = None if before is None else _with(path, before, known, hosts)
        if before is None or after is None or before == after:
            return
        try:
            if edited_files.replace(path, before.encode(), after.encode()):
                return
        except OSError as reason:
            raise UsageError(f"{path} cannot be changed: {reason.strerror}") from None
    raise UsageError(f"{path} cannot be changed: another program changes it again and again")


def _path(runtime: Runtime) -> Path:
    return edited_files.real_path(config_file.config_path(runtime.environ, runtime.config_file)[0])


def _read(path: Path) -> str | None:
    content = edited_files.read(path, "name another one with --config")
    if content is None:
        return None
    config_file.check(config_file.parse(path, content))
    return content.decode()


def _with(path: Path, text: str, known: Receipts, hosts: Hosts) -> str:
    if hosts == known.hosts and not _missing(text, hosts):
        return text
    text = _without(path, text, known)
    for profile, origin in _missing(text, hosts):
        text = editing.changed(path, text, profile, {"hosts": [*_listed(text, profile), origin]})
    return text


def _without(path: Path, text: str, known: Receipts) -> str:
    """Return the text as it was before install; where somebody changed it since, with their changes."""
    for each in reversed(known.config):
        if digest(text) == each.after:
            return each.undone(text) or ""
        if digest(text) == each.before:
            return text  # a run was killed before it changed the file, or somebody undid it
    for each in known.config[-1:]:
        undone = each.undone_in(text)
        if undone is not None and _meaning(undone, ()) == _meaning(text, known.hosts):
            return undone
    for profile, origin in known.hosts:
        listed = _listed(text, profile)
        if origin in listed:
            left = [each for each in listed if each != origin]
            text = editing.changed(path, text, profile, {"hosts": left} if left else {}, () if left else ("hosts",))
    return text


def _missing(text: str, hosts: Hosts) -> Hosts:
    """Return what is not bound yet, of the profiles that are still there."""
    profiles = _profiles(text)
    return tuple(each for each in hosts if each[0] in profiles and each[1] not in _listed(text, each[0]))


def _listed(text: str, profile: str) -> list[str]:
    """Return the hosts of a profile as they are written; none where the profile is gone."""
    found: list[str] = _profiles(text).get(profile, {}).get("hosts", [])
    return found


def _profiles(text: str) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(text.removeprefix("\ufeff")).get("profiles", {})
    return found


def _meaning(text: str, gone: Collection[tuple[str, str]]) -> dict[str, Any]:
    """Return what the profiles have, without some hosts; no list of hosts is an empty one."""
    return {
        name: {**table, "hosts": [each for each in table.get("hosts", []) if (name, each) not in gone]}
        for name, table in _profiles(text).items()
    }
