"""uv: `keyring-provider` of its uv.toml, and `authenticate` of each index there that is at the origin.

uv asks the program `keyring`, and that asks our backend. What install writes has a comment, since the same words can be
the person's own.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenctl.handoff.clients import toml_text
from tokenctl.handoff.clients.program import keyring_hint
from tokenctl.handoff.clients.wanted import Foreign, Script, Unreadable, Wanted

_PROVIDER = "keyring-provider"
_ALWAYS = "authenticate"


def path(environ: Mapping[str, str]) -> Path:
    """Return the file that uv reads for this person."""
    if environ.get("UV_CONFIG_FILE"):
        return Path(environ["UV_CONFIG_FILE"])
    folder = environ.get("XDG_CONFIG_HOME", "")
    home = Path(environ.get("HOME") or Path.home())
    return (Path(folder) if os.path.isabs(folder) else home / ".config") / "uv" / "uv.toml"


def is_there(text: str, wanted: Wanted) -> bool:
    """Tell whether uv asks keyring, and does so for each index at the origin."""
    try:
        found = _read(text, wanted)
    except Unreadable:
        return False
    return found.get(_PROVIDER) == "subprocess" and not _silent(found, wanted)


def added(text: str, wanted: Wanted) -> str:
    """Return the text with what makes uv ask. Raises Unreadable, Foreign."""
    found = _read(text, wanted)
    provider = found.get(_PROVIDER)
    if provider not in (None, "subprocess") and not wanted.replace:
        raise Foreign(
            f"{wanted.file} has {_PROVIDER} {provider!r:.40}",
            hint="add --replace to replace it; uninstall puts it back",
        )
    try:
        if provider not in (None, "subprocess"):
            text = toml_text.without_value(text, (_PROVIDER,))
        if provider != "subprocess":
            text = toml_text.with_value(text, (_PROVIDER,), "subprocess", mark=True)
        for number in _silent(found, wanted):
            text = toml_text.with_value(text, ("index", number, _ALWAYS), "always", mark=True)
    except ValueError as reason:
        raise Unreadable(f"{wanted.file}: {reason}", hint="write it there by hand") from None
    return text


def removed(text: str, wanted: Wanted) -> str:
    """Return the text without the lines that have our comment. Raises Unreadable."""
    found = _read(text, wanted)
    try:
        for number, index in enumerate(_indexes(found)):
            if index.get(_ALWAYS) == "always" and _is_at(index, wanted):
                text = toml_text.without_marked(text, ("index", number, _ALWAYS))
        return toml_text.without_marked(text, (_PROVIDER,)) if _PROVIDER in found else text
    except ValueError as reason:
        raise Unreadable(f"{wanted.file}: {reason}", hint="remove it there by hand") from None


def scripts(environ: Mapping[str, str], wanted: Wanted) -> Sequence[Script]:
    """List no scripts: uv calls keyring."""
    return ()


def hints(wanted: Wanted) -> Sequence[str]:
    """Tell when uv asks, and which keyring it must find."""
    return [
        "uv asks for an index whose URL has a user name: https://oauth2@...; or whose [[index]] has "
        f"{_ALWAYS} = 'always' without default = true",
        *keyring_hint(wanted.program, "uv"),
    ]


def _read(text: str, wanted: Wanted) -> dict[str, Any]:
    try:
        found = toml_text.read(text)
        if not all(isinstance(each, dict) for each in _indexes(found)):
            raise ValueError("index is not an array of tables")
    except ValueError as reason:
        raise Unreadable(f"{wanted.file} cannot be read as uv reads it: {reason}") from None
    return found


def _indexes(found: Mapping[str, Any]) -> Sequence[Any]:
    indexes = found.get("index", [])
    return indexes if isinstance(indexes, list) else [indexes]


def _silent(found: Mapping[str, Any], wanted: Wanted) -> list[int]:
    """List the numbers of the indexes at the origin for which uv does not ask keyring by itself."""
    return [
        number
        for number, each in enumerate(_indexes(found))
        if _ALWAYS not in each and "@" not in str(each.get("url")) and _is_at(each, wanted)
    ]


def _is_at(index: Mapping[str, Any], wanted: Wanted) -> bool:
    """Tell whether an index is at the origin; its URL can have a user name."""
    scheme, slashes, rest = str(index.get("url")).partition("://")
    return wanted.is_at(scheme + slashes + rest.rpartition("@")[2])
