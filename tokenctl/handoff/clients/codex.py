"""Codex: the table `auth` of each model provider of its config.toml whose `base_url` is at the origin."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenctl.handoff.clients import toml_text
from tokenctl.handoff.clients.wanted import Foreign, Script, Unreadable, Wanted, calls_us

_OTHERS = ("env_key", "experimental_bearer_token", "requires_openai_auth")
"""Other ways to sign in, which Codex does not allow beside `auth`."""


def path(environ: Mapping[str, str]) -> Path:
    """Return the file that Codex reads for this person."""
    return Path(environ.get("CODEX_HOME") or Path(environ.get("HOME") or Path.home()) / ".codex") / "config.toml"


def is_there(text: str, wanted: Wanted) -> bool:
    """Tell whether our command is set up for each provider at the origin."""
    try:
        providers = _providers(text, wanted)
    except Unreadable:
        return False
    return bool(providers) and all(
        isinstance(auth := each.get("auth"), dict) and [auth.get("command"), *auth.get("args", ())] == _call(wanted)
        for each in providers.values()
    )


def added(text: str, wanted: Wanted) -> str:
    """Return the text with our command. Raises Unreadable, Foreign."""
    providers = _providers(text, wanted)
    if not providers:
        raise Unreadable(
            f"{wanted.file} has no model provider whose base_url is at {wanted.origin}",
            hint=f'add it first: [model_providers.NAME] with base_url = "{wanted.origin}/v1"',
        )
    command, *words = _call(wanted)
    try:
        for name, provider in providers.items():
            _check(name, provider, wanted)
            where = ("model_providers", name, "auth")
            if "auth" in provider:
                text = toml_text.without_table(text, where)
            text = toml_text.with_value(text, (*where, "command"), command)
            text = toml_text.with_value(text, (*where, "args"), words)
    except ValueError as reason:
        raise Unreadable(f"{wanted.file}: {reason}", hint="write it there by hand") from None
    return text


def removed(text: str, wanted: Wanted) -> str:
    """Return the text without our command. Raises Unreadable."""
    try:
        for name, provider in _providers(text, wanted).items():
            auth = provider.get("auth")
            if isinstance(auth, dict) and calls_us([auth.get("command")]):
                text = toml_text.without_table(text, ("model_providers", name, "auth"))
    except ValueError as reason:
        raise Unreadable(f"{wanted.file}: {reason}", hint="remove it there by hand") from None
    return text


def scripts(environ: Mapping[str, str], wanted: Wanted) -> Sequence[Script]:
    """List no scripts: Codex calls a command with its words."""
    return ()


def hints(wanted: Wanted) -> Sequence[str]:
    """Tell nothing: Codex asks by itself."""
    return ()


def _call(wanted: Wanted) -> list[str]:
    return wanted.call("api-key", always_named=True)


def _check(name: str, provider: Mapping[str, Any], wanted: Wanted) -> None:
    others = [each for each in _OTHERS if provider.get(each)]
    if others:
        raise Unreadable(
            f"{wanted.file} has {others[0]} for the model provider {name!r}, which Codex does not allow beside auth",
            hint=f"remove {others[0]} there",
        )
    if "auth" in provider and not wanted.replace:
        raise Foreign(
            f"{wanted.file} has another auth for the model provider {name!r}",
            hint="add --replace to replace it; uninstall puts it back",
        )


def _providers(text: str, wanted: Wanted) -> dict[str, dict[str, Any]]:
    """Return the model providers at the origin by their name. Raises Unreadable."""
    try:
        found = toml_text.read(text).get("model_providers", {})
    except ValueError as reason:
        raise Unreadable(f"{wanted.file} cannot be read as Codex reads it: {reason}") from None
    return (
        {name: each for name, each in found.items() if isinstance(each, dict) and wanted.is_at(each.get("base_url"))}
        if isinstance(found, dict)
        else {}
    )
