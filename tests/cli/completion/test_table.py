"""The table is the command tree."""

import re

import click
import pytest

from tokenctl.cli.completion.table import Command, Value, read
from tokenctl.cli.help import TOPICS
from tokenctl.cli.program import COMMANDS, tokenctl
from tokenctl.model.choices import FLOWS, STORES
from tokenctl.model.profile import CHECKS

TABLE = read(tokenctl)
PATHS = {each.path: each for each in TABLE.commands}


def context(path: tuple[str, ...]) -> click.Context:
    """Return click's context of a command."""
    ctx = tokenctl.make_context("tokenctl", [], resilient_parsing=True)
    for word in path:
        group = ctx.command
        command = group.get_command(ctx, word) if isinstance(group, click.Group) else None
        assert command is not None, path
        ctx = command.make_context(word, [], ctx, resilient_parsing=True)
    return ctx


def test_every_command_is_in_it() -> None:
    """Those of the list, the alias, and those of each group."""
    assert {path[0] for path in PATHS if path} == {*COMMANDS, "logout"}
    for path in PATHS:
        ctx = context(path)
        if isinstance(ctx.command, click.Group):
            names = {name for name, help in PATHS[path].commands if help}
            assert names - {"logout"} == {*ctx.command.list_commands(ctx)}
            assert all((*path, name) in PATHS for name in names)


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_option_and_argument_is_in_it(path: tuple[str, ...]) -> None:
    """With its names, its help, whether it takes a value, and its choices."""
    ctx, command = context(path), PATHS[path]
    params = ctx.command.get_params(ctx)
    options = [each for each in params if isinstance(each, click.Option)]
    assert [(each.names, each.help, each.value is None) for each in command.options] == [
        (tuple(each.opts), each.help, each.is_flag) for each in options
    ]
    values = [*(each.value for each in command.options), *(each.value for each in command.arguments)]
    arguments = [each for each in params if isinstance(each, click.Argument)]
    for param, value in zip([*options, *arguments], values, strict=True):
        if isinstance(param.type, click.Choice):
            assert value is not None and value.words == tuple(param.type.choices)


def test_what_completes_each_argument_is_known() -> None:
    """No argument but a URL, and what only a client says, is just a text: a person who presses TAB there expects something."""
    texts = [(each.path, argument) for each in TABLE.commands for argument in each.arguments]
    assert [path for path, argument in texts if argument.value.kind == "text" and path[0] != "helper"] == [("proxy",)]
    assert ("helper", "git") not in [path for path, argument in texts if argument.value.kind == "text"]
    kinds = {argument.value.kind for each in TABLE.commands for argument in each.arguments}
    assert kinds == {"profile", "setting", "key", "topic", "program", "words", "file", "text"}


def test_an_option_takes_a_value_in_every_command_or_in_none() -> None:
    """The script of fish relies on it, and a person does too."""

    def names(command: Command, *, valued: bool) -> set[str]:
        return {name for each in command.options if (each.value is not None) is valued for name in each.names}

    valued = {name for each in TABLE.commands for name in names(each, valued=True)}
    assert not valued & {name for each in TABLE.commands for name in names(each, valued=False)}


def test_every_setting_and_topic_is_in_it() -> None:
    """With the words that a setting can have."""
    settings = dict(TABLE.settings)
    assert [*settings] == [*CHECKS] and dict(TABLE.topics) == {
        name: line for name, line in TOPICS.items() if name not in COMMANDS
    }
    assert settings["flow"].words == FLOWS and settings["store"].words == STORES
    assert settings["renewal_ends_access_token"].words == ("true", "false")
    assert {name for name, value in settings.items() if value.kind == "file"} == {
        "ca_file",
        "client_key_file",
        "source_file",
    }
    assert settings["scope"] == Value(kind="text", metavar="scope")


def test_no_word_needs_quotation_marks() -> None:
    """Names and values have no sign that a shell, or the table of bash, would take for its own."""
    options = [option for each in TABLE.commands for option in each.options]
    names = {name for each in TABLE.commands for name in each.path} | {name for each in options for name in each.names}
    values = [each.value for each in options]
    values += [argument.value for each in TABLE.commands for argument in each.arguments]
    words = {word for value in (*values, *dict(TABLE.settings).values()) if value for word in value.words}
    assert [
        each for each in sorted(names | words | {*TOPICS} | {*CHECKS}) if not re.fullmatch("[A-Za-z0-9_:-]+", each)
    ] == []


def test_an_option_that_can_be_repeated_is_one_that_collects() -> None:
    """`-p` may stand before and after the command, but names one profile."""
    options = {option.names: option.repeatable for option in PATHS["login",].options}
    assert options["--scope",] and options["--param",] and not options["-p", "--profile"] and not options["--flow",]


def test_a_group_alone_is_a_table() -> None:
    """The table is made of any tree of click."""
    table = read(click.Group("x", commands={"y": click.Command("y", help="Do y.\n\nMore.")}))
    assert [each.path for each in table.commands] == [(), ("y",)]
    assert table.commands[0].commands == (("y", "Do y."),)
