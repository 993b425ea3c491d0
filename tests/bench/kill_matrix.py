"""The kill matrix as a table in Markdown: `python -m tests.bench.kill_matrix`. The page 'tokenctl help reliability' has it."""

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.killing.matrix import ROLES, Matrix, outcome, points, table
from tests.killing.scene import Scene
from tests.servers.faulty_server import FaultyServer


def measure(role: str, grace: int) -> Matrix:
    """Kill the caller or the worker at every point, with a server that forgives for `grace` seconds."""
    with tempfile.TemporaryDirectory() as name, FaultyServer(auto_approve=True, reuse_grace=grace) as server:
        scene = Scene(Path(name) / "scene", server)
        return {(each.name, role, grace): outcome(scene, each) for each in points(scene) if each.role == role}


def main() -> None:
    """Measure and print. An AssertionError tells of what must never happen."""
    with ThreadPoolExecutor(2) as pool:
        parts = [pool.submit(measure, role, grace) for role in ROLES for grace in (0, 5)]
    matrix = {cell: what for part in parts for cell, what in part.result().items()}
    sys.stdout.write(table(matrix) + "\n")


if __name__ == "__main__":
    main()
