"""The state directory: rights, space, and what killed runs left."""

import os
import time
from pathlib import Path

import pytest

from tests.doctor.conftest import Setup
from tests.killing.damage import NOBODY, ROOT
from tokenctl.doctor import state
from tokenctl.doctor.finding import Finding
from tokenctl.handoff.token_folder import token_folder


def looked(setup: Setup, **environ: str) -> list[Finding]:
    """What the check finds."""
    return [*state.look(setup.case(environ=environ))]


def problems(setup: Setup, **environ: str) -> list[tuple[str, int, str]]:
    """What is not in order: status, exit status and sentence."""
    return [(each.status, each.exit_status, each.sentence) for each in looked(setup, **environ) if each.status != "ok"]


def test_in_order(setup: Setup) -> None:
    """Path and mode are said."""
    setup.sign_in()
    (found,) = looked(setup)
    assert found.status == "ok" and found.more == {"path": str(setup.state), "mode": "0700", "owner": os.geteuid()}


def test_before_the_first_login(setup: Setup) -> None:
    """It need not be there."""
    (found,) = looked(setup)
    assert found.status == "ok" and "the first login makes it" in found.sentence


def test_others_can_write_to_it(setup: Setup) -> None:
    """Every command refuses it."""
    setup.sign_in()
    setup.state.chmod(0o777)
    ((status, number, _),) = problems(setup)
    assert (status, number) == ("failed", 2)


@pytest.mark.parametrize(("left", "status", "number"), [(900, "warning", 0), (-1, "failed", 2)])
def test_a_lock_that_others_can_open(setup: Setup, left: int, status: str, number: int) -> None:
    """A renewal refuses it; a fresh token needs none."""
    setup.sign_in(left)
    lock = setup.state / "t" / "lock"
    lock.touch()
    lock.chmod(0o644)
    (found,) = problems(setup)
    assert found[:2] == (status, number) and str(lock) in found[2]
    assert looked(setup)[-1].remedy == f"chmod 600 {lock}"


def test_a_link_in_the_place_of_a_file(setup: Setup, tmp_path: Path) -> None:
    """No command opens it."""
    setup.sign_in(-1)
    (setup.state / "t" / "lock").symlink_to(tmp_path / "elsewhere")
    ((status, number, sentence),) = problems(setup)
    assert (status, number) == ("failed", 2) and "is a link" in sentence


def test_a_folder_in_the_place_of_a_file(setup: Setup) -> None:
    """Another mode would not help."""
    setup.sign_in(-1)
    (setup.state / "t" / "lock").mkdir()
    ((status, number, sentence),) = problems(setup)
    assert (status, number) == ("failed", 2) and "is no plain file" in sentence
    assert looked(setup)[-1].remedy == "move it away"


@pytest.mark.skipif(not ROOT, reason="only root may give a file away")
def test_a_file_of_another_user(setup: Setup) -> None:
    """Its folder is this user's, who can move it away: nobody has to become that user."""
    setup.sign_in(-1)
    lock = setup.state / "t" / "lock"
    lock.touch(0o600)
    os.chown(lock, NOBODY, NOBODY)
    ((status, number, sentence),) = problems(setup)
    assert (status, number) == ("failed", 2) and f"belongs to user {NOBODY}" in sentence
    assert looked(setup)[-1].remedy == "move it away"


def test_files_that_a_killed_run_left(setup: Setup) -> None:
    """Old ones are named; a run that is still there may have the new ones."""
    setup.sign_in()
    folder = setup.state / "t"
    for name in ("redo.next", ".journal.x.next"):
        (folder / name).touch(0o600)
    assert not problems(setup)
    for name in ("redo.next", ".journal.x.next"):
        os.utime(folder / name, (time.time() - 3600,) * 2)
    (found,) = problems(setup)
    assert found[0] == "warning" and str(folder / "redo.next") in found[2] and ".journal.x.next" in found[2]


def test_a_token_folder_that_a_killed_run_left(setup: Setup, tmp_path: Path) -> None:
    """One that a run still has is not named."""
    setup.sign_in()
    environ = {"XDG_RUNTIME_DIR": str(tmp_path)}
    with token_folder(environ) as folder:
        assert not problems(setup, **environ)
        left = tmp_path / "tokenctl-token-left"
        left.mkdir(mode=0o700)
        (found,) = problems(setup, **environ)
        assert found[0] == "warning" and str(left) in found[2] and str(folder) not in found[2]
    assert left.exists()
