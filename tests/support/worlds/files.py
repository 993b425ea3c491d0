"""Worlds in which the state directory, or a file in it, cannot be used."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.killing.damage import NOBODY, ROOT
from tests.killing.folders import fill, remount, small_disk
from tests.support.machine import Machine
from tests.support.paths import ROOT as REPOSITORY
from tests.support.worlds.world import sign_in, world

SHIFTED_CLOCKS = str(REPOSITORY / "tests" / "support" / "shifted_clocks")
HOLDS_THE_LOCK = """
import os, signal, sys
from pathlib import Path
from tokenctl.storage.lock import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
"""


@world(2, "state", "others can write", remedy=r"chmod 700 \S+")
def state_directory_is_shared(machine: Machine) -> None:
    """Others can write to the state directory."""
    machine.state.chmod(0o770)


@world(2, "state/work", "others can write", remedy=r"chmod 700 \S+")
def folder_of_the_profile_is_shared(machine: Machine) -> None:
    """Others can write to the profile's folder in it."""
    machine.folder.chmod(0o777)


@world(2, "state", "link", remedy="move that away", mend=lambda machine, found: machine.state.unlink())
def state_directory_is_a_link(machine: Machine) -> None:
    """It was moved to another disk, with a link in its place."""
    moved = machine.home.folder / "moved"
    machine.state.rename(moved)
    machine.state.symlink_to(moved)
    machine.age()


@world(2, "state", "belongs to user 65534", remedy="TOKENCTL_STATE_DIR", mend=None)
def state_directory_of_another_user(machine: Machine) -> None:
    """It was made by `sudo`."""
    if not ROOT:
        pytest.skip("only root may give a folder away")
    os.chown(machine.state, NOBODY, NOBODY)


@world(2, "config.toml", "not a folder", remedy="TOKENCTL_STATE_DIR", mend=None)
def state_directory_is_a_file(machine: Machine) -> None:
    """A file has its name."""
    machine.environ["TOKENCTL_STATE_DIR"] = str(machine.home.config)


@world(
    3, "disk", "cannot be written", remedy="make it writable", mend=lambda machine, found: remount(machine.state, "rw")
)
def state_directory_is_read_only(machine: Machine) -> None:
    """The disk is mounted read-only, and the token has expired."""
    on_a_small_disk(machine)
    remount(machine.state, "ro")
    machine.age()


@world(3, "disk", "full", remedy="free some space", mend=lambda machine, found: (machine.state / "ballast").unlink())
def disk_is_full(machine: Machine) -> None:
    """There is no space left, and the token has expired."""
    on_a_small_disk(machine)
    fill(machine.state)
    machine.age()


def on_a_small_disk(machine: Machine) -> None:
    """Move the state directory to a disk of its own."""
    disk = machine.cleanup.enter_context(small_disk(machine.home.folder.with_name("disk")))
    disk.chmod(0o700)
    machine.environ["TOKENCTL_STATE_DIR"] = str(disk)
    machine.forget()
    machine.sign_in()


@world(7, "lock", "stopped", remedy=r"kill -KILL \d+")
def lock_is_held_by_a_stopped_process(machine: Machine) -> None:
    """Somebody pressed Ctrl-Z; the clock of `token` is fast, so that nobody has to wait for a minute."""
    machine.age()
    machine.to_file_store()  # a call of a keyring would have to be fast, too
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS_THE_LOCK, str(machine.folder / "lock")],
        env=machine.environ,
        stdout=subprocess.PIPE,
    )
    machine.cleanup.enter_context(holder)
    machine.cleanup.callback(holder.kill)
    assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
    os.waitid(os.P_PID, holder.pid, os.WSTOPPED | os.WNOWAIT)
    machine.of_token = {"PYTHONPATH": SHIFTED_CLOCKS, "MONOTONIC_RATE": "60"}


@world(2, "lock", "link", remedy="move it away", mend=lambda machine, found: (machine.folder / "lock").unlink())
def lock_is_a_link(machine: Machine) -> None:
    """A file of somebody else has the name of the lock."""
    lock = machine.folder / "lock"
    lock.unlink()
    lock.symlink_to(machine.home.config)
    machine.age()


@world(3, "redo", "damaged", remedy="sign in again", mend=sign_in)
def redo_log_is_damaged(machine: Machine) -> None:
    """A disk error."""
    machine.redo_log.write_bytes(b"x" * 40)


@world(2, "redo", "not a private file", remedy=r"chmod 600 \S+")
def redo_log_can_be_read_by_others(machine: Machine) -> None:
    """A backup was restored with other modes."""
    machine.redo_log.chmod(0o644)


@world(3, "journal", remedy="sign in again", mend=sign_in)
def journal_is_damaged(machine: Machine) -> None:
    """A disk error, and the token has expired."""
    journal = machine.redo_log.with_name(machine.redo_log.name.replace("redo", "journal"))
    journal.touch(0o600)
    journal.write_text("x")
    machine.age()


@world(3, "store.", remedy=r"remove", mend=lambda machine, found: store_choice(machine).unlink())
def store_choice_is_damaged(machine: Machine) -> None:
    """A disk error."""
    store_choice(machine).write_text("x")


def store_choice(machine: Machine) -> Path:
    """The file that says where the session is."""
    (found,) = machine.folder.glob("store.*.json")
    return found


@world(0, "no process can be started", remedy="")
def worker_cannot_start(machine: Machine) -> None:
    """The interpreter was replaced while the shell has the old one: tokenctl renews without a worker."""
    folder = machine.home.folder.with_name("site")
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("import sys\nsys.executable = '/nowhere/python'\n")
    machine.environ["PYTHONPATH"] = str(folder)
    machine.age()
