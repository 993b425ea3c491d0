"""The profile's `hosts`: our config file too gets every byte back."""

from pathlib import Path

import pytest

from tests.handoff.clients.conftest import Person
from tests.support.config_files import ORIGIN, OTHER
from tests.support.config_files.ours import CONFIGS
from tokenctl.config.config_file import parse
from tokenctl.errors import UsageError


def config_of(person: Person) -> Path:
    """Return the path of the config file."""
    return Path(person.runtime.environ["TOKENCTL_CONFIG"])


@pytest.mark.parametrize("text", CONFIGS.values(), ids=CONFIGS)
def test_every_byte(person: Person, text: str) -> None:
    """Two hosts are added, the first one goes first, and the old bytes are there at the end."""
    path = config_of(person)
    path.write_bytes(text.encode())
    before = person.hosts()
    person.install("docker")
    person.install("docker", OTHER)
    assert set(person.hosts()) == {*before, ORIGIN, OTHER} and path.read_bytes()[:3] == text.encode()[:3]
    person.uninstall("docker")
    assert set(person.hosts()) == {*before, OTHER}
    person.uninstall("docker", OTHER)
    assert path.read_bytes() == text.encode()


@pytest.mark.parametrize("text", CONFIGS.values(), ids=CONFIGS)
def test_edited_since(person: Person, text: str) -> None:
    """What the person wrote since is kept, with their comments, and our hosts alone go."""
    path = config_of(person)
    path.write_bytes(text.encode())
    person.install("docker")
    changed = path.read_bytes().decode().replace('"c"', '"d"')
    path.write_bytes(changed.encode())
    person.install("docker", OTHER)
    person.uninstall("docker")
    person.uninstall("docker", OTHER)
    expected = text.replace('"c"', '"d"').encode()
    found = path.read_bytes()
    assert parse(path, found).profiles["t"] == parse(path, expected).profiles["t"]
    assert found.count(b"#") == expected.count(b"#") or b"[ ]" in expected  # the list that is empty goes with its line


def test_a_profile_that_is_gone(person: Person) -> None:
    """A profile that was removed or renamed since does not keep the client's file from its old bytes."""
    path = person.write("docker", b"{}")
    person.install("docker")
    config = config_of(person)
    config.write_text(config.read_text().replace("profiles.t", "profiles.new"))
    [found] = person.uninstall("docker")
    assert path.read_bytes() == b"{}" and ORIGIN in person.hosts("new") and found.unbound == ()


def test_a_config_file_that_cannot_be_read(person: Person) -> None:
    """Nothing is changed, also in the client's file, before the config file is mended."""
    path = person.write("docker", b"{}")
    person.install("docker")
    before, config = path.read_bytes(), config_of(person)
    whole = config.read_text()
    config.write_text(whole + "[")
    with pytest.raises(UsageError, match="not valid TOML"):
        person.uninstall("docker")
    assert path.read_bytes() == before
    config.write_text(whole)
    person.uninstall("docker")
    assert path.read_bytes() == b"{}" and person.hosts() == ()
