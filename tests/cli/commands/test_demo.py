"""`tokenctl demo`."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commandline import COMMAND, LONG, Home
from tests.support.fetch import fetch


@pytest.mark.slow
def test_the_whole_tour(tmp_path: Path) -> None:
    """Without HOME, account and keyring the tour goes to its end, and leaves nothing behind."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environ = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(temporary),
        "HOME": "/nonexistent",
        "TOKENCTL_ISSUER": "https://mine.example",
    }
    done = subprocess.run(
        [*COMMAND, "demo"], env=environ, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=LONG
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "processes: 4; different access tokens: 1\n" in done.stdout
    assert "renewals at the server: 1; refresh tokens used twice: 0\n" in done.stdout
    assert "the API answers 401 to the last access token" in done.stdout
    assert "tokenctl: hint: run 'tokenctl login -p demo'; 'tokenctl help signing-in' has more\n" in done.stdout
    assert done.stderr == ""  # what the commands of the tour say is a part of the tour, in its order
    assert list(temporary.iterdir()) == []


def test_it_ends_when_nobody_reads_any_more(home: Home) -> None:
    """A reader that goes after the first line ends the tour, though a command of it is waiting for a sign-in."""
    with home.start("demo") as demo:
        assert demo.stdout is not None and demo.stderr is not None
        assert demo.stdout.readline().startswith("An authorization server")
        demo.stdout.close()
        said = demo.stderr.read()
    assert (demo.returncode, said) == (1, "tokenctl: error: stdout was closed before everything was written\n")


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("number", "step"),
    [
        (signal.SIGTERM, "1. Sign in"),
        (signal.SIGTERM, "callback"),
        (signal.SIGTERM, "$ tokenctl exec"),
        (signal.SIGTERM, "$ tokenctl token"),
        (signal.SIGHUP, "$ tokenctl token"),
        (signal.SIGINT, "$ tokenctl token"),
    ],
    ids=lambda each: each.name if isinstance(each, signal.Signals) else each,
)
def test_ended_in_any_step_it_leaves_nothing(tmp_path: Path, number: signal.Signals, step: str) -> None:
    """It ends as the signal wants, and its folder with the passphrase is gone and stays so."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "tokenctl", "demo"],  # without -W error: a socket may be cut off open
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        seen = ""
        for line in demo.stdout:
            seen += line
            if step in line:
                break
        assert list(temporary.glob("tokenctl-demo-*")), seen
        demo.send_signal(number)
        rest, _ = demo.communicate(timeout=LONG)
    assert demo.returncode == (130 if number == signal.SIGINT else -number), rest
    assert "Traceback" not in rest
    assert list(temporary.iterdir()) == []


@pytest.mark.quick
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
def test_serve_ends_as_the_signal_wants(home: Home, number: signal.Signals) -> None:
    """Without a word, and leaving nothing."""
    temporary = home.folder / "tmp"
    temporary.mkdir()
    with home.start("demo", "--serve", environ={"TMPDIR": str(temporary)}) as server:
        assert server.stdout is not None and server.stdout.readline()
        server.send_signal(number)
        _, stderr = server.communicate(timeout=LONG)
    assert (server.returncode, stderr) == (-number, "")
    assert list(temporary.iterdir()) == []


def test_it_binds_nothing_but_loopback(home: Home) -> None:
    """Any other address is refused."""
    for host in ("0.0.0.0", "192.168.1.1", "example.com"):
        result = home.run("demo", "--serve", "--host", host)
        assert result.status == 2 and "this machine only" in result.stderr


@pytest.mark.parametrize("words", [("--host", "127.0.0.1"), ("--port", "4711")])
def test_an_address_is_for_the_server_that_stays(home: Home, words: tuple[str, ...]) -> None:
    """--host and --port without --serve are an error, and not without effect."""
    result = home.run("demo", *words)
    assert (result.status, result.stdout) == (2, "") and "need --serve" in result.stderr


@pytest.mark.skipif(shutil.which("curl") is None, reason="the commands that it prints use curl")
def test_serve_prints_commands_that_work(home: Home) -> None:
    """--serve keeps the server up, prints what to try, and ends with Ctrl-C."""
    with home.start("demo", "--serve", new_session=True) as server:
        assert server.stdout is not None
        said = []
        for line in server.stdout:
            said.append(line)
            if "tokenctl token -p env" in line:
                break
        issuer = next(word for line in said for word in line.split() if word.startswith("http://127.0.0.1:"))
        assert fetch(f"{issuer}/.well-known/openid-configuration") == 200
        exports = next(line for line in said if "export TOKENCTL_ISSUER" in line)
        environ = dict(each.split("=", 1) for each in exports.split()[1:])
        home.environ.pop("TOKENCTL_STORE")
        (home.folder / "tokenctl").write_text(f'#!/bin/sh\nexec {" ".join(COMMAND)} "$@"\n')
        (home.folder / "tokenctl").chmod(0o755)
        environ |= {"PATH": f"{home.folder}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["sh", "-c", said[-1]], env={**home.environ, **environ}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0 and '"hello": "tokenctl-demo-ci"' in done.stdout, done
        assert "-H @-" in said[-1] and not [line for line in said if '-H "' in line]  # no token among the arguments
        server.send_signal(signal.SIGINT)
        assert server.communicate(timeout=LONG)[1] == "tokenctl: stopped\n"
    assert server.returncode == 0
