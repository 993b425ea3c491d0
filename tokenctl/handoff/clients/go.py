"""The go command (1.24 and newer): GOAUTH in the file that `go env GOENV` names, as `go help goauth` has it.

GOAUTH is a list of commands between semicolons; the first one that knows an address wins. Without GOAUTH go reads
~/.netrc, so `netrc` stays in the list. `go env -w` sorts the file and drops lines, so it is not used.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tokenctl.handoff.clients.lines import checked_path, end_of, lines_of, with_last, without_lines
from tokenctl.handoff.clients.wanted import Foreign, Script, Unreadable, Wanted

_KEY = "GOAUTH="
_WORD = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([^\s"']\S*))""")


def path(environ: Mapping[str, str]) -> Path:
    """Return the file that `go env -w` writes. Raises Unreadable where GOENV turns that file off."""
    if chosen := environ.get("GOENV"):
        if chosen == "off":
            raise Unreadable("go reads no file of settings, because GOENV is 'off'", hint="unset GOENV")
        return Path(chosen)
    home = Path(environ.get("HOME") or Path.home())
    if sys.platform == "darwin":
        return home / "Library/Application Support/go/env"
    return Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "go/env"


def is_there(text: str, wanted: Wanted) -> bool:
    """Tell whether GOAUTH has our command."""
    _, value = _found(text)
    return wanted.call("go") in map(_words, value.split(";"))


def added(text: str, wanted: Wanted) -> str:
    """Put our command first. Raises Foreign where GOAUTH is `off`."""
    if is_there(text, wanted):
        return text
    ours = " ".join(_quoted(word) for word in wanted.call("go"))
    number, value = _found(text)
    if number is None:
        return with_last(text, f"{_KEY}{ours}; netrc")
    if value.strip() == "off":
        if not wanted.replace:
            raise Foreign("GOAUTH is 'off': go gives credentials to nobody", hint="--replace puts tokenctl there")
        return _with_value(text, number, ours)
    return _with_value(text, number, f"{ours}; {value.strip() or 'netrc'}")


def removed(text: str, wanted: Wanted) -> str:
    """Take our command out of GOAUTH; the whole line where nothing but go's own default is left."""
    number, value = _found(text)
    commands = value.split(";")
    left = [command for command in commands if not _is_ours(_words(command), wanted)]
    if number is None or len(left) == len(commands):
        return text
    rest = ";".join(left).strip() or "netrc"
    alone = sum(line.startswith(_KEY) for line in lines_of(text)) == 1
    return without_lines(text, number, number + 1) if rest == "netrc" and alone else _with_value(text, number, rest)


def scripts(environ: Mapping[str, str], wanted: Wanted) -> Sequence[Script]:
    """List nothing: go calls tokenctl itself."""
    return ()


def hints(wanted: Wanted) -> Sequence[str]:
    """Say which go asks a helper, and for what."""
    return ("go 1.24 and newer asks tokenctl, and for https addresses only; a variable GOAUTH wins over the file",)


def _found(text: str) -> tuple[int | None, str]:
    """Return the number of the line that counts, the last one, and its value; None and "" without one."""
    lines = lines_of(text)
    number = max((at for at, line in enumerate(lines) if line.startswith(_KEY)), default=None)
    return number, "" if number is None else lines[number].removeprefix(_KEY).rstrip("\r\n")


def _with_value(text: str, number: int, value: str) -> str:
    """Write another value into a line, and keep the line's end."""
    lines = lines_of(text)
    lines[number] = f"{_KEY}{value}{end_of(lines[number])}"
    return "".join(lines)


def _words(command: str) -> list[str]:
    """Split a command as go does: quotes around a whole word, and nothing is unescaped."""
    return [double or single or plain for double, single, plain in _WORD.findall(command)]


def _is_ours(words: list[str], wanted: Wanted) -> bool:
    return words[1:3] == ["helper", "go"] and Path(words[0]).name == wanted.program.name


def _quoted(word: str) -> str:
    quote = '"' if "'" in word else "'"
    checked_path(word, f";{quote}", "go")
    return f"{quote}{word}{quote}" if set(word) & {" ", "'", '"'} else word
