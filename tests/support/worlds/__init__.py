"""Broken worlds, one file a subject: each breaks one part of a machine. `WORLDS` has all of them by name."""

from tests.support.worlds import entries, files, keyrings, network, settings
from tests.support.worlds.world import WORLDS, World

__all__ = ["WORLDS", "World", "entries", "files", "keyrings", "network", "settings"]
