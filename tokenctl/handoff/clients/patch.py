"""The exact change of a text, so that it can be undone to the last byte: only what was removed and inserted is kept.

The whole file is not kept: the files of clients can have secrets.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from zlib import crc32

_MOST = 2000
"""Parts of a text that are compared one by one."""
_AROUND = 24
"""Characters before and behind a change by which it is found again."""
_SHORTEST = 8
"""Characters of an inserted text that is looked for in a file that somebody has changed since."""


def digest(text: str | None) -> str | None:
    """Return the sha256 of a file's text; None where there is no file."""
    return None if text is None else hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One change: at `at`, in characters of the new text, `removed` was replaced by `inserted`.

    `left` and `right` are checksums of the characters around it, and `rest` is how many characters are behind it: so it is
    found again where somebody has changed another part of the text.
    """

    at: int
    removed: str
    inserted: str
    left: int
    right: int
    rest: int

    def place(self, text: str) -> int | None:
        """Return where the change is in a text that was changed elsewhere; None where that is not sure."""
        size, end = len(self.inserted), len(text)
        left, right = min(self.at, _AROUND), min(self.rest, _AROUND)
        ours = [each.start() for each in re.finditer(f"(?={re.escape(self.inserted)})", text)]
        before = {
            at for at in ours if (left == _AROUND or at == left) and _sum(text[max(0, at - left) : at]) == self.left
        }
        behind = {
            at
            for at in ours
            if (right == _AROUND or end - at - size == right)
            and _sum(text[at + size : at + size + right]) == self.right
        }
        return next((min(each) for each in (before & behind, before, behind) if len(each) == 1), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """How a text was changed. `before` and `after` are the digests of the old and the new one."""

    before: str | None
    after: str | None
    edits: tuple[Edit, ...]

    def undone(self, text: str) -> str | None:
        """Return the old text of exactly the new one; None where there was no file."""
        if self.before is None:
            return None
        for edit in reversed(self.edits):
            text = text[: edit.at] + edit.removed + text[edit.at + len(edit.inserted) :]
        return text

    def undone_in(self, text: str) -> str | None:
        """Undo the change in a text that somebody has changed since; None where our words are not found for sure."""
        places = [edit.place(text) for edit in self.edits]
        found = [(at, edit) for at, edit in zip(places, self.edits, strict=True) if at is not None]
        ends = [at + len(edit.inserted) for at, edit in found]
        if len(found) == len(self.edits) and all(at >= end for (at, _), end in zip(found[1:], ends, strict=False)):
            for at, edit in reversed(found):
                text = text[:at] + edit.removed + text[at + len(edit.inserted) :]
            return text
        return self._undone_words(text)

    def _undone_words(self, text: str) -> str | None:
        """Undo the change where each text that was inserted is there as often as it was."""
        for inserted, times in Counter(edit.inserted for edit in self.edits).items():
            removed = {edit.removed for edit in self.edits if edit.inserted == inserted}
            if len(inserted) < _SHORTEST or text.count(inserted) != times or len(removed) > 1:
                return None
            text = text.replace(inserted, removed.pop())
        return text


def patch(before: str | None, after: str | None) -> Patch:
    """Compare two texts."""
    return Patch(before=digest(before), after=digest(after), edits=tuple(_edits(before or "", after or "")))


def _edits(before: str, after: str) -> Iterator[Edit]:
    """List the changes: whole lines are compared first, and then the words of those that differ."""
    for at, old, new in _different(before.splitlines(keepends=True), after.splitlines(keepends=True)):
        for more, removed, inserted in _different(re.findall(r"\w+|\W", old), re.findall(r"\w+|\W", new)):
            start, end = at + more, at + more + len(inserted)
            left, right = _sum(after[max(0, start - _AROUND) : start]), _sum(after[end : end + _AROUND])
            yield Edit(at=start, removed=removed, inserted=inserted, left=left, right=right, rest=len(after) - end)


def _sum(text: str) -> int:
    """Return a checksum: it tells parts of one text from each other, and nothing of what they say."""
    return crc32(text.encode(errors="surrogateescape"))


def _different(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Yield where two sequences differ: the place in characters of the second one, and both contents."""
    first = next(
        (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    most = min(len(before), len(after)) - first
    last = next((i for i in range(most) if before[-1 - i] != after[-1 - i]), most)
    old, new = before[first : len(before) - last], after[first : len(after) - last]
    at = len("".join(after[:first]))
    if not old or not new:
        yield from [(at, "".join(old), "".join(new))] if old or new else []
    elif len(old) + len(new) > _MOST:
        yield from _between_anchors(old, new, at)
    else:
        for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if tag != "equal":
                yield at + len("".join(new[:c])), "".join(old[a:b]), "".join(new[c:d])


def _between_anchors(old: Sequence[str], new: Sequence[str], at: int) -> Iterator[tuple[int, str, str]]:
    """Compare long sequences between the parts that both have once: what is the same in both must not be kept."""
    once = {part for part, count in Counter(old).items() if count == 1}
    place = {part: i for i, part in enumerate(old) if part in once}
    seen, anchors, last = Counter(new), list[tuple[int, int]](), -1
    for j, part in enumerate(new):
        if seen[part] == 1 and place.get(part, -1) > last:
            last = place[part]
            anchors.append((last, j))
    if not anchors:
        yield at, "".join(old), "".join(new)
        return
    i = j = 0
    for to, end in [*anchors, (len(old), len(new))]:
        for more, removed, inserted in _different(old[i:to], new[j:end]):
            yield at + more, removed, inserted
        at += sum(map(len, new[j : end + 1]))
        i, j = to + 1, end + 1
