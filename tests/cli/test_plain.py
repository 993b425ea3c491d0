"""The common command lines of `token` and `exec`: they are answered without click, and the answer is the same."""

import re
import shlex
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers.faulty_server import FaultyServer
from tests.support.commandline import Home, Result
from tests.support.paths import ROOT
from tokenctl.cli import plain
from tokenctl.cli.grammar import shared
from tokenctl.cli.program import tokenctl
from tokenctl.handoff.helpers import LINES

VOCABULARY = (
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
    assert plain.read(shlex.split(line)) == (options, child)


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
        *("token -p a -p b", "token -p", "token -p ''", "token --format", "exec", "exec --", "exec ls", "exec a -- ls"),
        *("exec --env A=b -- ls", "exec --env A --env B -- ls", "exec --token-file -- ls", "token --", "-- token"),
        *("--format raw token", "exec --format raw -- ls", "token exec -- ls", "token --help", "--config f token"),
    ],
)
def test_every_other_command_line_is_left(line: str) -> None:
    """Whatever else is on the command line, right or wrong, click reads it."""
    assert plain.read(shlex.split(line)) is None


@given(st.lists(st.sampled_from(VOCABULARY), max_size=6))
def test_what_is_read_is_what_the_command_line_means(words: list[str]) -> None:
    """A command line that is read here means the same to the program's own parser."""
    found = plain.read(words)
    if found is None:
        return
    options, child = found
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


@pytest.fixture
def ring_home(tmp_path: Path, demo_server: FaultyServer) -> Home:
    """A HOME with two profiles, of which the default one is signed in, and a keyring that costs nothing."""
    home = Home(tmp_path / "home", {"TEST_RING": str(tmp_path / "ring.json"), "PYTHONPATH": str(ROOT)}, store="keyring")
    members = (
        'client_id = "tokenctl-demo"\nscope = "openid offline_access"\nkeyring_backend = "tests.support.ring.Ring"\n'
    )
    tables = [f'[profiles.{name}]\nissuer = "{demo_server.issuer}"\n{members}' for name in ("t", "other")]
    home.write_config('default_profile = "t"\n' + "\n".join(tables))
    assert home.login(demo_server.issuer).status == 0
    return home


WORDS = [
    ("token",),
    ("token", "-p", "t"),
    ("-p", "t", "token", "--format", "header"),
    ("token", "--format", "json"),
    ("token", "-p", "nope"),
    ("token", "-p", "other"),
    ("exec", "--", "sh", "-c", "echo $ACCESS_TOKEN; echo done >&2; exit 3"),
    ("exec", "--env", "X", "-p", "t", "--", "printenv", "X"),
    ("exec", "-p", "other", "--", "true"),
    ("exec", "--", "no-such-program"),
    ("exec", "--", "t"),
    ("exec", "--", ""),
]


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_click_gives_the_same_answer(ring_home: Home, words: tuple[str, ...]) -> None:
    """Status, stdout and stderr are those of click's way, which an option with its default value leads to."""
    at = min(words.index(each) for each in ("token", "exec") if each in words) + 1
    longer = (*words[:at], "--wait", "0", *words[at:])
    assert plain.read(words) is not None and plain.read(longer) is None
    assert _without_time(ring_home.run(*words)) == _without_time(ring_home.run(*longer))


def _without_time(result: Result) -> tuple[int, str, str]:
    return result.status, re.sub('"expires_in": [0-9]+', "", result.stdout), result.stderr


# -- the call of a helper ----------------------------------------------------------------------------------

OF_HELPERS = (
    *("helper", "git", "docker", "sasl", "oauthbearer", "get", "-p", "--profile", "--profile=work", "-p=x", "work"),
    *("-pwork", "-v", "-q", "-h", "--help", "--config", "--config=x", "--verbose=", "--", "-", "", "-x", "--user"),
    *(
        "--user=a",
        "me@example.com",
        "--port",
        "993",
        "--cargo-plugin",
        "--cargo-plugin=x",
        " ",
        "https://a.example/?x=-p",
    ),
)


def by_click(words: list[str]) -> tuple[str | None, str | None, list[str]]:
    """Read a call of a helper as click does: its name, the profile, and the words for it. Raises click.ClickException."""
    ctx = tokenctl.make_context("tokenctl", list(words))
    while isinstance(ctx.command, click.Group):
        name, command, rest = ctx.command.resolve_command(ctx, [*ctx._protected_args, *ctx.args])
        assert name is not None and command is not None
        ctx = command.make_context(name, rest, parent=ctx)
    return ctx.info_name, shared(ctx).name, list(ctx.params["words"])


@given(
    st.lists(st.sampled_from(OF_HELPERS), max_size=8) | st.lists(st.text(max_size=4), max_size=3),
    st.integers(0, 5),
    st.sampled_from([*LINES]),
)
def test_click_reads_the_call_of_a_helper_in_the_same_way(words: list[str], at: int, helper: str) -> None:
    """What is read without click means the same to click: the helper, the profile, and every word of the client."""
    words = [*words[:at], "helper", *words[at : at + 1], helper, *words[at + 1 :]]
    found = plain.read_helper(words)
    if found is not None and found[0] in LINES:
        assert by_click(words) == found


@pytest.mark.parametrize(
    ("line", "name", "profile", "words"),
    [
        ("helper git get", "git", None, ["get"]),
        ("-p work helper git get", "git", "work", ["get"]),
        ("helper -p work git get", "git", "work", ["get"]),
        ("helper git -p work get", "git", "work", ["get"]),
        ("helper git get --profile=work", "git", "work", ["get"]),
        ("helper cargo --cargo-plugin", "cargo", None, ["--cargo-plugin"]),
        (
            "helper sasl oauthbearer --user U -p work --host H --port 1",
            *("sasl", "work", ["oauthbearer", "--user", "U", "--host", "H", "--port", "1"]),
        ),
    ],
)
def test_the_call_of_a_helper_is_read(line: str, name: str, profile: str | None, words: list[str]) -> None:
    """The profile stands anywhere, and the words of the client are passed on as they are: with click and without it."""
    assert plain.read_helper(line.split()) == (name, profile, words) == by_click(line.split())


@pytest.mark.parametrize("line", ["helper", "helper -v git get", "helper git -x", "helper git --help", "helper git -p"])
def test_other_calls_of_a_helper_are_clicks(line: str) -> None:
    """What is no call of a client is read by click alone."""
    assert plain.read_helper(line.split()) is None
