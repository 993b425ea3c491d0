"""Configuration files as people have them: install then uninstall leaves every byte as before."""

import os
from collections.abc import Container, Iterable
from contextlib import suppress

import pytest

from tests.handoff.clients.conftest import Person
from tests.support.config_files import ORIGIN, OTHER, files
from tokenctl.errors import UsageError
from tokenctl.handoff.clients import client, receipts
from tokenctl.handoff.clients.wanted import Foreign


def _each(found: Iterable[tuple[str, str, bytes | None]], slow: Container[str] = ()) -> pytest.MarkDecorator:
    """Make a case of each file; those whose identifiers are in `slow` are slow."""
    cases = [(f"{name}: {about}", name, content) for name, about, content in found]
    return pytest.mark.parametrize(
        ("name", "content"),
        [
            pytest.param(name, content, id=case, marks=[pytest.mark.slow] if case in slow else [])
            for case, name, content in cases
        ],
    )


_FIRST = {name: about for name, about, _ in reversed(list(files()))}
FILES = _each(files())
MOSTLY_SLOW = _each(files(), {f"{name}: {about}" for name, about, _ in files() if about != _FIRST[name]})
"""The quick loop has one file of each client."""
REFUSED = _each(files("REFUSED"))
FOREIGN = _each(each for each in files("REFUSED") if each[1].startswith("foreign"))


def is_there(person: Person, name: str) -> bool:
    """Tell whether the client's file has what the receipt says."""
    kept = receipts.read(person.runtime.environ).files
    [(path, entry)] = [
        (path, each) for path, found in kept.items() for each in found.entries if each.is_of(name, ORIGIN)
    ]
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return client(name).is_there(file.read(), entry.wanted(person.runtime.environ))


@FILES
def test_every_byte(person: Person, name: str, content: bytes | None) -> None:
    """Install then uninstall leaves the file, its mode, the folders and the profile; a second install changes nothing."""
    path = person.write(name, content)
    before = person.contents()
    person.install(name)
    assert is_there(person, name) and ORIGIN in person.hosts()
    assert path.stat().st_mode & 0o777 == (0o600 if content is None else 0o640)
    installed = person.contents()
    assert person.install(name).is_nothing and person.contents() == installed
    person.uninstall(name)
    assert person.contents() == before and person.hosts() == ()
    assert content is None or path.stat().st_mode & 0o777 == 0o640
    assert receipts.read(person.runtime.environ) == receipts.Receipts()


@MOSTLY_SLOW
def test_two_origins(person: Person, name: str, content: bytes | None) -> None:
    """Of two origins in one file the older one can be taken out first, and the newer one."""
    person.write(name, content)
    before = person.contents()
    person.install(name, ORIGIN)
    with suppress(UsageError):  # some files are not made for two
        person.install(name, OTHER)
    assert is_there(person, name)
    person.uninstall(name, ORIGIN)
    person.install(name, ORIGIN)
    assert is_there(person, name)
    person.uninstall(name, ORIGIN)
    person.uninstall(name, OTHER)
    assert person.contents() == before and person.hosts() == ()


@MOSTLY_SLOW
def test_lost_receipt(person: Person, name: str, content: bytes | None) -> None:
    """Without a receipt our helper is taken out all the same, and what is left can be set up again."""
    path = person.write(name, content)
    person.install(name)
    os.unlink(f"{person.runtime.environ['TOKENCTL_STATE_DIR']}/.helpers/installed.json")
    person.uninstall(name)
    left = path.read_bytes()
    person.uninstall(name)
    assert path.read_bytes() == left
    person.install(name)
    assert is_there(person, name)


@MOSTLY_SLOW
def test_another_profile(person: Person, name: str, content: bytes | None) -> None:
    """A helper that is set up again without a name, or with one, is taken out to the last byte too."""
    person.write(name, content)
    before = person.contents()
    person.install(name)
    person.install(name, profile=None)
    assert is_there(person, name)
    person.uninstall(name)
    assert person.contents() == before


@REFUSED
def test_refused(person: Person, name: str, content: bytes) -> None:
    """A file that the client could not read, or that has another helper, is not changed."""
    person.write(name, content)
    before = person.contents()
    with pytest.raises(UsageError):
        person.install(name)
    assert person.contents() == before and person.hosts() == ()
    assert receipts.read(person.runtime.environ) == receipts.Receipts()


@FOREIGN
def test_replaced(person: Person, name: str, content: bytes) -> None:
    """Another helper is replaced only where the person says so, and comes back."""
    person.write(name, content)
    before = person.contents()
    with pytest.raises(Foreign):
        person.install(name)
    person.install(name, replace=True)
    assert is_there(person, name)
    person.uninstall(name)
    assert person.contents() == before


@FOREIGN
def test_replaced_and_edited_since(person: Person, name: str, content: bytes) -> None:
    """Another helper comes back also where the person has written something else into the file since."""
    path = person.write(name, content)
    person.install(name, replace=True)
    more = b"\n" if name in ("docker", "claude-code") else b"\n; mine" if name == "pnpm" else b"\n# mine"
    path.write_bytes(path.read_bytes() + more)
    person.uninstall(name)
    assert path.read_bytes() == content + more
