"""`python -m tests.bench.real_servers [NAME...]`."""

import argparse
import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from tests.bench.real_servers.life import live
from tests.bench.real_servers.parts import Recipe, say

NAMES = ("allauth", "better_auth", "canaille", "doorkeeper", "glewlwyd", "lemonldap", "oauth_toolkit")


def main() -> int:
    """Drive the life at each server that is named, or at all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.real_servers", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *NAMES], metavar="NAME", help=f"of {', '.join(NAMES)}")
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser.add_argument(
        "--cache", type=Path, default=caches / "tokenctl-real-servers", help="where servers are installed"
    )
    words = parser.parse_args()
    words.cache.mkdir(parents=True, exist_ok=True)
    failed = {}
    for name in words.names or NAMES:
        recipe: Recipe = import_module(f"tests.bench.real_servers.{name}").RECIPE
        try:
            failed[name] = _one(recipe, words.cache)
        except RuntimeError as reason:  # the other servers go on
            say(f"{name:<22} does not start: {reason}")
            failed[name] = ["does not start"]
    for name, steps in failed.items():
        say(f"{name}: {'all steps went well' if not steps else 'wrong: ' + '; '.join(steps)}")
    return 1 if any(failed.values()) else 0


def _one(recipe: Recipe, cache: Path) -> list[str]:
    version = recipe.install(cache)
    say(f"{recipe.name:<22} installed: {version}")
    with tempfile.TemporaryDirectory(prefix="tokenctl-real-", ignore_cleanup_errors=True) as folder:
        (Path(folder) / "server").mkdir()
        with recipe.start(cache, Path(folder) / "server") as server:
            return live(recipe.name, server, Path(folder)).failed


if __name__ == "__main__":
    sys.exit(main())
