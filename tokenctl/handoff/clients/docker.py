"""docker: the member `credHelpers` of its config.json, which podman, skopeo and buildah read too."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from tokenctl.handoff.clients import json_text
from tokenctl.handoff.clients.wanted import Foreign, Script, Unreadable, Wanted

_HELPER = "tokenctl"
"""What docker calls docker-credential-tokenctl. It looks for that on PATH, and passes no words of ours."""
_KEY = "credHelpers"


def path(environ: Mapping[str, str]) -> Path:
    """Return the file that docker reads for this person."""
    folder = environ.get("DOCKER_CONFIG")
    return Path(folder or Path(environ.get("HOME") or Path.home()) / ".docker") / "config.json"


def is_there(text: str, wanted: Wanted) -> bool:
    """Tell whether our helper is set up for the registry."""
    try:
        return _helper(text, wanted)[1] == _HELPER
    except Unreadable:
        return False


def added(text: str, wanted: Wanted) -> str:
    """Return the text with our helper. Raises Unreadable, Foreign."""
    key, helper = _helper(text, wanted)
    if helper not in (None, _HELPER) and not wanted.replace:
        raise Foreign(
            f"{wanted.file} has another helper for {_registry(wanted)}: {helper!r:.60}",
            hint="add --replace to replace it; uninstall puts it back",
        )
    return json_text.with_member(text, (key, _registry(wanted)), _HELPER, unit="\t")


def removed(text: str, wanted: Wanted) -> str:
    """Return the text without our helper. Raises Unreadable."""
    key, helper = _helper(text, wanted)
    return json_text.without_member(text, (key, _registry(wanted))) if helper == _HELPER else text


def scripts(environ: Mapping[str, str], wanted: Wanted) -> Sequence[Script]:
    """List no scripts: docker calls docker-credential-tokenctl."""
    return ()


def hints(wanted: Wanted) -> Sequence[str]:
    """Tell where docker must find docker-credential-tokenctl."""
    name = f"docker-credential-{_HELPER}"
    folder = wanted.program.parent
    return () if shutil.which(name) else (f"docker looks for {name} on its PATH: add {folder} to it",)


def _registry(wanted: Wanted) -> str:
    """Return what docker calls the registry: the host and the port."""
    return wanted.origin.partition("://")[2]


def _helper(text: str, wanted: Wanted) -> tuple[str, object]:
    """Return the name of `credHelpers` as the file has it, for docker ignores its case, and the registry's helper.

    Raises Unreadable.
    """
    try:
        config = json_text.read(text)
        keys = [each for each in config if each.lower() == _KEY.lower()]
        if len(keys) > 1:
            raise ValueError(f"it has {_KEY} twice")
        key = keys[0] if keys else _KEY
        helpers = config.get(key, {})
        if not isinstance(helpers, dict):
            raise ValueError(f"{key} is not an object")
    except ValueError as reason:
        raise Unreadable(f"{wanted.file} cannot be read as docker reads it: {reason}") from None
    return key, helpers.get(_registry(wanted))
