"""pip's keyring-provider."""

from pathlib import Path

import pytest

from tests.support.wanted import WANTED, wanted
from tokenctl.handoff.clients import pip
from tokenctl.handoff.clients.wanted import Unreadable

OURS = "# tokenctl\nkeyring-provider = subprocess\n"


def test_golden() -> None:
    """The setting is below the section's name, as far to the right as what is below it."""
    assert pip.added("", WANTED) == "# tokenctl\n[global]\nkeyring-provider = subprocess\n"
    assert pip.added("[x]\na=1\n[global]\nb=2", WANTED) == f"[x]\na=1\n[global]\n{OURS}b=2"
    assert (
        pip.added("[global]\n\n\tb=2\n", WANTED) == "[global]\n\t# tokenctl\n\tkeyring-provider = subprocess\n\n\tb=2\n"
    )


def test_own_setting_stays() -> None:
    """What the person set is not ours to take out."""
    text = "[global]\nkeyring-provider = subprocess\n"
    assert pip.added(text, WANTED) == pip.removed(text, WANTED) == text


def test_replaced() -> None:
    """Another provider is replaced in this section alone, however it is written."""
    text = "[install]\nkeyring-provider = import\n[global]\na = 1\nKeyring_Provider: disabled\n"
    assert pip.added(text, wanted(replace=True)) == f"[install]\nkeyring-provider = import\n[global]\n{OURS}a = 1\n"


def test_section_of_others() -> None:
    """A section that we made stays for what a person wrote into it since."""
    text = pip.added("", WANTED) + "timeout = 60\n"
    assert pip.removed(text, WANTED) == "[global]\ntimeout = 60\n"


def test_file(tmp_path: Path) -> None:
    """PIP_CONFIG_FILE counts where it is there, and /dev/null turns all files off."""
    other = tmp_path / "x"
    assert pip.path({"HOME": "/h", "PIP_CONFIG_FILE": str(other), "XDG_CONFIG_HOME": "/c"}) == Path("/c/pip/pip.conf")
    other.touch()
    assert pip.path({"HOME": "/h", "PIP_CONFIG_FILE": str(other)}) == other
    with pytest.raises(Unreadable):
        pip.path({"HOME": "/h", "PIP_CONFIG_FILE": "/dev/null"})


def test_keyring() -> None:
    """The hint names the keyring that has our backend, since another one on PATH has not."""
    assert "beside tokenctl: /opt/tokenctl/bin/keyring" in pip.hints(WANTED)[0]
