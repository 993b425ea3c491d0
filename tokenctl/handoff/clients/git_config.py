"""git's configuration files, read as git itself reads them (git-config(1), section "Syntax"), with the position of each part.

`git config` reads the same, but it does not tell where a part is, and its writer mixes line ends.
"""

from dataclasses import dataclass
from pathlib import Path

from tokenctl.handoff.clients.wanted import Unreadable

_SPACE = " \t\r\n"
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_IN_NAMES = _LETTERS | frozenset("0123456789-")
_ESCAPED = {"n": "\n", "t": "\t", "b": "\b", "\\": "\\", '"': '"'}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section's header: its name in lower case, its subsection, and where it is in the text, from `[` to behind `]`."""

    name: str
    subsection: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A key of a section, in lower case, and its value: None for a key without `=`, which means true.

    It is in the text from the beginning of its line, or from what is before it there, to behind the line's end.
    """

    section: Section
    key: str
    value: str | None
    start: int
    end: int

    @property
    def name(self) -> tuple[str, str, str]:
        """Section, subsection and key."""
        return self.section.name, self.section.subsection, self.key


def parsed(text: str, file: Path) -> tuple[list[Section], list[Entry]]:
    """Read the text of a configuration file. Raises Unreadable for a text that git refuses; `file` is for the message."""
    return _Reader(text, file).read()


class _Reader:
    """Reads characters as git does: CR LF is one LF, and the end of the file ends a line."""

    def __init__(self, text: str, file: Path) -> None:
        self.text = text
        self.file = file
        self.at = 0
        self.ended = False

    def next(self) -> str:
        if self.text.startswith("\r\n", self.at):
            self.at += 2
            return "\n"
        self.ended = self.at >= len(self.text)
        self.at += not self.ended
        return "\n" if self.ended else self.text[self.at - 1]

    def skip_line(self) -> None:
        end = self.text.find("\n", self.at)
        self.at = len(self.text) if end < 0 else end + 1

    def refused(self) -> Unreadable:
        line = self.text.count("\n", 0, max(0, self.at - 1)) + 1
        return Unreadable(f"git cannot read line {line} of {self.file}", hint="'git config --list' tells more")

    def read(self) -> tuple[list[Section], list[Entry]]:
        sections: list[Section] = []
        entries: list[Entry] = []
        self.at = int(self.text.startswith("\ufeff"))
        before = self.at  # the end of what was read last
        section = Section(name="", subsection="", start=before, end=before)  # git takes keys that are in none
        while (read := self.next()) and not self.ended:
            if read == "\n":
                before = self.at
            elif read in "#;":
                self.skip_line()
                before = self.at
            elif read == "[":
                section = self._section(self.at - 1)
                sections.append(section)
                before = self.at
            elif read in _LETTERS:
                entries.append(self._entry(section, before))
                before = self.at
            elif read not in _SPACE:
                raise self.refused()
        return sections, entries

    def _section(self, start: int) -> Section:
        name, read = "", self.next()
        while read in _IN_NAMES or read == ".":
            name, read = name + read.lower(), self.next()
        subsection = ""
        if read in _SPACE:
            subsection = self._subsection(read)
        elif read != "]" or not name:
            raise self.refused()
        else:  # the old form, [section.subsection]
            name, _, subsection = name.partition(".")
        return Section(name=name, subsection=subsection, start=start, end=self.at)

    def _subsection(self, read: str) -> str:
        while read in " \t\r":
            read = self.next()
        if read != '"':
            raise self.refused()
        found = ""
        while (read := self.next()) != '"':
            read = self.next() if read == "\\" else read
            if read == "\n":
                raise self.refused()
            found += read
        if self.next() != "]":
            raise self.refused()
        return found

    def _entry(self, section: Section, start: int) -> Entry:
        key, read = self.text[self.at - 1].lower(), self.next()
        while read in _IN_NAMES:
            key, read = key + read.lower(), self.next()
        while read in " \t":
            read = self.next()
        if read not in "=\n":
            raise self.refused()
        value = self._value() if read == "=" else None
        return Entry(section=section, key=key, value=value, start=start, end=self.at)

    def _value(self) -> str:
        value, kept, quoted = "", 0, False
        while (read := self.next()) != "\n":
            if not quoted and read in "#;":
                self.skip_line()
                break
            if not quoted and read in _SPACE:
                value += read if value else ""
                continue
            if read == "\\":
                read = self.next()
                if read not in _ESCAPED and read != "\n":
                    raise self.refused()
                value += _ESCAPED.get(read, "")
            elif read == '"':
                quoted = not quoted
            else:
                value += read
            kept = len(value)
        else:
            if quoted:
                raise self.refused()
        return value[:kept]


def written(value: str) -> str:
    """Write a value for a configuration file: in quotes where it needs them."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"' if escaped != value or value != value.strip() or set(value) & {"#", ";"} else value
