"""Which state directory renews a session: the one that it names, unless nothing is left of that one here."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.sessions import session
from tokenctl.errors import UsageError
from tokenctl.model.session import Session
from tokenctl.storage import machine
from tokenctl.storage.machine import StateDir


def made(folder: Path) -> StateDir:
    """Make a state directory."""
    folder.mkdir()
    return machine.state_dir(folder)


def of(here: StateDir) -> Session:
    """Make a session that this state directory renews."""
    return session(state_id=here.id, state_path=here.path, state_machine=here.machine)


def test_a_state_directory_keeps_its_id(tmp_path: Path) -> None:
    """It is the same when it is looked at again, and after it was moved."""
    here = made(tmp_path / "a")
    assert machine.state_dir(tmp_path / "a") == here
    (tmp_path / "a").rename(tmp_path / "b")
    assert machine.state_dir(tmp_path / "b").id == here.id
    assert machine.renews(machine.state_dir(tmp_path / "b"), of(here))


def test_two_state_directories_have_two_ids(tmp_path: Path) -> None:
    """Only the one that the session names renews it, for as long as it is there."""
    here, other = made(tmp_path / "a"), made(tmp_path / "b")
    assert here.id != other.id
    assert machine.renews(here, of(here)) and not machine.renews(other, of(here))
    shutil.rmtree(tmp_path / "a")
    assert machine.renews(other, of(here))
    made(tmp_path / "a")
    assert machine.renews(other, of(here))


def test_a_session_that_names_none_is_renewed_anywhere(tmp_path: Path) -> None:
    """An older version did not write it down."""
    assert machine.renews(made(tmp_path / "a"), session())


def test_what_is_gone_on_another_machine_cannot_be_known(tmp_path: Path) -> None:
    """A container sees other files under the same path."""
    here, other = made(tmp_path / "a"), made(tmp_path / "b")
    shutil.rmtree(tmp_path / "a")
    assert not machine.renews(other, replace(of(here), state_machine="another.1.2"))
    assert not machine.renews(other, replace(of(here), state_machine=None))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root can look everywhere")
def test_what_cannot_be_looked_at_is_there(tmp_path: Path) -> None:
    """Another user's folder is no reason to take over."""
    here, other = made(tmp_path / "a"), made(tmp_path / "b")
    (tmp_path / "a").chmod(0)
    try:
        assert not machine.renews(other, of(here))
    finally:
        (tmp_path / "a").chmod(0o700)


def test_an_id_that_somebody_else_could_have_put_there_is_refused(tmp_path: Path) -> None:
    """A link could lead to another directory's id."""
    made(tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / ".id").symlink_to(tmp_path / "a" / ".id")
    with pytest.raises(UsageError):
        machine.state_dir(tmp_path / "b")


def test_a_machines_id_can_be_part_of_a_file_name() -> None:
    """The same each time, and nobody can tell the system's own id from it."""
    found = machine.machine_id()
    assert found == machine.machine_id() and found.isalnum() and len(found) <= 8


def test_who_only_looks_makes_no_id(tmp_path: Path) -> None:
    """Where there is none, the state directory is not the one that a session names."""
    here = made(tmp_path / "a")
    assert machine.known_state_dir(tmp_path / "a") == here
    (tmp_path / "b").mkdir()
    new = machine.known_state_dir(tmp_path / "b")
    assert new.id == "" and not any((tmp_path / "b").iterdir())
    assert not machine.renews(new, of(here)) and machine.renews(new, session())
