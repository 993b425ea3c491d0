"""Plain command lines: they are answered without click, and the answer is the same."""

import re
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.servers.faulty_server import FaultyServer
from tests.support.commandline import Home, Result
from tests.support.paths import ROOT
from tokenctl.cli.commands import load
from tokenctl.cli.grammar import shared
from tokenctl.cli.plain import Plain, read
from tokenctl.cli.program import tokenctl


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("token", Plain("token", {}, ())),
        ("token -p work", Plain("token", {"--profile": "work"}, ())),
        ("-p work token --format json", Plain("token", {"--profile": "work", "--format": "json"}, ())),
        ("--profile work token", Plain("token", {"--profile": "work"}, ())),
        ("exec -- true", Plain("exec", {}, ("true",))),
        (
            "exec --env X -p work -- a --format -- b",
            Plain("exec", {"--env": "X", "--profile": "work"}, ("a", "--format", "--", "b")),
        ),
    ],
)
def test_a_plain_command_line_is_read(words: str, expected: Plain) -> None:
    """The command, its options as words of their own, and the words of the child after `--`."""
    assert read(words.split()) == expected


@pytest.mark.parametrize(
    "words",
    [
        *("", "-p", "-p work", "show", "toke", "token token", "token exec", "token --help", "-v token", "token -q"),
        *("token -p", "token -pwork", "token --profile=work", "token -p work -p work", "token -p work --profile other"),
        *(
            "token -p -p",
            "token --format yaml",
            "token --format",
            "token --form raw",
            "token --min-ttl 5",
            "token work",
        ),
        *("token --env X", "token -- true", "--env X exec -- true", "--format raw token", "token --config f"),
        *("exec", "exec --", "exec true", "exec -p work", "exec work -- true", "exec --format raw -- true"),
        *("exec --token-file -- true", "exec --scope a -- true"),
    ],
)
def test_every_other_command_line_is_left_to_click(words: str) -> None:
    """Other commands and options, joined, abbreviated, repeated and missing words, and help."""
    assert read(words.split()) is None


@pytest.mark.parametrize("empty", ["", " "])
def test_an_empty_value_is_left_to_click(empty: str) -> None:
    """It is an error, and click's way has its words."""
    assert read(["token", "-p", empty]) is None
    assert read(["exec", "--env", empty, "--", "true"]) is None


OFTEN = [
    "token",
    "exec",
    "-p",
    "--profile",
    "--format",
    "--env",
    "--",
    "work",
    "raw",
    "json",
    "X",
    "-",
    "--wait",
    "-q",
    "logout",
]
"""Words that make plain lines, and lines that are nearly plain."""


PAIRS = st.lists(
    st.sampled_from([["-p", "work"], ["--profile", "X"], ["--format", "json"], ["--env", "X"]]), max_size=3
)
CHILD = st.one_of(st.just(list[str]()), st.lists(st.sampled_from(OFTEN), max_size=3).map(lambda words: ["--", *words]))
NEARLY = st.builds(
    lambda before, command, after, child: [*chain(*before), command, *chain(*after), *child],
    *(PAIRS, st.sampled_from(["token", "exec"]), PAIRS, CHILD),
)


@given(st.one_of(NEARLY, st.lists(st.sampled_from(OFTEN), max_size=6)))
@example(["-p", "-", "exec", "--", "--", "-p"])
def test_click_reads_a_plain_line_in_the_same_way(words: list[str]) -> None:
    """Whatever is plain, click takes it for the same command, with the same options and words, and the usual defaults."""
    given = read(words)
    if given is None:
        return
    group = tokenctl.make_context("tokenctl", list(words))
    rest = [*group._protected_args, *group.args]
    command = load(rest[0])
    assert command is not None and rest[0] == given.command
    context = command.make_context(rest[0], rest[1:], parent=group)
    expected: dict[str, object] = {"min_ttl": None, "wait": 0, "scope": (), "resource": (), "audience": None}
    if given.command == "token":
        expected |= {"form": given.options.get("--format", "raw")}
    else:
        env = (given.options["--env"],) if "--env" in given.options else ()
        expected |= {"env": env, "token_file": False, "on_refresh": None, "words": given.child}
    assert context.params == expected
    assert shared(context) == (given.options.get("--profile"), None, False, False)


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
    ("token", "-p", "two words"),
    ("token", "-p", "other"),
    ("exec", "--", "sh", "-c", "echo $ACCESS_TOKEN; echo done >&2; exit 3"),
    ("exec", "--env", "X=a {access_token}", "-p", "t", "--", "printenv", "X"),
    ("exec", "--env", "1X", "--", "true"),
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
    assert read(words) is not None and read(longer) is None
    assert _without_time(ring_home.run(*words)) == _without_time(ring_home.run(*longer))


def _without_time(result: Result) -> tuple[int, str, str]:
    return result.status, re.sub('"expires_in": [0-9]+', "", result.stdout), result.stderr
