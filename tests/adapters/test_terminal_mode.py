"""The echo of a real terminal, after a hidden prompt that a signal ended or stopped."""

import contextlib
import os
import select
import signal
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.killing.scene import wait_until
from tests.servers.faulty_server import FaultyServer
from tests.support.commandline import COMMAND, LONG, Home
from tests.support.fetch import fetch

pytestmark = pytest.mark.skipif(os.name != "posix", reason="terminals of POSIX")

QUESTION = "passphrase for the file store"


class Prompt:
    """A command that has asked for a secret, at a terminal that a shell would use after it."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", controller: int, terminal: int, question: str = QUESTION
    ) -> None:
        self.process = process
        self._question = question
        self._controller = controller
        self._terminal = terminal
        self.said = ""

    @property
    def edits(self) -> bool:
        """Tell whether the terminal's own line editing is on, as a shell needs it."""
        return bool(termios.tcgetattr(self._terminal)[3] & termios.ICANON)

    @property
    def echo(self) -> bool:
        """Tell whether the terminal shows what is typed."""
        return bool(termios.tcgetattr(self._terminal)[3] & termios.ECHO)

    def type(self, typed: bytes) -> None:
        """Press keys."""
        os.write(self._controller, typed)

    def hear(self, times: int = 1) -> None:
        """Read until the question has come up so often."""
        while self.said.count(self._question) < times:
            assert select.select([self._controller], [], [], LONG)[0], self.said
            self.said += os.read(self._controller, 65536).decode()

    def rest(self) -> str:
        """Read all that was said."""
        while select.select([self._controller], [], [], 0)[0]:
            self.said += os.read(self._controller, 65536).decode()
        return self.said


@contextlib.contextmanager
def prompt(home: Home, *words: str, question: str = QUESTION) -> Iterator[Prompt]:
    """Start a command at a terminal, and wait for its question."""
    controller, terminal = os.openpty()
    try:
        with subprocess.Popen(
            ["setsid", "--ctty", *words],
            env={**home.environ, "TERM": "dumb", "CI": ""},
            cwd=home.folder,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
        ) as process:
            try:
                found = Prompt(process, controller, terminal, question)
                found.hear()
                wait_until(lambda: not found.echo)
                yield found
            finally:
                process.kill()
    finally:
        os.close(terminal)
        os.close(controller)


@pytest.fixture
def asked(home: Home, demo_server: FaultyServer) -> Home:
    """Somebody who is signed in with the file store, and has the passphrase in their head alone."""
    assert home.login(demo_server.issuer).status == 0
    home.environ.pop("TOKENCTL_PASSPHRASE_FILE")
    return home


ENDS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGABRT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGXCPU", "SIGIO"]


@pytest.mark.parametrize("name", ENDS)
def test_a_signal_that_ends_a_hidden_prompt_leaves_the_echo_on(asked: Home, name: str) -> None:
    """The process ends as the signal wants, and what was typed of the secret is not left for the shell to show."""
    number = getattr(signal, name)
    with prompt(asked, *COMMAND, "token") as at:
        at.type(b"half a secret")
        at.process.send_signal(number)
        assert at.process.wait(LONG) == (130 if name == "SIGINT" else -number)
        assert at.echo
        at.type(b"next\n")
        assert "secret" not in at.rest()
        assert "Traceback" not in at.said


SHELL = """
set -m
"$@"
stty -a >stty.new; mv stty.new stty
while ! test -e go; do sleep 0.02; done
stty echo
fg >/dev/null
"""
"""A shell with job control: the command is stopped, the shell goes on, and then the command does."""


@pytest.mark.parametrize("how", ["Ctrl-Z", "SIGTSTP", "SIGSTOP"])
def test_a_stopped_prompt_leaves_the_echo_on_and_hides_again(asked: Home, how: str) -> None:
    """The shell shows what is typed; after `fg` the question comes again, and its answer is hidden."""
    with prompt(asked, "sh", "-c", SHELL, "sh", *COMMAND, "token") as at:
        child = int(Path(f"/proc/{at.process.pid}/task/{at.process.pid}/children").read_text().split()[0])
        if how == "Ctrl-Z":
            at.type(b"\x1a")
        else:
            os.kill(child, getattr(signal, how))
        wait_until((asked.folder / "stty").exists)
        if how != "SIGSTOP":  # nobody can catch it
            assert " echo " in (asked.folder / "stty").read_text()
        (asked.folder / "go").touch()
        at.hear(times=2)
        wait_until(lambda: not at.echo)
        at.type((asked.folder / "passphrase").read_bytes())
        assert at.process.wait(LONG) == 0, at.rest()
        assert at.echo
        assert "correct horse" not in at.rest()


WAITS = {"question": "issuer (", "sign-in": "paste that page"}
"""What a login says where it reads what is typed and shows it: at a question, and while it waits for the browser."""


def login(issuer: str, kind: str) -> list[str]:
    """The words of a login that comes to that point."""
    words = ["--issuer", issuer, "--client-id", "tokenctl-demo", "--no-browser"]
    return [*COMMAND, "login", *(words if kind == "sign-in" else [])]


@pytest.mark.parametrize("kind", WAITS)
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_that_ends_a_login_leaves_the_terminal_as_it_was(
    home: Home, demo_server: FaultyServer, kind: str, name: str
) -> None:
    """Its own line editing and its echo are on again, and it no longer marks what is pasted."""
    with prompt(home, "env", "TERM=xterm", *login(demo_server.issuer, kind), question=WAITS[kind]) as at:
        wait_until(lambda: not at.edits)
        at.process.send_signal(getattr(signal, name))
        assert at.process.wait(LONG) == (130 if name == "SIGINT" else -getattr(signal, name))
        assert at.edits and at.echo
        said = at.rest()
        assert said.count("\x1b[?2004h") == 1 and said.rindex("\x1b[?2004l") > said.rindex("\x1b[?2004h")


@pytest.mark.parametrize("kind", WAITS)
def test_a_login_that_is_stopped_goes_on(home: Home, demo_server: FaultyServer, kind: str) -> None:
    """Ctrl-Z leaves the terminal to the shell, and after `fg` what is typed is read again, without what was typed before."""
    with prompt(home, "sh", "-c", SHELL, "sh", *login(demo_server.issuer, kind), question=WAITS[kind]) as at:
        at.type(b"half" if kind == "question" else b"")
        at.type(b"\x1a")
        wait_until((home.folder / "stty").exists)
        shell = (home.folder / "stty").read_text()
        assert " echo " in shell and " icanon " in shell
        (home.folder / "go").touch()
        wait_until(lambda: not at.edits)
        if kind == "question":
            at.hear(times=2)
        at.type(b"127.0.0.1:1\x15!\x03")
        assert at.process.wait(LONG) == 130, at.rest()
        assert at.edits and at.echo


BACKGROUND = """
set -m
"$@"
bg >/dev/null
touch gone
wait %1
"""
"""A shell that lets a stopped command go on in the background."""


def test_a_login_goes_on_in_the_background(home: Home, demo_server: FaultyServer) -> None:
    """After Ctrl-Z and `bg` it waits for the browser alone: it does not touch the terminal, which is the shell's again."""
    words = ("sh", "-c", BACKGROUND, "sh", *login(demo_server.issuer, "sign-in"))
    with prompt(home, *words, question=WAITS["sign-in"]) as at:
        at.type(b"\x1a")
        wait_until((home.folder / "gone").exists)
        fetch(next(line for line in at.rest().splitlines() if line.startswith("http")))
        assert at.process.wait(LONG) == 0, at.rest()
        assert at.edits and at.echo and "signed in to default" in at.rest()
