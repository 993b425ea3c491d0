"""What a file becomes with some helpers in it: everything of ours is taken out first, then those that stay are put in.

So it does not matter in which order clients are installed and uninstalled: at the end the old bytes are there.
"""

from collections.abc import Mapping, Sequence

from tokenctl.errors import UsageError
from tokenctl.handoff.clients import client
from tokenctl.handoff.clients.patch import digest
from tokenctl.handoff.clients.receipts import Entry, Kept
from tokenctl.handoff.clients.wanted import Unreadable


def with_entries(environ: Mapping[str, str], text: str | None, entries: Sequence[Entry]) -> str | None:
    """Return a text that has nothing of ours, with these helpers. Raises UsageError."""
    for entry in entries:
        wanted, found = entry.wanted(environ), client(entry.client)
        text = found.added(found.removed(text or "", wanted), wanted)
    if not all(client(each.client).is_there(text or "", each.wanted(environ)) for each in entries):
        raise Unreadable(f"tokenctl cannot change {entries[-1].file} as it is written", hint="write it there by hand")
    return text


def without_ours(environ: Mapping[str, str], text: str | None, kept: Kept) -> str | None:
    """Return the text as it was before install, to the byte; where somebody changed it since, with their changes.

    None means no file. Raises UsageError.
    """
    found = None if text is None else _undone(environ, text, kept)
    made = bool(kept.patches) and kept.patches[-1].before is None
    return None if made and (found or "").strip() in ("", "{}") else found


def _undone(environ: Mapping[str, str], text: str, kept: Kept) -> str | None:
    for patch in reversed(kept.patches):
        if digest(text) == patch.after:
            return patch.undone(text)
        if digest(text) == patch.before:
            return text  # a run was killed before it changed the file, or somebody undid it
    for patch in kept.patches[-1:]:
        undone = patch.undone_in(text)
        if undone is not None and _has_nothing(environ, undone, kept):
            return undone
    for entry in reversed(kept.entries):
        text = client(entry.client).removed(text, entry.wanted(environ))
    return text


def _has_nothing(environ: Mapping[str, str], text: str, kept: Kept) -> bool:
    """Tell whether the client can read the text, and finds nothing of ours in it."""
    try:
        return all(client(each.client).removed(text, each.wanted(environ)) == text for each in kept.entries)
    except UsageError:
        return False
