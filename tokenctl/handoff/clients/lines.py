"""Lines of a configuration file, each with its end: for the clients whose files are made of lines."""

import re
from pathlib import Path

from tokenctl.errors import UsageError

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_BYTE_ORDER_MARK = "\ufeff"


def lines_of(text: str) -> list[str]:
    """Split a text at its line feeds and nowhere else. Joined, the lines are the text again."""
    return _LINE.findall(text)


def line_end(text: str) -> str:
    """Return the end of the first line of a text: CR LF or LF; LF for a text of one line."""
    return "\r\n" if text.partition("\n")[0].endswith("\r") and "\n" in text else "\n"


def with_first(text: str, *lines: str) -> str:
    """Put lines before all others, but behind a byte order mark. Lines have no end of their own."""
    mark = _BYTE_ORDER_MARK if text.startswith(_BYTE_ORDER_MARK) else ""
    end = line_end(text)
    return mark + "".join(line + end for line in lines) + text[len(mark) :]


def with_last(text: str, line: str) -> str:
    """Put a line behind all others. Where the last one has no end, the new one has none."""
    end = line_end(text)
    return text + line + end if not text or text.endswith("\n") else text + end + line


def without_lines(text: str, begin: int, end: int) -> str:
    """Take out the lines from `begin` to `end`, which is behind the last; a byte order mark stays.

    Where the last line of a text that has no end is among them, the line before loses its end.
    """
    mark = text[: text.startswith(_BYTE_ORDER_MARK)]
    lines = lines_of(text[len(mark) :])
    rest = mark + "".join([*lines[:begin], *lines[end:]])
    return rest.removesuffix("\n").removesuffix("\r") if end >= len(lines) and not text.endswith("\n") else rest


def end_of(line: str) -> str:
    """Return the end of a line: LF, CR LF or nothing."""
    return line[len(line.rstrip("\r\n")) :]


def checked_path(path: Path | str, never: str, client: str) -> str:
    """Return a path as text. Raises UsageError where it has a control character, or one that the client cannot read."""
    text = str(path)
    for character in text:
        if character in never or not character.isprintable():
            raise UsageError(
                f"{client} cannot run {text!r}: its configuration cannot have {character!r} in a path",
                hint="install tokenctl in another folder; scripts of ours are in the one that TOKENCTL_STATE_DIR names",
            )
    return text
