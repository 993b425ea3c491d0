"""codex: to be written."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tokenctl.handoff.clients.wanted import Script, Unreadable, Wanted


def path(environ: Mapping[str, str]) -> Path:
    """Return the file that the client reads for this person."""
    raise Unreadable("not written yet")


def is_there(text: str, wanted: Wanted) -> bool:
    """Tell whether our helper is set up for the origin."""
    return False


def added(text: str, wanted: Wanted) -> str:
    """Return the text with our helper."""
    raise Unreadable("not written yet")


def removed(text: str, wanted: Wanted) -> str:
    """Return the text without our helper."""
    raise Unreadable("not written yet")


def scripts(environ: Mapping[str, str], wanted: Wanted) -> Sequence[Script]:
    """List the private scripts that the client needs."""
    return ()


def hints(wanted: Wanted) -> Sequence[str]:
    """List what the person still has to do."""
    return ()
