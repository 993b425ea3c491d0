"""Keyring backends that ask at the terminal: whom they ask, and what they leave."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.adapters.test_terminal_mode import prompt
from tests.servers.faulty_server import FaultyServer
from tests.support.asking_ring import QUESTION
from tests.support.commandline import COMMAND, LONG, Home
from tests.support.paths import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="terminals of POSIX")]

ASKING, READING = "tests.support.asking_ring.Asking", "tests.support.ring.Reading"
PASSWORD = {"KEYRING_PROPERTY_KEYRING_KEY": "the password"}


def signed_in(folder: Path, server: FaultyServer, backend: str) -> Home:
    """Sign in with this backend, which is told its password."""
    environ = {"TEST_RING": str(folder / "ring.json"), "PYTHONPATH": str(ROOT)}
    home = Home(folder / "home", environ, store="keyring")
    home.write_config(
        f'[profiles.t]\nissuer = "{server.issuer}"\nclient_id = "tokenctl-demo"\n'
        f'scope = "openid offline_access"\nkeyring_backend = "{backend}"\n'
    )
    result = home.login(server.issuer, environ=PASSWORD)
    assert result.status == 0, result.stderr
    return home


def piped(home: Home, *words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Pipe a line into a command that has no terminal."""
    return subprocess.run(
        [*COMMAND, *words],
        env={**home.environ, **environ},
        cwd=home.folder,
        input="the line\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=LONG,
        start_new_session=True,
    )


def test_stdin_is_for_the_command_and_not_for_a_password(tmp_path: Path, demo_server: FaultyServer) -> None:
    """A backend that asks is refused where nobody can answer; with its password it works, and `cat` gets the line."""
    home = signed_in(tmp_path, demo_server, ASKING)
    refused = piped(home, "exec", "--", "cat")
    assert (refused.returncode, refused.stdout) == (125, "")
    assert "nobody can answer here" in refused.stderr and "Warning" not in refused.stderr
    assert piped(home, "token").returncode == 3
    works = piped(home, "exec", "--", "cat", **PASSWORD)
    assert (works.returncode, works.stdout, works.stderr) == (0, "the line\n", "")


@pytest.mark.parametrize("words", [("exec", "--", "cat"), ("exec", "--token-file", "--", "cat")], ids=" ".join)
def test_no_backend_and_no_program_of_one_reads_stdin(
    tmp_path: Path, demo_server: FaultyServer, words: tuple[str, ...]
) -> None:
    """Also one that nobody knows to read it finds nothing there, and the command finds all of it."""
    home = signed_in(tmp_path, demo_server, READING)
    done = piped(home, *words)
    assert (done.returncode, done.stdout, done.stderr) == (0, "the line\n", "")


def test_a_piped_command_at_a_terminal_asks_nothing(tmp_path: Path, demo_server: FaultyServer) -> None:
    """Stdin is from a pipe, and a terminal is there: the backend is refused, and the terminal is not touched."""
    home = signed_in(tmp_path, demo_server, ASKING)
    controller, terminal = os.openpty()
    try:
        done = subprocess.run(
            ["setsid", "--ctty", "sh", "-c", 'echo the line | "$@" 2>errors', "sh", *COMMAND, "exec", "--", "cat"],
            env=home.environ,
            cwd=home.folder,
            stdin=terminal,
            stdout=subprocess.PIPE,
            check=False,
            timeout=LONG,
        )
        assert (done.returncode, done.stdout) == (125, b"")
        assert "nobody can answer here" in (home.folder / "errors").read_text()
        os.set_blocking(controller, False)
        with pytest.raises(BlockingIOError):
            os.read(controller, 100)
    finally:
        os.close(controller)
        os.close(terminal)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
def test_a_signal_at_a_backends_prompt_leaves_the_echo_on(
    tmp_path: Path, demo_server: FaultyServer, number: signal.Signals
) -> None:
    """The backend has turned it off, in a thread of its own."""
    home = signed_in(tmp_path, demo_server, ASKING)
    with prompt(home, *COMMAND, "token", question=QUESTION) as at:
        at.process.send_signal(number)
        assert at.process.wait(LONG) == (130 if number == signal.SIGINT else -number)
        assert at.echo


def test_a_person_at_a_terminal_is_asked(tmp_path: Path, demo_server: FaultyServer) -> None:
    """The answer is hidden, and the echo is on again."""
    home = signed_in(tmp_path, demo_server, ASKING)
    with prompt(home, *COMMAND, "token", question=QUESTION) as at:
        at.type(b"the password\n")
        assert at.process.wait(LONG) == 0, at.rest()
        assert at.echo and "the password" not in at.rest()
