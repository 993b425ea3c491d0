"""A client that closes its ends of the pipes, says too much, or meets a defect: an exit status, and no traceback."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.handoff.conftest import Account
from tests.support.commandline import LONG
from tests.support.helper_client import git
from tokenctl.cli.actions import helper as action
from tokenctl.errors import TokenctlError
from tokenctl.handoff.helpers.conversation import Conversation
from tokenctl.handoff.helpers.question import Answer, Given, Question
from tokenctl.runtime import Runtime

ASKED = git("git.example.com")


@pytest.fixture
def bound(account: Account) -> Account:
    """The account, whose profile `t` is bound to git."""
    path = Path(account.environ["TOKENCTL_CONFIG"])
    path.write_text(path.read_text().replace("hosts = [", 'hosts = ["https://git.example.com", '))
    return account


def shell(account: Account, line: str, stdin: bytes = ASKED) -> "subprocess.CompletedProcess[bytes]":
    """Run a line of sh in which `$T` is `python -m tokenctl`."""
    return subprocess.run(
        ["sh", "-c", line.replace("$T", f"'{sys.executable}' -P -W error -m tokenctl")],
        env=dict(account.environ),
        input=stdin,
        capture_output=True,
        timeout=LONG,
        check=False,
    )


BOUND, UNBOUND = "$T helper git get", "$T helper docker get"


@pytest.mark.skipif(os.name != "posix", reason="Windows has no sh")
def test_no_end_of_a_pipe_makes_a_traceback(bound: Account) -> None:
    """Stdin that is closed or cannot be read, stdout that is closed or full, and stderr that is closed."""
    for call in (BOUND, UNBOUND, "$T helper cargo --cargo-plugin"):
        for ends in ("<&-", "0>/dev/null", "2>&-", "<&- >&- 2>&-"):
            done = shell(bound, f"{call} {ends}")
            assert b"Traceback" not in done.stderr and done.returncode in (0, 1, 2), done
    for call, stdin in ((BOUND, ASKED), (UNBOUND, b"other.example.com\n")):
        for ends in (">&-", ">/dev/full"):
            done = shell(bound, f"{call} {ends}", stdin)  # a part of an answer must not be taken for all of it
            assert b"Traceback" not in done.stderr and done.returncode == 1, done


@pytest.mark.skipif(os.name != "posix", reason="Windows has no sh")
def test_a_client_that_never_ends_is_refused(bound: Account) -> None:
    """More than a MiB is no question: an error, and no token."""
    for call in (BOUND, UNBOUND, "$T helper cargo --cargo-plugin"):
        for source in ("head -c 3000000 /dev/zero", *(["yes token=x"] if "cargo" not in call else [])):
            done = shell(bound, f"{source} | {call}")
            assert b"Traceback" not in done.stderr and bound.session.access_token.encode() not in done.stdout
            assert done.returncode in (0, 1, 2)


class Defective:
    """A protocol whose `found` has a defect."""

    def reads(self, words: Sequence[str], /) -> str:
        return "nothing"

    def read(self, words: Sequence[str], content: bytes, environ: Mapping[str, str], /) -> Question:
        return Question("token", "https://git.example.com")

    def found(self, question: Question, given: Sequence[Given], now: int, /) -> Answer:
        raise LookupError(given[0].token)

    def failed(self, question: Question, error: TokenctlError, /) -> Answer:
        return Answer(b"FAILED\n", 1, error.message, error.next_step)


def test_a_defect_is_a_failure_of_the_protocol(bound: Account, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """The client is told in its own words; the text of the exception, which can have a secret, is not written."""
    conversation = Conversation(Defective(), None, [])  # type: ignore[arg-type]
    conversation.next({})
    assert action.go_on(Runtime(bound.environ), conversation) == 1
    written = capfdbinary.readouterr()
    assert written.out == b"FAILED\n" and b"unexpected LookupError at test_streams.py:" in written.err
    assert bound.session.access_token.encode() not in written.err


@pytest.mark.skipif(os.name != "posix", reason="Windows has no sh")
def test_five_processes_that_were_refused_renew_once(bound: Account) -> None:
    """Each is a git that erases the token and asks again; the server sees one renewal."""
    token = bound.session.access_token
    erase = git("git.example.com", f"password={token}").decode()
    one = f"printf '%s' '{erase}' | $T helper git erase; printf 'protocol=https\nhost=git.example.com\n\n' | $T helper git get"
    done = shell(bound, "for i in 1 2 3 4 5; do (" + one + ") & done; wait")
    passwords = {line for line in done.stdout.decode().splitlines() if line.startswith("password=")}
    assert len(passwords) == 1 and f"password={token}" not in passwords and done.stderr == b""
    assert done.stdout.count(b"password=") == 5 and bound.refreshes == 1
