"""TAB in real shells, by the scripts that are committed."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.cli.completion.conftest import KINDS, PROGRAMS
from tests.support.paths import ROOT
from tests.support.real_parts import available, program
from tests.support.shells import Fish, Shell
from tokenctl.cli.completion import SHELLS, script
from tokenctl.cli.help import TOPICS
from tokenctl.cli.program import COMMANDS, tokenctl
from tokenctl.model.choices import FLOWS, SOURCES, STORES
from tokenctl.model.profile import CHECKS

PROFILES = {"work", "my.home"}
at_a_terminal = pytest.mark.parametrize("shell", ["bash", "bash-completion", "zsh"], indirect=True)
with_help = pytest.mark.parametrize("shell", ["zsh", "fish"], indirect=True)


@pytest.mark.parametrize("name", SHELLS)
def test_the_committed_scripts_are_current(name: str) -> None:
    """The files in completions/ are what `tokenctl completion` prints."""
    assert (ROOT / "completions" / SHELLS[name]).read_text() == script(name, tokenctl).strip() + "\n"


def commands(ctx: click.Context, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Context]]:
    """List every command below tokenctl, with its path."""
    yield path, ctx
    if isinstance(ctx.command, click.Group):
        names = [*ctx.command.list_commands(ctx), *(["logout"] if not path else [])]
        for name in names:
            below = ctx.command.get_command(ctx, name)
            assert below is not None
            yield from commands(below.make_context(name, [], ctx, resilient_parsing=True), (*path, name))


TREE = list(commands(tokenctl.make_context("tokenctl", [], resilient_parsing=True)))


@pytest.mark.real
@pytest.mark.quick
def test_every_command_and_option_of_the_program_is_offered(shell: Shell) -> None:
    """At each command: the commands below it, its options under all their names, and no others."""
    for path, ctx in TREE:
        line = " ".join(("tokenctl", *path, ""))
        options = {name for each in ctx.command.get_params(ctx) if isinstance(each, click.Option) for name in each.opts}
        assert set(shell.offered(f"{line}-")) - {"--"} == options, line
        if isinstance(ctx.command, click.Group):
            below = {*ctx.command.list_commands(ctx)} | (set() if path else {"logout"})
            assert set(shell.offered(line)) == below, line


@pytest.mark.real
def test_every_choice_of_an_option_is_offered(shell: Shell) -> None:
    """In the word after the option, and behind its equals sign."""
    seen = 0
    for path, ctx in TREE:
        for each in ctx.command.params:
            if isinstance(each, click.Option) and isinstance(each.type, click.Choice):
                line, choices = " ".join(("tokenctl", *path, each.opts[-1])), set(each.type.choices)
                assert set(shell.offered(f"{line} ")) == choices, line
                assert {word.partition("=")[2] for word in shell.offered(f"{line}=")} == choices, line
                seen += 1
    assert seen >= 5


@pytest.mark.real
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("tokenctl pro", {"profile", "proxy"}),
        ("tokenctl -v -p work pro", {"profile", "proxy"}),
        ("tokenctl --profile=work -q profile def", {"default"}),
        ("tokenctl -p ", PROFILES),
        ("tokenctl show --profile ", PROFILES),
        ("tokenctl show --profile=w", {"--profile=work"}),
        ("tokenctl -vp w", {"work"}),
        ("tokenctl -pw", {"-pwork"}),
        ('tokenctl -p "w', {"work"}),
        ("tokenctl token --format=h", {"--format=header"}),
        ("tokenctl login --flow d", {"device"}),
        ("tokenctl exec --on-refresh signal:U", {"signal:USR1", "signal:USR2"}),
        ("tokenctl completion ", {"bash", "zsh", "fish"}),
        ("tokenctl help ", {*COMMANDS, "logout", *TOPICS}),
        ("tokenctl help sto", {"store"}),
        ("tokenctl help store ", {"migrate", "show"}),
        ("tokenctl help ci c", set()),
        ("tokenctl profile show ", PROFILES),
        ("tokenctl profile set ", PROFILES),
        ("tokenctl profile unset w", {"work"}),
        ("tokenctl profile default ", PROFILES),
        ("tokenctl profile remove ", PROFILES),
        ("tokenctl profile remove work w", set()),
        ("tokenctl profile set work ", {f"{key}=" for key in CHECKS}),
        ("tokenctl profile set work flow=auto flo", set()),
        ("tokenctl profile set work flow=", {f"flow={each}" for each in FLOWS}),
        ("tokenctl profile set work source=", {f"source={each}" for each in SOURCES}),
        ("tokenctl profile set new store=", {f"store={each}" for each in STORES}),
        ("tokenctl profile set work renewal_ends_access_token=t", {"renewal_ends_access_token=true"}),
        ("tokenctl profile set work scope=o", set()),
        ("tokenctl profile unset work ", {*CHECKS}),
        ("tokenctl token --scope o", set()),
        ("tokenctl -p nobody", set()),
        ("tokenctl nonsense to", set()),
        ("tokenctl profile nonsense sho", set()),
        ("tokenctl exec ", {"--"}),
        ("tokenctl exec -- tokenctl-", {"tokenctl-test"}),
        ("tokenctl exec -p work --env A=B tokenctl-", {"tokenctl-test"}),
        ("tokenctl exec -- ", {*PROGRAMS}),
    ],
)
def test_what_is_offered(shell: Shell, line: str, offered: set[str]) -> None:
    """The same in each shell; zsh takes every file in PATH for a program, as it always does."""
    assert set(shell.offered(line)) - {"tokenctl-text"} == offered


@pytest.mark.real
def test_what_is_given_already_is_not_offered_again(shell: Shell) -> None:
    """A setting or a key; and in bash and zsh an option that cannot be repeated."""
    assert "scope=" not in shell.offered("tokenctl profile set work scope=x ")
    assert "scope" not in shell.offered("tokenctl profile unset work scope ")
    if not isinstance(shell, Fish):
        offered = shell.offered("tokenctl token -p work --scope a --format=raw -")
        assert "--scope" in offered and not {"-p", "--profile", "--format"} & set(offered)
    assert "--scope" not in shell.offered("tokenctl nonsense -")


@pytest.mark.real
@at_a_terminal
@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("tokenctl tok", "tokenctl token "),
        ("tokenctl token --format=h", "tokenctl token --format=header "),
        ("tokenctl exec --on-refresh signal:H", "tokenctl exec --on-refresh signal:HUP "),
        ("tokenctl profile set work store=f", "tokenctl profile set work store=file "),
        ("tokenctl profile set work sco", "tokenctl profile set work scope="),
        ('tokenctl -p "w', 'tokenctl -p "work" '),
        ("tokenctl --config m", "tokenctl --config my\\ file "),
        ("tokenctl --config=m", "tokenctl --config=my\\ file "),
        ("tokenctl profile set work ca_file=./m", "tokenctl profile set work ca_file=./my\\ file "),
        ("tokenctl exec -- ./m", "tokenctl exec -- ./my\\ file "),
        ("tokenctl exec -- tokenctl-test m", "tokenctl exec -- tokenctl-test my\\ file "),
        ("tokenctl exec tokenctl-test -x ./m", "tokenctl exec tokenctl-test -x ./my\\ file "),
        ("tokenctl -p nobody", "tokenctl -p nobody"),
        ("tokenctl token --scope m", "tokenctl token --scope m"),
        ("tokenctl show m", "tokenctl show m"),
    ],
)
def test_what_the_line_becomes(shell: Shell, line: str, after: str) -> None:
    """A word that is the only one goes into the line: with a space, but not behind `KEY=`; a file where one is taken."""
    assert shell.completed(line) == after


@pytest.mark.real
@pytest.mark.parametrize(
    "line", ["--config m", "--config=m", "profile set work ca_file=m", "exec -- ./m", "exec tokenctl-test -x m"]
)
@pytest.mark.parametrize("shell", ["fish"], indirect=True)
def test_fish_offers_files(shell: Shell, line: str) -> None:
    """Where an option, a setting or a program takes one; for the others see the line that it becomes."""
    assert {word.rpartition("=")[2].removeprefix("./") for word in shell.offered(f"tokenctl {line}")} == {"my file"}


@pytest.mark.real
@pytest.mark.parametrize("shell", ["bash-completion", "zsh", "fish"], indirect=True)
def test_the_program_that_exec_runs_completes_its_own_words(shell: Shell) -> None:
    """As if its name stood first on the line, with all our options before it; bash alone does not know how."""
    for line in ("exec child ", "exec -- child ", "-p work exec --env A=B --min-ttl 5m -- child first "):
        assert set(shell.offered(f"tokenctl {line}")) == {"own-word"}, line


@pytest.mark.real
@with_help
def test_help_is_shown_with_each_word(shell: Shell) -> None:
    """The line of each command, topic and option, to the character, whatever signs it has."""
    for path, ctx in TREE:
        line = " ".join(("tokenctl", *path, ""))
        shown = shell.offered(f"{line}--")
        for each in ctx.command.get_params(ctx):
            if isinstance(each, click.Option):
                assert shown[each.opts[-1]].endswith(each.help or "?"), (line, each.opts)
    shown = {
        word: help
        for letter in "abcdefghijklmnopqrstuvwxyz"
        for word, help in shell.offered(f"tokenctl help {letter}").items()
    }
    for word, help in (TOPICS | COMMANDS).items():
        assert shown[word].endswith(help)


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bash", "zsh", "fish"])
def test_tab_starts_no_program_and_the_start_of_a_shell_reads_no_config(
    kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No execve from the first TAB on, by strace; and before it nobody opens the config file."""
    folder = tmp_path_factory.mktemp("traced")
    (folder / ".config" / "tokenctl").mkdir(parents=True)
    (folder / ".config" / "tokenctl" / "config.toml").write_text("[profiles.work]\n")
    (folder / "first.toml").write_text("[profiles.first]\n")
    log = folder / "log"
    with available():
        running = KINDS[kind](
            folder, before=[program("strace"), "-f", "--seccomp-bpf", "-o", str(log), "-e", "trace=execve,openat"]
        )
    with running:
        assert set(running.offered("tokenctl --config first.toml -p ")) == {"first"}
        assert set(running.offered("tokenctl -p ")) == {"work"}
        for path, _ in TREE:
            running.offered(" ".join(("tokenctl", *path, "")))
            running.offered(" ".join(("tokenctl", *path, "-")))
        running.offered("tokenctl profile set work flow=")
        running.offered("tokenctl exec -- to")
    before, _, after = log.read_text().partition("first.toml")
    assert "execve(" in before and "config.toml" not in before
    assert "config.toml" in after and "execve(" not in after


@pytest.mark.real
@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_scripts_are_silent_when_they_are_loaded(name: str, tmp_path: Path) -> None:
    """Sourced in a shell that is not interactive and has nothing loaded, a script writes nothing and succeeds."""
    with available():
        words = [program(name), "-c", f"source {ROOT / 'completions' / SHELLS[name]}"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env={"HOME": str(tmp_path)})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.real
def test_bash_offers_a_program_of_two_folders_once(tmp_path: Path) -> None:
    """On many systems /bin is a link to /usr/bin, and both are in PATH; bash itself shows what it gets."""
    with available():
        bash = program("bash")
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "child").touch(mode=0o755)
    source = """
    source "$1"
    PATH=$2/one:$2/two COMP_LINE='tokenctl exec -- ch' COMP_WORDS=(tokenctl exec -- ch) COMP_CWORD=3
    COMP_POINT=${#COMP_LINE}
    _tokenctl
    printf '%s\\n' "${COMPREPLY[@]}"
    """
    words = [bash, "-c", source, "bash", str(ROOT / "completions" / SHELLS["bash"]), str(tmp_path)]
    assert subprocess.check_output(words, text=True).split() == ["child"]
