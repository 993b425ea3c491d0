"""pnpm: `//HOST[:PORT]/:tokenHelper` in the person's own .npmrc. A project's .npmrc must not have it.

pnpm calls the helper without arguments, and with a path without spaces, so it gets a script. Measured with pnpm 12: a
helper wins over a token of the same host, in whatever order they are written; of two helpers the last one counts.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tokenctl.handoff.clients.lines import checked_path, lines_of, with_first, without_lines
from tokenctl.handoff.clients.wanted import Foreign, Script, Wanted

_SETTING = re.compile(r"\s*([^;#=\s][^=]*?)\s*=\s*(.*?)\s*", re.DOTALL)
_CREDENTIALS = ("tokenHelper", "_authToken", "_auth", "_password")
_NEVER = " ;#=$\"'`&|<>()*?[]{}!\\"
"""Characters that pnpm reads as something else in a value; older ones run the helper by a shell."""
_VARIABLES = (
    "PNPM_CONFIG_NPMRC_AUTH_FILE",
    "pnpm_config_npmrc_auth_file",
    "NPM_CONFIG_USERCONFIG",
    "npm_config_userconfig",
)


def path(environ: Mapping[str, str]) -> Path:
    """Return the person's .npmrc."""
    chosen = next((environ[name] for name in _VARIABLES if environ.get(name)), None)
    return Path(chosen) if chosen else Path(environ.get("HOME") or Path.home()) / ".npmrc"


def is_there(text: str, wanted: Wanted) -> bool:
    """Tell whether our script is the helper of the host."""
    found = [value for _, key, value in _settings(text) if key == _key(wanted, "tokenHelper")]
    return found[-1:] == [str(_script(wanted))]


def added(text: str, wanted: Wanted) -> str:
    """Name our script. Raises Foreign where the host has a helper or a token; a replaced token stays, for npm."""
    if is_there(text, wanted):
        return text
    helper = _key(wanted, "tokenHelper")
    foreign = [(number, key) for number, key, _ in _settings(text) if key in _keys(wanted)]
    if foreign and not wanted.replace:
        raise Foreign(f"{wanted.file} has {foreign[0][1]} already", hint="--replace lets pnpm use tokenctl")
    for number, key in reversed(foreign):
        text = without_lines(text, number, number + 1) if key == helper else text
    return with_first(text, f"{helper}={checked_path(_script(wanted), _NEVER, 'pnpm')}")


def removed(text: str, wanted: Wanted) -> str:
    """Take out the lines that name a script of ours for the host."""
    for number, key, value in reversed(_settings(text)):
        if key == _key(wanted, "tokenHelper") and Path(value).parent == wanted.folder:
            text = without_lines(text, number, number + 1)
    return text


def scripts(environ: Mapping[str, str], wanted: Wanted) -> Sequence[Script]:
    """List the script that pnpm calls without arguments."""
    return (Script(path=_script(wanted), words=tuple(wanted.call("pnpm", always_named=True))),)


def hints(wanted: Wanted) -> Sequence[str]:
    """Say what npm does with it: nothing."""
    return ("npm does not know this setting: 'tokenctl help helpers' says what to do for npm",)


def _settings(text: str) -> list[tuple[int, str, str]]:
    """List the settings with the numbers of their lines."""
    found = ((number, _SETTING.fullmatch(line.lstrip("\ufeff"))) for number, line in enumerate(lines_of(text)))
    return [(number, match[1], match[2].strip("\"'")) for number, match in found if match]


def _key(wanted: Wanted, name: str) -> str:
    return f"{wanted.origin.partition(':')[2]}/:{name}"


def _keys(wanted: Wanted) -> list[str]:
    return [_key(wanted, name) for name in _CREDENTIALS]


def _script(wanted: Wanted) -> Path:
    return wanted.folder / f"pnpm-{wanted.profile}"
