"""`tokenctl help`: pages for people at a terminal and in a pipe."""

import re

import click
import pytest

from tests.support.attended import attended
from tests.support.commandline import Home
from tests.support.recipes import blocks
from tokenctl.cli import main as cli
from tokenctl.cli.commands import load
from tokenctl.cli.help import TOPICS, page
from tokenctl.cli.program import COMMANDS


@pytest.mark.parametrize("topic", TOPICS)
def test_a_page_is_plain_in_a_pipe_and_drawn_at_a_terminal(home: Home, topic: str) -> None:
    """A pipe gets the Markdown as it is; a terminal gets no marks of it."""
    piped = home.run("help", topic)
    assert (piped.status, piped.stdout, piped.stderr) == (0, page(topic), "")
    drawn = attended(home, "help", topic)
    assert drawn.status == 0 and "|---" not in drawn.stderr and "**" not in drawn.stderr
    assert "\N{HORIZONTAL ELLIPSIS}" not in drawn.stderr  # nothing is cut


def test_the_list_of_topics_is_in_every_help(home: Home) -> None:
    """`help` alone lists commands and topics, and its own help the same topics."""
    listed, own = home.run("help").stdout, home.run("help", "--help").stdout
    for name in TOPICS:
        assert f"\n  {name} " in listed and re.search(rf"\n +{name} ", own)
    assert all(f"\n  {name} " in listed for name in COMMANDS)


def test_a_page_with_the_name_of_a_command_leads_to_its_options(home: Home) -> None:
    """`help proxy` is the page, since it says what the command is for; its beginning names `proxy --help`."""
    for name in TOPICS.keys() & COMMANDS.keys():
        assert f"`tokenctl {name} --help`" in page(name).partition("```")[0]
        assert home.run("help", name).stdout == page(name)


@pytest.mark.parametrize("name", [each for each in COMMANDS if each not in TOPICS])
def test_a_commands_help_is_the_same_both_ways(home: Home, name: str) -> None:
    """`help NAME` and `NAME --help` say the same."""
    assert home.run("help", name).stdout.split() == home.run(name, "--help").stdout.split()


def test_a_command_of_a_group_has_help_too(home: Home) -> None:
    """As with `--help`, and with the nearest name for a wrong one."""
    assert home.run("help", "profile", "set").stdout.split() == home.run("profile", "set", "--help").stdout.split()
    wrong = home.run("help", "profile", "sett")
    assert (wrong.status, wrong.stdout) == (2, "") and "did you mean 'set'?" in wrong.stderr
    assert home.run("help", "token", "x").status == 2


def test_a_topic_that_is_none_is_an_error_that_lists_them(home: Home) -> None:
    """Exit status 2, and nothing on stdout; a near one is named."""
    result = home.run("help", "quantum")
    assert (result.status, result.stdout) == (2, "") and all(name in result.stderr for name in TOPICS)
    assert "did you mean 'keyrings'?" in home.run("help", "keyring").stderr


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("profile", "sett"), "did you mean 'set'?"),
        (("profile", "bogus"), "the commands are: default, list, remove, set, show, unset"),
        (("login", "bogus"), "run 'tokenctl help login'"),
        (("store", "migrate", "bogus"), "run 'tokenctl help store migrate'"),
    ],
)
def test_a_wrong_word_after_a_command_gets_what_there_is(
    words: tuple[str, ...], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Topics are no part of a group."""
    assert cli.run(("help", *words)) == 2
    assert capsys.readouterr().err.endswith(f"hint: {hint}\n")


def options() -> set[str]:
    """Every option of every command."""
    commands = [load(name) for name in COMMANDS]
    commands += [each for group in commands if isinstance(group, click.Group) for each in group.commands.values()]
    own = {option for each in commands if each is not None for param in each.params for option in param.opts}
    return own | {"--help", "--version"}


@pytest.mark.parametrize("topic", TOPICS)
def test_an_example_is_not_broken_at_a_terminal(topic: str) -> None:
    """At 80 columns a longer line would go on in the next one, where it cannot be copied."""
    assert [line for _, _, text in blocks(topic) for line in text.splitlines() if len(line) > 78] == []


OF_OTHERS = {
    *("--upgrade", "--upgrade-deps", "--force-reinstall", "--compile-bytecode", "--venv"),
    *("--unix-socket", "--rm", "--network", "--user", "--global", "--add"),
    *("--credential", "--non-interactive", "--token"),
}
"""Options of pip, uv, venv, the bench, curl, docker, git, Bazel (`--credential_helper`), twine and kubectl on a page."""


@pytest.mark.parametrize("topic", TOPICS)
def test_a_page_names_commands_and_options_that_exist(topic: str) -> None:
    """A page is no older than the program."""
    text = page(topic)
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)) <= options() | OF_OTHERS
    assert set(re.findall(r"`tokenctl ([a-z][a-z-]*)", text)) <= set(COMMANDS)
    assert max(map(len, (line for line in text.splitlines() if not line.startswith("|")))) <= 100
