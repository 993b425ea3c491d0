"""A keyring that takes its time, with a person at the terminal and without."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.hung_bus import HungBus
from tests.support.attended import CTRL_C, attended
from tests.support.commandline import Home
from tests.support.paths import ROOT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="terminals of POSIX")
SAID = "tokenctl: waiting for the keyring to answer (up to 60 s"


@contextmanager
def hanging(tmp_path: Path, backend: str) -> Iterator[Home]:
    """A HOME whose keyring does not answer."""
    with HungBus("after-auth") as bus:
        environ = {"PYTHONPATH": str(ROOT), "TEST_RING": str(tmp_path / "ring.json"), **bus.environ}
        home = Home(tmp_path / "home", environ, store="keyring")
        home.write_config(
            f'[profiles.t]\nissuer = "https://as.example"\nclient_id = "c"\nkeyring_backend = "{backend}"\n'
        )
        yield home


@pytest.mark.slow
@pytest.mark.quick
@pytest.mark.parametrize("words", [("token",), ("login", "--no-browser")], ids=["token", "login"])
@pytest.mark.parametrize("backend", ["tests.support.ring.Hanging", "keyring.backends.SecretService.Keyring"])
def test_a_person_is_told_what_is_waited_for(tmp_path: Path, backend: str, words: tuple[str, ...]) -> None:
    """Whoever sits at the terminal learns it long before the deadline, and may give up."""
    with hanging(tmp_path, backend) as home:
        result = attended(home, *words, answers=[(SAID, CTRL_C)])
    assert result.status == 130 and result.stderr.count(SAID) == 1


@pytest.mark.slow
def test_where_nobody_is_nothing_is_said(tmp_path: Path) -> None:
    """The deadline is short, and its error is all."""
    with hanging(tmp_path, "tests.support.ring.Hanging") as home:
        result = home.run("token")
    assert result.status == 3 and "did not answer within 3 s" in result.stderr
    assert SAID not in result.stderr


def test_a_keyring_that_answers_is_not_spoken_of(tmp_path: Path) -> None:
    """The person is told of nothing that does not happen."""
    with hanging(tmp_path, "tests.support.ring.Ring") as home:
        result = attended(home, "token")
    assert result.status == 4 and SAID not in result.stderr
