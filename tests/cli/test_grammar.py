"""What every command has in common: options before and after the command, "did you mean", examples."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.support.sessions import session
from tokenctl.cli import main as cli
from tokenctl.cli.commands import load
from tokenctl.cli.grammar import CommandWithChild
from tokenctl.cli.program import COMMANDS, ELSEWHERE
from tokenctl.runtime import Runtime
from tokenctl.storage.memory_store import MemoryStore

CONFIG = """\
[profiles.work]
issuer = "https://a.example"
client_id = "c"

[profiles.home]
issuer = "https://b.example"
client_id = "c"
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment with a config file of two profiles."""
    (tmp_path / "config.toml").write_text(CONFIG)
    return {"TOKENCTL_CONFIG": str(tmp_path / "config.toml"), "TOKENCTL_STATE_DIR": str(tmp_path / "state")}


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its path, those of groups too."""
    for name in COMMANDS:
        found = load(name)
        assert found is not None
        yield name, found
        if isinstance(found, click.Group):
            yield from ((f"{name} {each}", command) for each, command in found.commands.items())


def run(environ: dict[str, str], *words: str) -> int:
    """Run the program in this process."""
    return cli.run(words, obj=Runtime(environ))


@pytest.mark.parametrize(
    "words",
    [
        ("-p", "home", "profile", "show"),
        ("--profile=home", "profile", "show"),
        ("profile", "-p", "home", "show"),
        ("profile", "show", "-p", "home"),
        ("-p", "home", "profile", "show", "-p", "home"),
        ("-p", "home", "-p", "home", "profile", "show"),
    ],
)
def test_the_profile_can_stand_before_and_after_the_command(
    environ: dict[str, str], words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """And at both places, if it is the same one."""
    assert run(environ, *words) == 0
    assert "issuer: https://b.example" in capsys.readouterr().out


def test_the_config_file_can_stand_before_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As after it."""
    (tmp_path / "other.toml").write_text('[profiles.there]\nissuer = "https://c.example"\n')
    assert run({}, "--config", str(tmp_path / "other.toml"), "profile", "list") == 0
    assert capsys.readouterr().out == "there\thttps://c.example\tauto\tdefault\n"


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("-p", "work", "show", "-p", "home"), 2, "--profile is given twice, as 'work' and as 'home'"),
        (("-p", "work", "-p", "home", "show"), 2, "--profile is given twice, as 'work' and as 'home'"),
        (("exec", "-p", "work", "-p", "home", "--", "true"), 125, "--profile is given twice"),
        (("--config", "/a", "--config", "/b", "show"), 2, "--config is given twice"),
        (("profile", "set", "work", "scope=a", "scope=b"), 2, "scope is given twice"),
        (("--config", "/a", "show", "--config", "/b"), 2, "--config is given twice, as '/a' and as '/b'"),
        (("-v", "show", "-q"), 2, "--verbose and --quiet contradict each other"),
        (("-p", "work", "show", "--all"), 2, "--all and --profile contradict each other"),
        (("revoke", "--all", "-p", "work"), 2, "--all and --profile contradict each other"),
        (("-p", "", "show"), 2, "it is empty"),
        (("-p", "work", "exec", "-p", "home", "--", "true"), 125, "--profile is given twice"),
        (("--config", "exec", "exec", "--nonsense"), 125, "no such option"),
        (("-vp", "exec", "show", "--nonsense"), 2, "no such option"),
    ],
)
def test_a_contradiction_is_an_error(
    environ: dict[str, str], words: tuple[str, ...], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody has to know which of the two would win."""
    assert run(environ, *words) == status
    written = capsys.readouterr()
    assert written.out == "" and said in written.err


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (("lgoin",), "login"),
        (("logut",), "logout"),
        (("profile", "lst"), "list"),
        (("store", "migrat"), "migrate"),
        (("helper", "gti"), "git"),
        (("--verbos", "show"), "--verbose"),
        (("token", "--frmat", "raw"), "--format"),
        (("profile", "list", "--jsn"), "--json"),
        (("show", "-p", "wrok"), "work"),
        (("-p", "Home", "token"), "home"),
        (("profile", "default", "hoem"), "home"),
        (("profile", "set", "work", "isuer=x"), "issuer"),
        (("profile", "unset", "work", "client-id"), "client_id"),
        (("profile", "set", "work", "flow=browsr"), "browser"),
        (("login", "-p", "wrok"), "work"),
    ],
)
def test_a_wrong_word_gets_the_nearest_one(
    environ: dict[str, str], words: tuple[str, ...], near: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever kind of name it is: command, option, profile, setting or value."""
    assert run(environ, *words) == 2
    assert capsys.readouterr().err.endswith(f"tokenctl: hint: did you mean {near!r}?\n")


@pytest.mark.parametrize("word", sorted(ELSEWHERE))
def test_the_word_of_another_tool_gets_the_command_of_this_one(
    environ: dict[str, str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status, whoami, list, config: whoever comes from elsewhere finds it, and what is said exists."""
    assert run(environ, word) == 2
    said = re.search(r"hint: here it is 'tokenctl ([a-z-]+)", capsys.readouterr().err)
    assert said is not None and (said[1] in COMMANDS or said[1] == "--version") and word not in COMMANDS


@pytest.mark.parametrize(
    "words",
    [
        ("token", "--format", "hedaer"),
        ("login", "--flow", "devise"),
        ("login", "--store", "keyrng"),
        ("login", "--source", "githb"),
        ("store", "migrate", "--to", "fiel"),
        ("completion", "zish"),
    ],
)
def test_a_wrong_value_of_an_option_gets_the_nearest_one(
    environ: dict[str, str], words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside all the values that there are."""
    assert run(environ, *words) == 2
    assert re.search(r"error: .* is not one of '.*'; did you mean '\w+'\?\n", capsys.readouterr().err)


@pytest.mark.parametrize("command", ["token", "show", "login", "revoke", "refresh"])
@pytest.mark.parametrize("before", [(), ("-v",)])
def test_a_profile_as_a_word_is_told_to_use_the_option(
    environ: dict[str, str], command: str, before: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Which is what a person types first."""
    assert run(environ, *before, command, "work") == 2
    assert capsys.readouterr().err.endswith(f"hint: name a profile with -p: tokenctl {command} -p work\n")
    assert run(environ, command, "nobody") == 2
    assert "'nobody' is one word too many" in capsys.readouterr().err


def test_a_profile_before_the_child_is_told_to_use_the_option(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A program of that name would have got `--` as its first argument."""
    assert run(environ, "exec", "work", "--", "true") == 125
    assert capsys.readouterr().err.endswith("hint: name a profile with -p: tokenctl exec -p work -- CMD ARG...\n")


def test_a_profile_in_the_programs_place_is_told_to_use_the_option(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Where there is no program of that name: the exit status is that of a shell all the same."""
    for words in (("work",), ("work", "true"), ("--", "work")):
        assert run({**environ, "PATH": "/nonexistent"}, "exec", *words) == 127
        assert capsys.readouterr().err.endswith("hint: name a profile with -p: tokenctl exec -p work -- CMD ARG...\n")


@pytest.mark.parametrize(
    ("words", "child"),
    [
        (["--", "work", "--", "x"], ("work", "--", "x")),
        (["-v", "--", "work", "--"], ("work", "--")),
        (["work", "x", "--"], ("work", "x", "--")),
        (["work"], ("work",)),
        (["env", "--", "work"], ("env", "--", "work")),
    ],
)
def test_a_program_with_a_profiles_name_can_be_run(
    environ: dict[str, str], words: list[str], child: tuple[str, ...]
) -> None:
    """After `--` every word is the child's, and so is a word that no `--` follows."""
    command = load("exec")
    assert isinstance(command, CommandWithChild)
    assert command.make_context("exec", words, obj=Runtime(environ)).params["words"] == child


def test_quiet_leaves_out_notes_and_warnings_and_keeps_errors(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The hint of an error belongs to the error."""
    store = MemoryStore()
    store.write("work", session(issuer="https://a.example", scope="", requested_scope="", expires_at=2_000_000_000))
    odd = {**environ, "TOKENCTL_SCOOP": "x"}
    for words, said in ((["show", "-p", "work"], True), (["-q", "show", "-p", "work"], False)):
        assert cli.run(words, obj=Runtime(odd, store=store)) == 0
        written = capsys.readouterr()
        assert "state: fresh" in written.out and ("TOKENCTL_SCOOP" in written.err) == said
    assert run(environ, "profile", "default", "-q", "work") == 0
    assert capsys.readouterr().err == ""
    assert run(environ, "token", "-q", "-p", "nobody") == 2
    assert "error: there is no profile" in (err := capsys.readouterr().err) and "hint:" in err


@pytest.mark.parametrize("path", [path for path, _ in commands()])
def test_every_help_has_examples_that_can_be_typed(path: str) -> None:
    """An example names commands and options that there are, and puts no token among the arguments."""
    command = dict(commands())[path]
    assert command.epilog and "Examples:" in command.epilog
    assert max(map(len, command.epilog.splitlines())) <= 88
    assert "$(tokenctl" not in command.epilog and "$ACCESS_TOKEN" not in command.epilog
    text = command.epilog.replace("\\\n", " ")
    for found in re.findall(r"(?<![\w/-])tokenctl ([^|>\n]*)", text):
        words = shlex.split(found.replace("(it", ""))
        named = load(words.pop(0))
        if isinstance(named, click.Group) and (
            not named.invoke_without_command or {*words[:1]} & named.commands.keys()
        ):
            named = named.commands[words.pop(0)]
        assert named is not None
        known = {option for each in named.params for option in each.opts}
        own = words[: words.index("--")] if "--" in words else words
        assert {each for each in own if each.startswith("-")} <= known, found
