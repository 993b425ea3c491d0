"""Bazel (7 and newer): `common --credential_helper=HOST=SCRIPT` in ~/.bazelrc.

Bazel calls a helper with the one word `get`, so it gets a script. A helper is for a host, whatever the port is; of two
helpers for a host the last one counts, so ours is the last line.
"""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from tokenctl.errors import UsageError
from tokenctl.handoff.clients.lines import checked_path, lines_of, with_last, without_lines
from tokenctl.handoff.clients.wanted import Foreign, Script, Unreadable, Wanted
from tokenctl.model.origins import host_of

_OPTIONS = ("--credential_helper=", "--experimental_credential_helper=")


def path(environ: Mapping[str, str]) -> Path:
    """Return the person's .bazelrc."""
    return Path(environ.get("HOME") or Path.home()) / ".bazelrc"


def is_there(text: str, wanted: Wanted) -> bool:
    """Tell whether our script is the helper of the host."""
    try:
        return [helper for _, helper in _helpers(text, wanted)][-1:] == [str(_script(wanted))]
    except Unreadable:
        return False


def added(text: str, wanted: Wanted) -> str:
    """Name our script in a last line. Raises Foreign where the host has another helper; ours wins over a replaced one."""
    if is_there(text, wanted):
        return text
    if not wanted.replace and any(helper != str(_script(wanted)) for _, helper in _helpers(text, wanted)):
        raise Foreign(f"{wanted.file} has another credential helper for the host", hint="--replace puts tokenctl there")
    if text.rstrip("\r\n").endswith("\\"):
        raise Unreadable(f"the last line of {wanted.file} ends with a backslash: Bazel would add our line to it")
    script = checked_path(_script(wanted), "'\"\\#$", "Bazel")
    option = f"{_OPTIONS[0]}{_host(wanted)}={script}"
    return with_last(text, f'common "{option}"' if " " in option else f"common {option}")


def removed(text: str, wanted: Wanted) -> str:
    """Take out the lines that name a script of ours for the host, and nothing else. Raises Unreadable."""
    for number, helper in reversed(_helpers(text, wanted)):
        if Path(helper).parent == wanted.folder:
            if len(_words(lines_of(text)[number])) != 2:
                raise Unreadable(f"line {number + 1} of {wanted.file} has more than the option of tokenctl")
            text = without_lines(text, number, number + 1)
    return text


def scripts(environ: Mapping[str, str], wanted: Wanted) -> Sequence[Script]:
    """List the script that Bazel calls."""
    return (Script(path=_script(wanted), words=tuple(wanted.call("bazel"))),)


def hints(wanted: Wanted) -> Sequence[str]:
    """Say which Bazel reads the setting."""
    return ("Bazel 7 and newer reads this setting; older ones stop at it",)


def _helpers(text: str, wanted: Wanted) -> list[tuple[int, str]]:
    """List the helpers for exactly this host, with the numbers of their lines. Raises Unreadable."""
    beginnings = [f"{option}{_host(wanted)}=" for option in _OPTIONS]
    found = []
    for number, line in enumerate(lines_of(text)):
        try:
            words = _words(line)
        except ValueError:
            raise Unreadable(f"a quote in line {number + 1} of {wanted.file} has no end") from None
        for before, word in zip(["", *words], words, strict=False):
            option = f"{before}={word}" if f"{before}=" in _OPTIONS else word
            found += [(number, option.removeprefix(each)) for each in beginnings if option.startswith(each)]
    return found


def _words(line: str) -> list[str]:
    """Split a line as Bazel does: blanks, quotes, backslashes, and a comment from `#` on."""
    continued = line.rstrip("\r\n").removesuffix("\\")
    return shlex.split(continued, comments=True)


def _host(wanted: Wanted) -> str:
    host = host_of(wanted.origin)
    if ":" in host:
        raise UsageError("Bazel knows no credential helper for an IPv6 address", hint="bind a host name")
    return host


def _script(wanted: Wanted) -> Path:
    return wanted.folder / (f"bazel-{wanted.profile}" if wanted.named else "bazel")
