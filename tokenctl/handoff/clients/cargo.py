"""cargo: `credential-provider` of each registry of its config.toml whose index is at the origin.

Not `global-credential-providers`: that would be asked for every registry, and changes the order of all the others.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenctl.handoff.clients import toml_text
from tokenctl.handoff.clients.wanted import Foreign, Script, Unreadable, Wanted, calls_us

_KEY = "credential-provider"


def path(environ: Mapping[str, str]) -> Path:
    """Return the file that cargo reads for this person; the older name comes first, as cargo has it."""
    folder = Path(environ.get("CARGO_HOME") or Path(environ.get("HOME") or Path.home()) / ".cargo")
    older = folder / "config"
    return older if older.exists() else folder / "config.toml"


def is_there(text: str, wanted: Wanted) -> bool:
    """Tell whether our provider is set up for each registry at the origin."""
    try:
        registries = _registries(text, wanted)
    except Unreadable:
        return False
    return bool(registries) and all(each.get(_KEY) == [_program(wanted)] for each in registries.values())


def added(text: str, wanted: Wanted) -> str:
    """Return the text with our provider. Raises Unreadable, Foreign."""
    registries = _registries(text, wanted)
    if not registries:
        raise Unreadable(
            f"{wanted.file} has no registry whose index is at {wanted.origin}",
            hint=f'add it first: [registries.NAME] with index = "sparse+{wanted.origin}/index/"',
        )
    others = [name for name, registry in registries.items() if _KEY in registry]
    if others and not wanted.replace:
        raise Foreign(
            f"{wanted.file} has another {_KEY} for the registry {others[0]!r}",
            hint="add --replace to replace it; uninstall puts it back",
        )
    try:
        for name in registries:
            where = ("registries", name, _KEY)
            text = toml_text.without_value(text, where) if name in others else text
            text = toml_text.with_value(text, where, [_program(wanted)])
    except ValueError as reason:
        raise Unreadable(f"{wanted.file}: {reason}", hint="write it there by hand") from None
    return text


def removed(text: str, wanted: Wanted) -> str:
    """Return the text without our provider. Raises Unreadable."""
    try:
        for name, registry in _registries(text, wanted).items():
            provider = registry.get(_KEY)
            if calls_us(provider.split(" ") if isinstance(provider, str) else provider or ()):
                text = toml_text.without_value(text, ("registries", name, _KEY))
    except ValueError as reason:
        raise Unreadable(f"{wanted.file}: {reason}", hint="remove it there by hand") from None
    return text


def scripts(environ: Mapping[str, str], wanted: Wanted) -> Sequence[Script]:
    """List the script that names the profile, for cargo passes no words to the program itself."""
    return (Script(path=_script(wanted), words=tuple(wanted.call("cargo"))),) if wanted.named else ()


def hints(wanted: Wanted) -> Sequence[str]:
    """Tell nothing: cargo asks by itself."""
    return ()


def _script(wanted: Wanted) -> Path:
    return wanted.folder / f"cargo-{wanted.profile}"


def _program(wanted: Wanted) -> str:
    return str(_script(wanted) if wanted.named else wanted.companion("cargo-credential-tokenctl"))


def _registries(text: str, wanted: Wanted) -> dict[str, dict[str, Any]]:
    """Return the registries at the origin by their name. Raises Unreadable."""
    try:
        found = toml_text.read(text).get("registries", {})
    except ValueError as reason:
        raise Unreadable(f"{wanted.file} cannot be read as cargo reads it: {reason}") from None
    return {name: each for name, each in found.items() if _is_at(each, wanted)} if isinstance(found, dict) else {}


def _is_at(registry: object, wanted: Wanted) -> bool:
    index = registry.get("index") if isinstance(registry, dict) else None
    return isinstance(index, str) and wanted.is_at(index.removeprefix("sparse+"))
