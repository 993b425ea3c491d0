"""The passphrase of the file store, asked of a person at a terminal."""

import os
import threading

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.support.attended import CTRL_C, CTRL_D, attended
from tests.support.commandline import Home
from tests.support.fetch import fetch

pytestmark = pytest.mark.skipif(os.name != "posix", reason="terminals of POSIX")


@pytest.fixture
def asked(home: Home, demo_server: FaultyServer) -> Home:
    """Somebody who is signed in with the file store, and has the passphrase in their head alone."""
    assert home.login(demo_server.issuer).status == 0
    home.environ.pop("TOKENCTL_PASSPHRASE_FILE")
    return home


QUESTION = "passphrase for the file store"


@pytest.mark.quick
def test_a_person_types_it(asked: Home) -> None:
    """The passphrase is typed, not shown, and opens the store."""
    typed = (asked.folder / "passphrase").read_bytes()
    result = attended(asked, "show", answers=[(QUESTION, typed)])
    assert result.status == 0 and "fresh" in result.stderr
    assert typed.decode().strip() not in result.stderr


@pytest.mark.parametrize("typed", [CTRL_D, b"\n"], ids=["Ctrl-D", "Enter"])
def test_no_answer_is_named(asked: Home, typed: bytes) -> None:
    """Ctrl-D or nothing at the prompt is 3 and says that no passphrase was given, not that a keyring is broken."""
    result = attended(asked, "token", answers=[(QUESTION, typed)])
    assert result.status == 3 and result.stderr.count("\ntokenctl: error: ") == 1
    assert "none was given" in result.stderr and "TOKENCTL_PASSPHRASE_FILE" in result.stderr
    assert "keyring" not in result.stderr.replace("'tokenctl help keyrings' has more", "")


def test_an_empty_passphrase_seals_nothing(asked: Home) -> None:
    """A new file store does not take an empty passphrase."""
    (asked.folder / "state" / "t" / "session.sealed").unlink()
    result = attended(asked, "login", "--no-browser", answers=[("(a new one)", b"\n")])
    assert result.status == 3 and "none was given" in result.stderr
    assert not list(asked.folder.rglob("*.sealed"))


def test_a_new_passphrase_is_asked_for_before_the_sign_in(asked: Home) -> None:
    """It is typed twice, and only then a person is sent to the server."""
    (asked.folder / "state" / "t" / "session.sealed").unlink()
    result = attended(
        asked,
        *("login", "--no-browser"),
        answers=[
            ("(a new one)", b"pass phrase\n"),
            ("again", b"pass phrase\n"),
            ("paste that page", lambda said: threading.Thread(target=fetch, args=(_address_in(said),)).start()),
            ("signed in to t", b""),
        ],
    )
    assert result.status == 0
    assert asked.run("token", environ={"TOKENCTL_PASSPHRASE": "pass phrase"}).status == 0


def _address_in(said: str) -> str:
    return next(line.strip() for line in said.splitlines() if line.startswith("http"))


def test_two_that_differ_are_asked_for_again_before_the_sign_in(asked: Home, demo_server: FaultyServer) -> None:
    """Nobody signs in for a session that will not be kept, and Ctrl-D ends the questions."""
    (asked.folder / "state" / "t" / "session.sealed").unlink()
    before = len(demo_server.requests)
    answers = [("(a new one)", b"pass phrase\n"), ("again", b"pass fraze\n"), ("(a new one)", CTRL_D)]
    result = attended(asked, "login", "--no-browser", answers=answers)
    assert result.status == 3 and "differ" in result.stderr and "none was given" in result.stderr
    assert len(demo_server.requests) == before


def test_ctrl_c_is_an_interruption(asked: Home) -> None:
    """Ctrl-C at the prompt is 130."""
    result = attended(asked, "token", answers=[(QUESTION, CTRL_C)])
    assert result.status == 130 and "interrupted" in result.stderr


def test_no_api_key_is_named(home: Home) -> None:
    """Ctrl-D where an API key is asked for is 2 and names the other ways to give one."""
    home.write_config(
        '[profiles.t]\nflow = "api-key"\n[profiles.t.api.login]\nurl = "https://api.example/login"\n'
        'body = { key = "{api_key}" }\naccess_token = "/access_token"\n'
    )
    result = attended(home, "login", answers=[("API key", CTRL_D)])
    assert result.status == 2 and "no API key was given" in result.stderr and "TOKENCTL_API_KEY_FILE" in result.stderr
