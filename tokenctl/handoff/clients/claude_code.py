"""Claude Code: `headersHelper` of each MCP server at the origin, in ~/.claude.json or a project's .mcp.json.

In a settings.json, which `--config-file` names, it is `apiKeyHelper`, for models.
"""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenctl.handoff.clients import json_text
from tokenctl.handoff.clients.wanted import Foreign, Script, Unreadable, Wanted, calls_us

Name = tuple[str, ...]
"""The path of a member."""


def path(environ: Mapping[str, str]) -> Path:
    """Return the file in which Claude Code keeps this person's MCP servers."""
    folder = environ.get("CLAUDE_CONFIG_DIR") or environ.get("HOME") or Path.home()
    return Path(folder) / ".claude.json"


def is_there(text: str, wanted: Wanted) -> bool:
    """Tell whether our helper is set up for each server at the origin."""
    try:
        found = _helpers(text, wanted)
    except Unreadable:
        return False
    return bool(found) and all(helper == _call(wanted) for helper in found.values())


def added(text: str, wanted: Wanted) -> str:
    """Return the text with our helper. Raises Unreadable, Foreign."""
    found = _helpers(text, wanted)
    if not found:
        raise Unreadable(
            f"{wanted.file} has no MCP server at {wanted.origin}",
            hint=f"add it first: claude mcp add --transport http --scope user NAME {wanted.origin}/mcp;"
            " or name another file with --config-file: a project's .mcp.json, or a settings.json for models",
        )
    for name, helper in found.items():
        if helper is not None and not wanted.replace:
            raise Foreign(
                f"{wanted.file} has another {name[-1]}{f' for {name[-2]!r}' if len(name) > 1 else ''}",
                hint="add --replace to replace it; uninstall puts it back",
            )
        text = json_text.with_member(text, name, _call(wanted))
    return text


def removed(text: str, wanted: Wanted) -> str:
    """Return the text without our helper. Raises Unreadable."""
    for name, helper in _helpers(text, wanted).items():
        if isinstance(helper, str) and calls_us(_words(helper)):
            text = json_text.without_member(text, name)
    return text


def scripts(environ: Mapping[str, str], wanted: Wanted) -> Sequence[Script]:
    """List no scripts: Claude Code calls a line of the shell."""
    return ()


def hints(wanted: Wanted) -> Sequence[str]:
    """Tell when Claude Code calls the helper."""
    return (
        ()
        if _is_settings(wanted)
        else ("a session of Claude Code that runs reads it after /mcp, or when it is started again",)
    )


def _is_settings(wanted: Wanted) -> bool:
    return "settings" in wanted.file.name


def _call(wanted: Wanted) -> str:
    """Return the line of the shell."""
    return shlex.join(wanted.call("api-key", always_named=True) if _is_settings(wanted) else wanted.call("mcp-headers"))


def _helpers(text: str, wanted: Wanted) -> dict[Name, Any]:
    """Return the members that call a helper for the origin, by their path; None for one that is not there.

    Raises Unreadable.
    """
    try:
        config = json_text.read(text)
        if _is_settings(wanted):
            return {("apiKeyHelper",): config.get("apiKeyHelper")}
        found: dict[Name, Any] = {("mcpServers",): config.get("mcpServers", {})}
        for folder, project in _object(config.get("projects", {}), "projects").items():
            found["projects", folder, "mcpServers"] = _object(project, folder).get("mcpServers", {})
        return {
            (*where, name, "headersHelper"): server.get("headersHelper")
            for where, servers in found.items()
            for name, server in _object(servers, "mcpServers").items()
            if isinstance(server, dict) and wanted.is_at(server.get("url"))
        }
    except ValueError as reason:
        raise Unreadable(f"{wanted.file} cannot be read as Claude Code reads it: {reason}") from None


def _object(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not an object")
    return value


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return []
