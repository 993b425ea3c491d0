"""The kill matrix: SIGKILL at every point of a renewal, then a healthy process; what became of the session."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.killing.scene import Scene, one_clear_error, wait_until
from tests.killing.sitecustomize import KILLED
from tests.servers.faulty_server import Received, Reply

CALLER, WORKER = ROLES = ("caller", "worker")
MEANWHILE = 0.7
"""Seconds, in which another process starts and comes to the lock."""
OK, SIGN_IN = "ok", "sign in again"
UNPROCESSED, UNANSWERED = "server has the request", "server answers"

STEPS = {
    "caller write lock": "2: the lock is taken",
    "caller start worker": "5: the worker starts, and loads its modules",
    "caller write redo.next": "4: room is reserved",
    "caller tell worker": "5: the worker has its errand",
    "worker connect server": "6: it connects to the server",
    "worker write .journal.next": "6: the journal is written",
    "worker rename journal": "6: the journal is in place, and the request is sent",
    UNPROCESSED: "6: the server works on the request",
    UNANSWERED: "6: the server sends its answer",
    "worker write redo.next": "7: the new refresh token is written",
    "worker rename redo": "7: it is committed",
    "worker remove journal": "7: the journal is removed",
    "worker connect server 2": "9: the keys for the ID token are fetched",
    "worker write redo.next 2": "7: the verified session is written",
    "worker rename redo 2": "7: it is committed",
    "worker remove journal 2": "7: the journal is removed (again)",
    "worker remove redo.next": "7: the unused room is given back",
    "caller write ring.new": "8: the keyring is written",
    "caller rename ring.json": "8: the keyring has it",
    "caller remove journal": "8: the journal is removed",
}
"""The step of the broker that each point is just before, in the order of a renewal."""

BETWEEN_THE_COMMITS = (UNANSWERED, "worker write redo.next", "worker rename redo")
"""Where a refresh token exists in the worker only: between the server's commit and ours."""


@dataclass(frozen=True, slots=True)
class Point:
    """A moment of a renewal: before the `number`-th change by `role`, or when the server is at it (no number)."""

    role: str
    name: str
    number: int = 0


def points(scene: Scene) -> list[Point]:
    """Renew once, unharmed, and list the points of it in their order."""
    scene.age()
    found = watched(scene)
    at = next(place for place, each in enumerate(found) if each.name == "worker rename journal")
    found[at + 1 : at + 1] = [Point(role, name) for name in (UNPROCESSED, UNANSWERED) for role in ROLES]
    return found


def watched(scene: Scene, *words: str) -> list[Point]:
    """Run `tokenctl token`, unharmed, and list what it and its worker changed, in that order."""
    log = scene.ring.with_name("dry.log")
    assert scene.token(*words, environ=watch(scene, log)).status == 0
    found = read_points(log)
    log.unlink()
    return found


def read_points(log: Path) -> list[Point]:
    """List what a watched command and its worker changed, in that order."""
    count = dict.fromkeys(ROLES, 0)
    seen: dict[str, int] = {}
    found = []
    for line in log.read_text().splitlines():
        role = line.partition(" ")[0]
        count[role] += 1
        seen[line] = seen.get(line, 0) + 1
        name = line if seen[line] == 1 else f"{line} {seen[line]}"
        found.append(Point(role, name, count[role]))
    return found


def outcome(scene: Scene, point: Point) -> str:
    """Kill a renewal at a point, and tell what a healthy process finds. AssertionError when it finds worse than that."""
    asked = scene.refreshes
    _kill(scene, point)
    allowed = scene.server.sessions.reuse_grace == 0 and point.role == WORKER
    then_asked = scene.refreshes
    result = scene.token()
    if result.status == 4 and allowed:
        one_clear_error(result, 4)
        assert scene.detections <= 1, scene.detections
        then_asked = scene.refreshes
        one_clear_error(scene.token(), 4)
        assert scene.refreshes == then_asked, "it asked once more after a definite answer"
        scene.login()
        scene.goes_on()
        return SIGN_IN
    scene.well(scene.once_settled(result) if point.role == CALLER and not point.number else result)
    if point.role == CALLER:  # it has a worker that asks, or has not got that far
        assert scene.refreshes - asked == 1, f"presented {scene.refreshes - asked} times"
    else:
        assert scene.refreshes - then_asked <= 1, f"presented {scene.refreshes - then_asked} times more"
    return OK


def _kill(scene: Scene, point: Point) -> None:
    scene.age()
    log = scene.ring.with_name("kill.log")
    environ = watch(scene, log)
    if point.number:
        environ["KILL_AT"] = f"{point.role}:{point.number}"
        _expect_end(scene, point, environ)
        last = [line for line in log.read_text().splitlines() if line.endswith(KILLED)]
        assert len(last) == 1, f"nobody was killed at {point}: {log.read_text()}"
    else:
        with _server_kills(scene, point) as victims:
            _expect_end(scene, point, environ)
        assert len(victims) == 1, point
    log.unlink()


def _expect_end(scene: Scene, point: Point, environ: dict[str, str]) -> None:
    """Run the command whose caller or worker is killed; a caller whose worker was must end well, or say what happened."""
    result = scene.home.run("token", environ=environ)
    if point.role == CALLER:
        assert result.status == -signal.SIGKILL, result
    elif result.status != 0:
        one_clear_error(result, 6)


@contextmanager
def _server_kills(scene: Scene, point: Point) -> Iterator[list[int]]:
    """Let the server kill caller or worker when the request has come, before or after it is processed."""
    victims: list[int] = []
    once = threading.Lock()

    def override(request: Received) -> Reply | None:
        if not once.acquire(blocking=False):
            return None
        if point.name == UNANSWERED:
            scene.server.answer(request)
        worker = scene.worker()
        assert worker is not None
        victim = worker if point.role == WORKER else int(_stat(worker)[1])
        victims.append(victim)  # first, because the test goes on as soon as it has ended
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: _ended(victim))
        if point.role == WORKER:
            return Reply(drop_before=True)
        # The worker has to wait, so that the healthy process comes while it is still at work.
        if point.name == UNPROCESSED:
            threading.Event().wait(MEANWHILE)
        return replace(scene.server.answer(request), delay=MEANWHILE if point.name == UNANSWERED else 0)

    scene.server.overrides["/token"] = override
    try:
        yield victims
    finally:
        del scene.server.overrides["/token"]


def _stat(pid: int) -> list[str]:
    """Read a process's state and its parent, and so on: what stands after the name in /proc/PID/stat."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _ended(pid: int) -> bool:
    try:
        return _stat(pid)[0] in "ZX"
    except OSError:
        return True


def watch(scene: Scene, log: Path) -> dict[str, str]:
    """Make the environment in which a process lists in `log` what it changes."""
    return {"KILL_BELOW": f"{scene.state}{os.pathsep}{scene.ring.parent}/ring.", "KILL_LOG": str(log)}


Matrix = dict[tuple[str, str, float], str]
"""(point, role, grace) -> what became of the session."""


def table(matrix: Matrix) -> str:
    """Draw the matrix in Markdown, the rows in the order of a renewal."""
    columns = [(role, grace) for role in ROLES for grace in sorted({grace for _, _, grace in matrix})]
    lines = [
        "| killed just before step | " + " | ".join(f"{role}, grace {grace:.0f} s" for role, grace in columns) + " |",
        "|---|" + "---|" * len(columns),
    ]
    known = {name: text for name, text in STEPS.items() if any(name == each[0] for each in matrix)}
    for name, text in (known | {each[0]: each[0] for each in matrix if each[0] not in known}).items():
        cells = " | ".join(matrix.get((name, role, grace), "–") for role, grace in columns)  # noqa: RUF001 (a dash)
        lines.append(f"| {text} | {cells} |")
    return "\n".join(lines)
