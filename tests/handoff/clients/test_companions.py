"""The scripts that a client needs besides its own file, and the program that they call."""

from pathlib import Path

import pytest

from tests.handoff.clients.conftest import Person
from tests.support.config_files import ORIGIN, OTHER, cargo
from tokenctl.errors import UsageError
from tokenctl.handoff.clients import program, receipts
from tokenctl.handoff.clients.wanted import Foreign, calls_us

FILE = cargo.FILES["two registries"]


def scripts(person: Person) -> list[Path]:
    """List the private scripts."""
    folder = receipts.scripts_folder(person.runtime.environ)
    return sorted(folder.iterdir()) if folder.exists() else []


def test_a_script_of_two_helpers(person: Person) -> None:
    """A script that two helpers call is private, and is removed with the second one."""
    person.write("cargo", FILE)
    person.install("cargo")
    person.install("cargo", OTHER)
    [script] = scripts(person)
    assert script.stat().st_mode & 0o777 == 0o700
    assert script.read_text() == f'#!/bin/sh\nexec {program.path()} helper cargo -p t "$@"\n'
    person.uninstall("cargo")
    assert scripts(person) == [script]
    person.uninstall("cargo", OTHER)
    assert scripts(person) == []


def test_a_script_that_is_gone(person: Person) -> None:
    """Install writes a script again that is gone, or cannot be run any more."""
    person.write("cargo", FILE)
    person.install("cargo")
    [script] = scripts(person)
    script.chmod(0o600)
    assert not person.install("cargo").is_nothing
    assert script.stat().st_mode & 0o777 == 0o700
    script.unlink()
    person.install("cargo")
    assert scripts(person) == [script]


def test_a_script_that_is_not_ours(person: Person) -> None:
    """Another file with the name of the script is not replaced, and a script that somebody changed is not removed."""
    person.write("cargo", FILE)
    folder = receipts.scripts_folder(person.runtime.environ)
    folder.mkdir(parents=True)
    script = folder / "cargo-t"
    script.write_text("mine")
    with pytest.raises(Foreign, match="did not write it"):
        person.install("cargo")
    script.unlink()
    person.install("cargo")
    script.write_text("mine")
    person.uninstall("cargo")
    assert script.read_text() == "mine" and person.hosts() == ()


def test_damaged_receipts(person: Person) -> None:
    """Receipts that cannot be read are told, and not written over."""
    person.write("cargo", FILE)
    person.install("cargo")
    [path] = Path(person.runtime.environ["TOKENCTL_STATE_DIR"]).rglob("installed.json")
    for content in (
        "",
        "{",
        "[]",
        '{"version": 1}',
        '{"version": 1, "files": 1, "hosts": [], "scripts": {}, "folders": []}',
    ):
        path.write_text(content)
        with pytest.raises(UsageError, match="cannot be read"):
            person.uninstall("cargo", ORIGIN)
        assert path.read_text() == content


def test_the_program() -> None:
    """The program is an absolute path, with its companions beside it."""
    found = program.path()
    assert found.is_absolute() and found.name == "tokenctl"
    assert found.with_name("docker-credential-tokenctl").exists()


@pytest.mark.parametrize(
    ("words", "ours"),
    [
        (["/opt/x/bin/tokenctl", "helper", "git"], True),
        (["/home/u/.local/bin/cargo-credential-tokenctl"], True),
        (["cargo:token-from-stdout", "/usr/bin/tokenctl", "token"], True),
        (["/home/u/.local/state/tokenctl/.helpers/scripts/cargo-t"], True),
        (["pass", "show", "tokenctl"], False),
        (["/usr/bin/tokenctl-like"], False),
        ([None], False),
        ([], False),
    ],
)
def test_who_is_called(words: list[object], ours: bool) -> None:
    """A call is ours by the program, wherever it is, and not by another word."""
    assert calls_us(words) == ours
