"""The fast way: which command lines it reads, when a copy is fresh, and who can read the key."""

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.paths import ROOT
from tests.support.real_parts import Missing, available
from tests.support.sessions import session
from tokenctl import fast_path
from tokenctl.cli.grammar import shared
from tokenctl.cli.program import tokenctl
from tokenctl.config import environment, variables
from tokenctl.handoff.environment import DEFAULT_VARIABLE, EXPIRY_VARIABLE, FILE_VARIABLE
from tokenctl.model.profile import Profile

WORDS = (
    *("token", "exec", "-p", "--profile", "--profile=work", "work", "env", "-", "", "a b", "--format", "--format=json"),
    *("raw", "header", "json", "yaml", "--env", "--env=NAME", "NAME", "NAME=x", "9", "--", "true", "-v", "--min-ttl"),
    *("--format=", "-pwork", "--help", "--scope", "show"),
)


@pytest.mark.parametrize(
    ("line", "options", "child"),
    [
        ("token", {}, []),
        ("token -p work --format=json", {"--profile": "work", "--format": "json"}, []),
        ("--profile work token --format header", {"--profile": "work", "--format": "header"}, []),
        ("exec -- ls -l --", {}, ["ls", "-l", "--"]),
        ("exec -p work --env NAME -- ls", {"--profile": "work", "--env": "NAME"}, ["ls"]),
    ],
)
def test_the_common_command_lines_are_read(line: str, options: dict[str, str], child: list[str]) -> None:
    """The command lines that scripts have are read."""
    assert fast_path.parse(shlex.split(line)) == (options, child)


@pytest.mark.parametrize(
    "line",
    [
        *(
            "",
            "show",
            "token x",
            "token --min-ttl 5m",
            "token --scope a",
            "token -v",
            "-q token",
            "token --format yaml",
        ),
        *(
            "token -p a -p b",
            "token -p",
            "token -p ''",
            "token --format",
            "exec",
            "exec --",
            "exec ls",
            "exec work -- ls",
        ),
        *("exec --env A=b -- ls", "exec --env A --env B -- ls", "exec --token-file -- ls", "token --", "-- token"),
        *("--format raw token", "exec --format raw -- ls", "token exec -- ls", "token --help", "--config f token"),
    ],
)
def test_every_other_command_line_is_left(line: str) -> None:
    """Whatever else is on the command line, right or wrong, the ordinary way answers it."""
    assert fast_path.parse(shlex.split(line)) is None


@given(st.lists(st.sampled_from(WORDS), max_size=6))
def test_what_is_read_is_what_the_command_line_means(words: list[str]) -> None:
    """A command line that the fast way reads means the same to the program's own parser."""
    read = fast_path.parse(words)
    if read is None:
        return
    options, child = read
    context = tokenctl.make_context("tokenctl", list(words))
    with context:
        name, command, rest = tokenctl.resolve_command(context, [*context._protected_args, *context.args])
        assert command is not None
        with command.make_context(name, rest, parent=context) as inner:
            assert name == ("exec" if child else "token")
            assert shared(inner).name == options.get("--profile")
            assert inner.params.get("form", "raw") == options.get("--format", "raw")
            assert list(inner.params.get("env", ())) == ([options["--env"]] if "--env" in options else [])
            assert list(inner.params.get("words", ())) == child


def test_it_knows_the_variables_of_the_ordinary_way() -> None:
    """Each variable of a CI system, each of a child, and no other of tokenctl's settings is known here."""
    assert all(set(names) & set(fast_path.JOBS) for names in environment.JOBS)
    assert set(fast_path.REMOVED) == {DEFAULT_VARIABLE, EXPIRY_VARIABLE, FILE_VARIABLE}
    assert set(fast_path.NAMED) <= {*variables.NAMES}


@given(st.sampled_from(sorted(variables.NAMES)), st.text(max_size=5))
def test_any_other_variable_leaves_it_to_the_ordinary_way(name: str, value: str) -> None:
    """A variable that says more than a name or a path leaves the answer to the ordinary way."""
    if name not in fast_path.NAMED:
        assert fast_path.question("", {"HOME": "/root", name: value}) is None


@pytest.mark.parametrize(
    "environ", [{}, {"HOME": ""}, {"HOME": "here"}, {"HOME": "/nonexistent"}, {"XDG_CONFIG_HOME": "here"}]
)
def test_a_config_file_that_is_not_found_here_leaves_it_to_the_ordinary_way(environ: dict[str, str]) -> None:
    """Where the ordinary way asks the user database for the home directory, or finds no config file, there is no copy."""
    assert fast_path.question("", environ) is None


times = st.integers(0, 1000)


@given(obtained=times, life=times, now=times, uptime=times, booted=st.none() | times, boot=st.booleans(), min_ttl=times)
def test_a_copy_is_fresh_when_the_session_is(
    obtained: int, life: int, now: int, uptime: int, booted: int | None, boot: bool, min_ttl: int
) -> None:
    """A copy is fresh exactly when the ordinary way calls its session fresh, by two clocks that go as they like."""
    kept = replace(
        session(1),
        obtained_at=obtained,
        expires_at=obtained + life,
        boot_id="this",
        booted_at_ms=None if booted is None else booted * 1000,
    )
    boot_id = "this" if boot else "another"
    at = kept.time(now, boot_id, uptime * 1000)
    copy = fast_path.copy_of(Profile(name="t"), kept, min_ttl, boot_id) or {}
    left = kept.remaining(at)
    expected = at if kept.fresh(at, min_ttl) and left else None
    assert fast_path.fresh_at(copy, now, uptime * 1000) == expected


# -- the kernel's keyring, in processes of their own ---------------------------------------------------------

KEEP = """
import os, sys, time
from tokenctl import fast_path
fast_path._question = ("tokenctl:1|test|" + sys.argv[1], fast_path.see(sys.argv[1]))
now = int(time.time())
copy = dict(token="AT-in-the-kernel", token_type="Bearer", scope="null", profile="t", obtained_at=str(now - 1),
            expires_at=str(now + int(sys.argv[2])), fresh_until=str(now + int(sys.argv[2])), booted_at="", exec="yes",
            variable="ACCESS_TOKEN")
folder = os.path.dirname(sys.argv[1])
fast_path.keep(copy, folder, fast_path.begin(folder), [sys.argv[1]])
"""
FIND = """
import sys
from tokenctl import fast_path
print((fast_path._open().find("tokenctl:1|test|" + sys.argv[1]) or {}).get("token", "none"))
"""


def run(source: str, *words: str) -> str:
    """Run Python in a process of its own and return what it prints."""
    done = subprocess.run([sys.executable, "-c", source, *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """A file that a copy depends on, in a kernel that keeps copies; all copies are dropped in the end."""
    with available():
        if fast_path._open() is None:
            raise Missing("no kernel keyring that this process may use")
    path = tmp_path / "file"
    path.write_text("as it was")
    older = time.time() - 10
    os.utime(path, (older, older))
    time.sleep(2 * fast_path.TICK / 1e9)
    yield path
    fast_path.drop(str(tmp_path))


def listed(path: Path) -> list[str]:
    """The lines of the kernel's list of keys that are of this test. `i` marks a key that is being removed."""
    lines = Path("/proc/keys").read_text().splitlines()
    return [line for line in lines if f"tokenctl:1|test|{path}" in line and "i" not in line.split()[1]]


@pytest.mark.slow
def test_another_process_finds_a_copy(file: Path) -> None:
    """A copy that one process leaves is found by another one, with the rights of its owner alone, and ends in time."""
    run(KEEP, str(file), "500")
    assert run(FIND, str(file)) == "AT-in-the-kernel"
    (line,) = listed(file)
    ends, rights = line.split()[3:5]
    assert rights == "003b0000"
    assert ends in ("8m", "7m")


@pytest.mark.slow
def test_a_change_of_a_file_removes_the_copy(file: Path) -> None:
    """A copy is not used, and is removed, when a file that it depends on has changed."""
    run(KEEP, str(file), "500")
    file.write_text("other")
    assert run(FIND, str(file)) == "none"
    assert not listed(file)


@pytest.mark.slow
def test_the_kernel_ends_a_copy(file: Path) -> None:
    """A copy is gone when its token expires, whoever asks."""
    run(KEEP, str(file), "2")
    time.sleep(3)
    assert run(FIND, str(file)) == "none"


@pytest.mark.slow
def test_a_file_that_changed_just_now_leaves_no_copy(file: Path) -> None:
    """A file could change once more without another time of change, so a copy waits for the next process."""
    os.utime(file, (time.time() + 1000, time.time() + 1000))  # so that it is still recent on a busy machine
    run(KEEP, str(file), "500")
    assert not listed(file)


SHARE = """
import ctypes, os, sys
from tokenctl import fast_path
kernel = fast_path._open()
users = kernel._call(0, -4, 1)  # the number of this user's keyring
kernel._call(1, None)  # a new session keyring
kernel._call(8, -4, -3)  # it holds this user's keyring, as that of a login does
seen = fast_path.see(sys.argv[1])
os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)  # as sudo does, which leaves the session keyring
"""
READ = """
number = ctypes.c_int(int(sys.argv[2], 16))
for operation in (11, 6, 21, 3, 9):  # read, describe, invalidate, revoke, unlink
    print(kernel._call(operation, number, kernel._buffer, 4096), end=" ")
print(len(kernel._text(11, users)) > 0)  # it may look into the keyring itself
"""
PLANT = """
fast_path._OF_USER, fast_path._RIGHTS = users, 0x3F3F3F3F
copy = "token=of-another-user\\nobtained_at=0\\nfresh_until=9999999999\\nbooted_at="
kernel.add("tokenctl:1|test|" + sys.argv[1], copy + "\\n\\n" + seen, 500)
key = kernel._call(10, users, b"user", b"tokenctl:1|test|" + sys.argv[1].encode(), 0)
print(kernel._text(6, key).decode())
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root can become another user")
def test_another_user_cannot_read_a_copy(file: Path) -> None:
    """Another user cannot do anything with the key, not even a process that shares the session keyring, as with sudo."""
    run(KEEP, str(file), "500")
    (line,) = listed(file)
    assert run(SHARE + READ, str(file), line.split()[0]) == "-1 -1 -1 -1 -1 True"
    assert run(FIND, str(file)) == "AT-in-the-kernel"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root can become another user")
def test_a_copy_of_another_user_is_ignored(file: Path) -> None:
    """A key that another user put into this user's keyring is never given away, although its name is right."""
    assert run(SHARE + PLANT, str(file)).startswith("user;65534;65534;3f3f3f3f;tokenctl:1|test|")
    assert run(FIND, str(file)) == "none"


def test_json_is_what_the_json_module_writes() -> None:
    """The fast way writes JSON without the module, and as the module does."""
    copy = {
        "token": "a.b-c",
        "token_type": "Bearer",
        "scope": json.dumps('a "b" é'),
        "profile": "t",
        "expires_at": "900",
    }
    assert json.dumps(json.loads(fast_path.text("json", copy, 100))) == fast_path.text("json", copy, 100)
