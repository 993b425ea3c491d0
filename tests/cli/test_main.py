"""The command table, the exit statuses and the voice, through the command line."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.support.commandline import COMMAND, Home, Result
from tokenctl import __version__
from tokenctl.cli.commands import load
from tokenctl.cli.completion import SHELLS
from tokenctl.cli.program import COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_says(name: str) -> None:
    """The line in the table is the first sentence of the command's own help."""
    command, line = load(name), COMMANDS[name]
    assert command is not None
    assert command.help and line == command.help.split("\n\n")[0].replace("\n", " ").strip("\b ")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help(name: str) -> None:
    """No command and no option goes without an explanation."""
    command = load(name)
    assert command is not None
    assert command.help
    assert [each.name for each in command.params if isinstance(each, click.Option) and not each.help] == []


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
def test_the_help_says_how_to_install_the_completions(home: Home) -> None:
    """Its lines work as they stand, in any shell and in a home without any of the folders, and write nowhere else."""
    (home.folder / "tokenctl").write_text(f'#!/bin/sh\nexec {" ".join(COMMAND)} "$@"\n')
    (home.folder / "tokenctl").chmod(0o755)
    environ = {**home.environ, "PATH": f"{home.folder}:{os.environ['PATH']}"}
    lines = home.run("completion", "--help").stdout.splitlines()
    words = [line.partition(":  ")[2] or line for line in lines if "mkdir" in line or " > " in line]
    done = subprocess.run(
        ["sh", "-e", "-c", "\n".join(words)], env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    written = {path.name for path in home.folder.rglob("*") if path.is_file()} - {"tokenctl", "passphrase"}
    assert written | {"tokenctl.bash"} == set(SHELLS.values())
    assert (home.folder / ".local/share/bash-completion/completions/tokenctl").is_file()


def test_the_script_of_an_older_version_gets_an_empty_answer(home: Home) -> None:
    """It asks tokenctl at TAB, and would take whatever is printed for words to offer."""
    old = {"_TOKENCTL_COMPLETE": "bash_complete", "COMP_WORDS": "tokenctl ", "COMP_CWORD": "1"}
    assert home.run(environ=old) == Result(status=0, stdout="", stderr="")
    assert home.run("--version", environ=old).stdout == f"tokenctl {__version__}\n"


def test_nothing_typed_shows_what_to_do_next(home: Home) -> None:
    """Without a word, tokenctl shows its commands and the first steps."""
    result = home.run()
    assert result.status == 0
    assert "tokenctl demo" in result.stdout and "tokenctl login " in result.stdout


def test_a_group_alone_shows_its_help(home: Home) -> None:
    """A group without a command answers with its help, as tokenctl itself does."""
    result = home.run("store")
    assert (result.status, result.stderr) == (0, "")
    assert result.stdout == home.run("store", "--help").stdout


@pytest.mark.parametrize("words", [("store", "migrate"), ("completion",)])
def test_choices_are_listed_on_one_line(home: Home, words: tuple[str, ...]) -> None:
    """What may be chosen stands in the error's own line, with nothing replaced."""
    (line,) = (each for each in home.run(*words).stderr.splitlines() if "error: missing" in each)
    assert "Choose from: " in line and "\N{REPLACEMENT CHARACTER}" not in line


@pytest.mark.quick
def test_version(home: Home) -> None:
    """--version answers name and version."""
    assert home.run("--version").stdout == f"tokenctl {__version__}\n"


@pytest.mark.quick
@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("nonsense",), 2),
        (("token", "--nonsense"), 2),
        (("token", "--min-ttl", "soon"), 2),
        (("token", "-p", "../etc"), 2),
        (("token", "-p", "nobody"), 2),
        (("exec", "--nonsense", "--", "true"), 125),
        (("exec",), 125),
        (("exec", "-p", "nobody", "--", "true"), 125),
    ],
)
def test_wrong_words(home: Home, words: tuple[str, ...], status: int) -> None:
    """Wrong words are an error on stderr with a hint, the documented status, and an empty stdout."""
    result = home.run(*words)
    assert (result.status, result.stdout) == (status, "")
    assert "tokenctl: error: " in result.stderr and "tokenctl: hint: " in result.stderr
    assert "Traceback" not in result.stderr


def test_no_time_at_all_is_no_timeout(home: Home) -> None:
    """A sign-in cannot be waited for without waiting: --timeout 0 is an error that names it."""
    result = home.run("login", "--issuer", "https://unused.example", "--client-id", "x", "--timeout", "0m")
    assert result.status == 2 and "'--timeout': '0m' must be more than 0 seconds" in result.stderr


def _options_with_a_value() -> list[tuple[str, str]]:
    found = []
    for name in COMMANDS:
        command = load(name)
        assert command is not None
        every = (
            [(f"{name} {each.name}", each) for each in command.commands.values()]
            if isinstance(command, click.Group)
            else [(name, command)]
        )
        found += [
            (path, each.opts[0])
            for path, command in every
            for each in command.params
            if isinstance(each, click.Option) and not each.is_flag
        ]
    # What a mail program says is read by the protocol, not by click.
    return [(path, option) for path, option in found if path != "helper sasl" or option == "--config"]


@pytest.mark.parametrize(("command", "option"), _options_with_a_value())
@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_value_is_refused(home: Home, command: str, option: str, value: str) -> None:
    """Whatever the option, an empty value is an error that names it, and never means "not given"."""
    needed: dict[str, tuple[str, ...]] = {
        "store migrate": ("--to", "file"),
        "audit acknowledge": ("clock-jumped",),
        "demo": ("--serve",),
        "proxy": ("https://a.example",),
        "write-file": ("token.txt",),
        "helper install": ("git", "--host", "https://a.example"),
        "helper uninstall": ("git", "--host", "https://a.example"),
    }
    before = needed.get(command, ())
    after = ("--", "true") if command == "exec" else ()
    result = home.run(*command.split(), *before, option, value, *after)
    assert (result.status, result.stdout) == (125 if command == "exec" else 2, "")
    assert option in result.stderr and "Traceback" not in result.stderr


@pytest.mark.quick
@pytest.mark.parametrize("name", ["PROFILE", "CONFIG", "STATE_DIR", "SCOPE"])
@pytest.mark.parametrize("words", [("token",), ("login",), ("show",), ("exec", "--", "true")])
def test_an_empty_variable_is_an_error_as_an_empty_option_is(home: Home, name: str, words: tuple[str, ...]) -> None:
    """It is an unset variable of a script, and no command goes on as if it was not there."""
    result = home.run(*words, environ={f"TOKENCTL_{name}": ""})
    assert (result.status, result.stdout) == (125 if words[0] == "exec" else 2, "")
    assert f"TOKENCTL_{name} is set and empty" in result.stderr


def test_logout_is_revoke(home: Home) -> None:
    """`logout` is another name of `revoke`."""
    assert home.run("logout", "--help").stdout.replace("logout", "revoke") == home.run("revoke", "--help").stdout


@pytest.mark.skipif(os.name != "posix", reason="needs /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [("completion", "bash"), ("--help",), ("token", "--help"), ("--version",), ("demo",)])
def test_a_full_stdout_is_an_error(home: Home, words: tuple[str, ...], unbuffered: str) -> None:
    """An answer that cannot be written is an error, not a silent success, whoever writes it."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, *words],
            env={**home.environ, "PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "tokenctl: error: stdout cannot be written: No space left on device\n"


@pytest.mark.parametrize("words", [("completion", "bash"), ("--help",), ("demo",)])
def test_a_reader_that_is_gone_is_an_error_without_a_traceback(home: Home, words: tuple[str, ...]) -> None:
    """A broken pipe ends with status 1 and one line."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, *words],
        env=home.environ,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert done.returncode == 1
    assert done.stderr == "tokenctl: error: stdout was closed before everything was written\n"


def test_ctrl_c_at_the_very_end_writes_no_traceback() -> None:
    """When the command is done the process ends at once, without what Python does last; Ctrl-C has its usual effect."""
    late = "import atexit; atexit.register(print, 'taken apart')"
    last = "import os, signal; leave = os._exit; os._exit = lambda s: (os.kill(os.getpid(), signal.SIGINT), leave(s))"
    program = "import sys; from tokenctl.cli.main import main; main(sys.argv[1:])"
    for before, status in ((late, 0), (last, -signal.SIGINT)):
        words = [sys.executable, "-c", f"{before}; {program}", "--version"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.count("\n"), done.stderr) == (status, 1, "")


def test_a_hostile_current_directory_changes_nothing(home: Home, tmp_path: Path) -> None:
    """Modules and config files in the current directory are not read by the console script."""
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    for name in ("click.py", "keyring.py", "httpx.py", "tomllib.py", "sitecustomize.py"):
        (hostile / name).write_text("raise SystemExit('hijacked')\n")
    for name in ("config.toml", "tokenctl.toml", "pyproject.toml", ".env", "keyringrc.cfg"):
        (hostile / name).write_text('[profiles.evil]\nissuer = "https://evil.example"\n')
    script_path = Path(sys.executable).with_name("tokenctl")
    done = subprocess.run(
        [str(script_path), "show", "--all"], env=home.environ, cwd=hostile, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "hijacked" not in done.stderr and "evil" not in done.stdout + done.stderr
