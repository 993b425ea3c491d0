"""pip: `keyring-provider = subprocess` in the person's own pip.conf, read as pip's `RawConfigParser` reads it.

Then pip asks the program `keyring` on PATH, which asks our backend. `import` would ask only a keyring in the same
environment as pip. The setting is for all hosts; our backend answers for bound ones alone. `pip config set` loses the
comments, so it is not used.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from configparser import Error, RawConfigParser
from pathlib import Path

from tokenctl.handoff.clients.lines import end_of, line_end, lines_of, with_first, without_lines
from tokenctl.handoff.clients.program import keyring_hint
from tokenctl.handoff.clients.wanted import Foreign, Script, Unreadable, Wanted

_NOTE = "# tokenctl"
_SETTING = "keyring-provider = subprocess"
_OPTION = re.compile(r"\s*(--)?keyring[-_]provider\s*[=:].*", re.IGNORECASE)


def path(environ: Mapping[str, str]) -> Path:
    """Return the file that `pip config --user` writes, or that PIP_CONFIG_FILE puts in its stead.

    Raises Unreadable where PIP_CONFIG_FILE turns all files off.
    """
    chosen = environ.get("PIP_CONFIG_FILE")
    if chosen == "/dev/null":
        raise Unreadable("pip reads no file, because PIP_CONFIG_FILE is /dev/null", hint="unset PIP_CONFIG_FILE")
    if chosen and Path(chosen).exists():
        return Path(chosen)
    home = Path(environ.get("HOME") or Path.home())
    mac = home / "Library/Application Support/pip"
    if sys.platform == "darwin" and mac.is_dir():
        return mac / "pip.conf"
    return Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip/pip.conf"


def is_there(text: str, wanted: Wanted) -> bool:
    """Tell whether pip asks the program `keyring`."""
    try:
        return _settings(text, wanted).get("global", {}).get("keyring-provider") == "subprocess"
    except Unreadable:
        return False


def added(text: str, wanted: Wanted) -> str:
    """Set the provider. Raises Unreadable, and Foreign where the person chose another provider."""
    before = _settings(text, wanted)
    if is_there(text, wanted):
        return text
    provider = before.get("global", {}).get("keyring-provider")
    if provider is not None and not wanted.replace:
        raise Foreign(f"{wanted.file} sets keyring-provider to {provider!r}", hint="--replace sets it to 'subprocess'")
    changed = _with_setting(text, provider is not None)
    if _settings(changed, wanted) != before | {"global": before.get("global", {}) | {"keyring-provider": "subprocess"}}:
        raise Unreadable(f"{wanted.file} has a form that cannot be changed", hint=f"write '{_SETTING}' below [global]")
    return changed


def removed(text: str, wanted: Wanted) -> str:
    """Take out the setting that has our note above it; and its section, where the note is above that and it is empty."""
    lines = [line.strip() for line in lines_of(text)]
    at = lines.index(_NOTE) if _NOTE in lines else len(lines)
    if lines[at + 1 : at + 2] == [_SETTING]:
        return without_lines(text, at, at + 2)
    if lines[at + 1 : at + 3] != ["[global]", _SETTING]:
        return text
    below = next((line for line in lines[at + 3 :] if line[:1] not in ("", "#", ";")), "[")
    text = without_lines(text, at + 2, at + 3)
    return without_lines(text, at, at + 2) if below.startswith("[") else without_lines(text, at, at + 1)


def scripts(environ: Mapping[str, str], wanted: Wanted) -> Sequence[Script]:
    """List nothing: pip runs `keyring`."""
    return ()


def hints(wanted: Wanted) -> Sequence[str]:
    """Say which `keyring` pip must find, and what an old pip needs."""
    old = "pip before 26.2 asks only where the index URL has a user name: https://oauth2@HOST/..."
    return [*keyring_hint(wanted.program, "pip"), old]


def _settings(text: str, wanted: Wanted) -> dict[str, dict[str, str]]:
    """Read the file as pip does: strict, with its names of options. Raises Unreadable."""
    parser = RawConfigParser()
    try:
        text.encode()
        parser.read_string(text.replace("\r\n", "\n").replace("\r", "\n"))
    except (Error, UnicodeEncodeError) as error:
        raise Unreadable(f"{wanted.file} cannot be read as pip reads it ({type(error).__name__})") from None
    return {
        section: {name.replace("_", "-").removeprefix("--"): value for name, value in parser.items(section)}
        for section in parser.sections()
    }


def _with_setting(text: str, replace: bool) -> str:
    """Put the setting below the section's name, as far to the right as what is below; else a section before all others."""
    lines, end = lines_of(text), line_end(text)
    headers = [at for at, line in enumerate(lines) if line.lstrip().startswith("[global]")]
    at = next((at for at in headers if lines[at].startswith("[")), headers[0] if headers else None)
    if at is None:
        return with_first(text, _NOTE, "[global]", _SETTING)
    stop = next((stop for stop in range(at + 1, len(lines)) if lines[stop].startswith("[")), len(lines))
    inside = [line for line in lines[at + 1 : stop] if not (replace and _OPTION.match(line))]
    option = next((line for line in inside if line.strip()[:1] not in ("", "#", ";")), "")
    column = option[: len(option) - len(option.lstrip())]
    header = lines[at].rstrip("\r\n") + end
    setting = column + _SETTING + end_of(lines[at])
    return "".join([*lines[:at], header, column + _NOTE + end, setting, *inside, *lines[stop:]])
