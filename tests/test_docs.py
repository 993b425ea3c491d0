"""The README and the changelog tell the truth."""

import importlib.metadata
import re
import tomllib

import click

from tests.picture import PICTURE, draw, words
from tests.support.paths import ROOT
from tokenctl import __version__, errors
from tokenctl.audit import kinds
from tokenctl.cli.commands import load
from tokenctl.cli.help import TOPICS, page
from tokenctl.doctor import checks
from tokenctl.handoff import clients, helpers
from tokenctl.model import event
from tokenctl.model.choices import AUTH_METHODS, FLOWS, IDENTITY_USES, SOURCES, STORES
from tokenctl.model.profile import CHECKS

README = (ROOT / "README.md").read_text()


def test_the_readme_is_short_and_points_to_every_page() -> None:
    """Under 150 lines; the depth is in the pages."""
    assert len(README.splitlines()) < 150
    further = README[README.index("## Where to go on") : README.index("## Working on it")]
    assert set(re.findall(r"`(?:tokenctl help )?([a-z-]+)`", further)) == set(TOPICS)


def test_the_readme_names_commands_and_options_that_exist() -> None:
    """Each line of an example that calls tokenctl is right."""
    examples = "".join(re.findall(r"```(?:sh|yaml)\n(.*?)```", README, re.DOTALL))
    lines = re.findall(r"(?:^|[ (/])tokenctl ([a-z]+(?: .*)?)$", examples, re.MULTILINE)
    assert len(lines) > 10
    for line in lines:
        name, _, rest = line.partition(" ")
        command = load(name)
        inner = rest.partition(" ")
        if isinstance(command, click.Group) and inner[0] in command.commands:
            command, rest = command.commands[inner[0]], inner[2]
        assert command is not None, line
        there = {option for param in command.params for option in param.opts}
        assert set(re.findall(r"(?<![\w-])-{1,2}[a-z][a-z-]*", re.split(r" (?:--|\||#) ", rest)[0])) <= there, line


def test_the_page_has_every_setting_and_choice() -> None:
    """Every setting of a profile and every choice is on the page of the config file, and no other setting."""
    text = page("config")
    rows = {
        name
        for line in re.findall(r"^\| (`[a-z_]+`(?:, `[a-z_]+`)*) \|", text, re.MULTILINE)
        for name in line[1:-1].split("`, `")
    }
    assert {*CHECKS} - {"api"} == rows - {*AUTH_METHODS}
    for name in ("api", *FLOWS, *STORES, *AUTH_METHODS, *SOURCES, *IDENTITY_USES):
        assert f"`{name}`" in text, name


def test_the_page_lists_every_exit_status() -> None:
    """Every exit status that an error can have is in the tables of the page."""
    statuses = {
        each.exit_status for each in vars(errors).values() if isinstance(each, type) and hasattr(each, "exit_status")
    }
    listed = {int(number) for number in re.findall(r"^\| (\d+) \|", page("exit-statuses"), re.MULTILINE)}
    assert statuses | {0, 8, 125, 126, 127, 130} == listed  # 8: `audit` found an anomaly, which is no error


def test_the_page_audit_lists_every_anomaly_and_every_event() -> None:
    """Each in a row of a table, and no other."""
    rows = re.findall(r"^\| ((?:`[a-z-]+`(?:, )?)+) \|", page("audit"), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([a-z-]+)`", row)} - {"anomaly", "event", "profile"}
    assert named == {each.name for each in kinds.KINDS} | set(event.KINDS)


def test_the_page_troubleshooting_lists_every_check_of_the_doctor() -> None:
    """What a check calls its findings is in the first table. Two checks have findings with names of their own."""
    text = page("troubleshooting").partition("\n## ")[0]
    named = {each.name for each in checks.CHECKS} - {"network", "sign-in"}
    named |= {"issuer", "proxy", "dns", "connection", "tls", "metadata", "clock", "listener", "browser", "write test"}
    named.add("token-endpoint")
    assert named <= set(re.findall(r"`([a-z -]+)`", text))


def test_the_page_helpers_has_every_client_and_every_helper() -> None:
    """One command for each client that `helper install` knows, the call of each helper, and no other."""
    text = page("helpers")
    assert set(re.findall(r"^\| .*? \| `tokenctl helper install ([a-z-]+) --host ORIGIN`", text, re.MULTILINE)) == {
        *clients.LINES
    }
    assert set(re.findall(r"^\| `([a-z-]+)` \| `.*tokenctl.*` \|", text, re.MULTILINE)) == {*helpers.LINES}


def test_the_two_commands_are_the_ones_that_ci_runs() -> None:
    """The README's test command is the one that .ci/run calls."""
    assert "\nbash .ci/test\n" in README and "\nbash .ci/test\n" in (ROOT / ".ci" / "run").read_text()


def test_the_picture_shows_what_the_program_draws() -> None:
    """Whoever changes the panel draws the README's picture again."""
    assert words(PICTURE.read_text()) == words(draw()) and "ada@example.com" in words(draw())


def test_the_changelog_has_a_place_for_what_is_new() -> None:
    """The changelog keeps its form."""
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text()


def test_the_version_stands_in_one_place() -> None:
    """The distribution takes it from the package."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" not in project and project["dynamic"] == ["version"]
    assert importlib.metadata.version("tokenctl") == __version__


def test_the_top_level_is_what_the_owner_listed() -> None:
    """Nothing else stands at the top level but dotfiles."""
    listed = {"tokenctl", "tests", "completions", "pyproject.toml", "README.md", "CHANGELOG.md"}
    import subprocess

    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {line.split("/")[0] for line in tracked.splitlines() if not line.startswith(".")} == listed


def test_every_action_of_a_workflow_is_pinned() -> None:
    """A tag can be moved to other code, a commit cannot; the comment tells people the version."""
    for workflow in (ROOT / ".github" / "workflows").iterdir():
        for line in re.findall(r"uses: (.*)", workflow.read_text()):
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), f"{workflow.name}: {line}"
