"""A line while a person types or pastes it at a terminal whose own line editing is off.

A terminal's own editing ends at 4,095 characters of a line, and drops the rest without a word. Here a line has any length,
and the same keys work. What stands between the marks of a bracketed paste is text, line ends included.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

ESCAPE, TAB = 0x1B, 0x09
PASTE_ON, PASTE_OFF = b"\x1b[?2004h", b"\x1b[?2004l"
"""Ask a terminal to mark what is pasted, and to stop that. The marks are these two:"""
PASTE_BEGINS, PASTE_ENDS = b"\x1b[200~", b"\x1b[201~"

_QUOTES = {'"': '"', "'": "'", "`": "`", "<": ">", "\u201c": "\u201d", "\u2018": "\u2019", "\u00ab": "\u00bb"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys that edit a line, as bytes: the person can have set them with `stty`."""

    erase: bytes = b"\x7f\x08"
    erase_word: bytes = b"\x17"
    erase_line: bytes = b"\x15"
    end_of_file: bytes = b"\x04"


class LineEditor:
    """Takes one key after the other, and has the line. `ended` tells that it is whole, `closed` that there is none."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self.clear()

    def clear(self) -> None:
        """Begin again, without what was typed so far."""
        self.text = bytearray()
        self.ended = self.closed = self.after_return = False
        self._sequence = bytearray()
        self._pasting = False

    def press(self, key: int) -> bytes:
        """Take one byte, and return what a terminal shows of it."""
        if self._sequence or key == ESCAPE:
            return self._in_sequence(key)
        if self._pasting:
            return self._add(key)
        pressed = bytes((key,))
        if pressed in (b"\r", b"\n"):
            self.ended, self.after_return = True, pressed == b"\r"
        elif pressed in self._keys.end_of_file:
            self.ended = self.closed = not self.text
        elif pressed in self._keys.erase:
            return self._erase(1)
        elif pressed in self._keys.erase_word:
            kept = re.sub(r"\S*\s*\Z", "", self._decoded)
            return self._erase(len(self._decoded) - len(kept))
        elif pressed in self._keys.erase_line:
            return self._erase(len(self._decoded))
        else:
            return self._add(key)
        return b""

    @property
    def _decoded(self) -> str:
        return self.text.decode(errors="replace")

    def _add(self, key: int) -> bytes:
        self.text.append(key)
        return bytes((key,)) if key >= 0x20 and key != 0x7F else b" " if key in b"\r\n\t" else b""

    def _erase(self, characters: int) -> bytes:
        erased = self._decoded[len(self._decoded) - characters :] if characters else ""
        for _ in erased:
            while self.text and self.text.pop() & 0xC0 == 0x80:  # the rest of a character in UTF-8
                pass
        return b"\b \b" * sum(map(_columns, erased))

    def _in_sequence(self, key: int) -> bytes:
        """Leave out what a key such as an arrow sends, and notice the marks of a paste."""
        self._sequence.append(key)
        if len(self._sequence) == 1:
            return b""
        if self._sequence[1] not in b"[O":  # the Escape key, and then another
            self._sequence.clear()
            return self.press(key)
        if len(self._sequence) > 2 and 0x40 <= key <= 0x7E:
            self._pasting = (self._pasting or self._sequence == PASTE_BEGINS) and self._sequence != PASTE_ENDS
            self._sequence.clear()
        return b""


def _columns(character: str) -> int:
    if character < " " and character not in "\r\n\t":
        return 0
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def unquoted(text: str) -> str:
    """Remove blanks and one pair of quotation marks or angle brackets around a text that was pasted."""
    text = text.strip()
    if len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
        return text[1:-1].strip()
    return text


def addresses(pasted: str) -> Iterator[tuple[str, ...]]:
    """Find the addresses in what was pasted; each comes as the texts that it can be, the likeliest first.

    A mail program breaks a long address over several lines. A line without a scheme and without blanks can go on with
    the address before it.
    """
    lines = [line.strip() for line in pasted.splitlines() if line.strip()]
    while lines:
        rest = tuple(takewhile(_goes_on, lines[1:])) if _begins(lines[0]) else ()
        parts: Sequence[str] = (lines[0], *rest)
        yield tuple(unquoted("".join(parts[:count])) for count in range(len(parts), 0, -1))
        lines = lines[len(parts) :]


def _begins(line: str) -> bool:
    return re.match(r"\W?https?:", line, re.IGNORECASE) is not None


def _goes_on(line: str) -> bool:
    return not _begins(line) and not re.search(r"\s", line)
