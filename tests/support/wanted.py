"""What `helper install` asks of a client's module, in tests that need no files."""

from dataclasses import replace
from pathlib import Path

from tests.support.config_files import ORIGIN
from tokenctl.handoff.clients.wanted import Wanted

WANTED = Wanted(
    origin=ORIGIN,
    profile="t",
    program=Path("/opt/tokenctl/bin/tokenctl"),
    folder=Path("/home/me/.local/state/tokenctl/scripts"),
    file=Path("/home/me/file"),
)


def wanted(**other: object) -> Wanted:
    """Return `WANTED` with other members."""
    return replace(WANTED, **other)  # type: ignore[arg-type]
