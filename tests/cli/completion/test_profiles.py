"""The names of the profiles, as each shell reads them from the config file."""

import os
import re
import tomllib
from pathlib import Path

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.completion.conftest import KINDS
from tests.support.real_parts import available
from tests.support.shells import Fish, Shell
from tokenctl.config.config_file import config_path
from tokenctl.model.profile import NAME

pytestmark = [pytest.mark.real, pytest.mark.slow]


def offered(shell: Shell, config: bytes) -> set[str]:
    """Ask for the profiles of a config file."""
    (shell.folder / "other.toml").write_bytes(config)
    return set(shell.offered("tokenctl --config other.toml -p "))


def assert_silent(shell: Shell) -> None:
    """Check that a shell said nothing but what was typed."""
    said = shell.said.decode(errors="replace")
    assert not (isinstance(shell, Fish) and said), said
    assert not re.search("(?i)error|warning|cannot|no such|not found|denied|invalid|null byte|binary", said), said


FILES = {
    "forms of a header": (
        "[profiles.work]\n[profiles.\"my.home\"]\n[ profiles . 'a-b' ]\n\t[\"profiles\".c_d] # a comment\n['profiles'.e]#x",
        {"work", "my.home", "a-b", "c_d", "e"},
    ),
    "a table below": ("[profiles.work.params]\n[profiles.work]\n[profiles.home]\n[profiles.home.params]", {"work", "home"}),
    "dotted keys": ('profiles.work.issuer = "x"\nprofiles.work.scope="y"\n"profiles".home . scope="z"', {"work", "home"}),
    "one table": (
        "[profiles]\nwork = {issuer = \"x\"}\nhome.issuer = 'x'\n\"a.b\".scope = '#'\n[other]\nkey.x = 1",
        {"work", "home", "a.b"},
    ),
    "a table of another name": ("[other.profiles.x]\n[profile.y]\n[[profiles.z]]\nprofiles.a.b = 1\n[profiles.work]", {"work"}),
    "Windows": ("\ufeff[profiles.work]\r\nissuer = \"x\" \r\n[profiles.home] # x\r\n", {"work", "home"}),
    "a mark before the first line": ("\ufeffprofiles.work.scope = 'x'\n", {"work"}),
    "strings of several lines": (
        '[profiles.work]\nscope = """\n[profiles.no]\n\\"""\n[profiles.no]\n"" """ # """\nresource = [\n  """\n[profiles.no]""",\n'
        "  '''\n[profiles.no]\\''', \"'''\", '\"\"\"',\n]\naudience = \"\"\"a\"\"\"\"\" # '''\n[profiles.home]",
        {"work", "home"},
    ),
    "quotation marks in comments": ("# it's \"\"\"\n[profiles.work] # '''\nscope = \"'''\" # \"\n[profiles.home]", {"work", "home"}),
    "names that the product refuses": (
        '[profiles."$(touch started)"]\n[profiles.\'`touch started`\']\n[profiles."; touch started;"]\n[profiles."*"]\n'
        f'[profiles."a b"]\n[profiles._x]\n[profiles.-x]\n[profiles.{"x" * 65}]\n[profiles.{"y" * 64}]\n[profiles."a\\u0062"]',
        {"y" * 64},
    ),
    "settings that look like names": ("[profiles.work]\nscope = 'x'\nparams.a = 'x'\nparams = {b = 'x'}", {"work"}),
    "nothing": ("", set()),
    "no profile": ("default_profile = 'x'\n", set()),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_the_names_of_a_file(shell: Shell, case: str) -> None:
    """What TOML says, in the forms that people write it."""
    text, names = FILES[case]
    assert offered(shell, text.encode()) == names
    assert_silent(shell)


def test_a_thousand_profiles(shell: Shell) -> None:
    """Each is offered once."""
    text = "".join(f'[profiles.p{n}]\nissuer = "https://a.example"\nscope = "x"\n\n' for n in range(1000))
    assert offered(shell, text.encode()) == {f"p{n}" for n in range(1000)}
    assert set(shell.offered("tokenctl --config other.toml -p p99")) == {"p99", *(f"p99{n}" for n in range(10))}


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "binary", "not UTF-8", "endless line"])
def test_a_file_that_cannot_be_read_offers_nothing_and_says_nothing(shell: Shell, kind: str) -> None:
    """And the shell does not wait for a pipe."""
    path = shell.folder / "other.toml"
    path.unlink(missing_ok=True)
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "binary":
            path.write_bytes(bytes(range(256)) * 1000)
        case "not UTF-8":
            path.write_bytes(b"# \xff\xfe\n[profiles.\xe9t\xe9]\n")
        case "endless line":
            path.write_bytes(b'x = """' + b"\\" * 1_000_000)
    try:
        assert shell.offered("tokenctl --config other.toml -p ") == {}
    finally:
        path.rmdir() if kind == "folder" else path.unlink(missing_ok=True)
    assert_silent(shell)


@pytest.mark.parametrize(
    "words",
    [
        "--config 'a b.toml'", '--config "a b.toml"', "--config a\\ b.toml", "--config=a\\ b.toml", "--config ~/a\\ b.toml",
        "-q --config 'a b.toml' -p x", "show --config 'a b.toml' --json", "-vp x --config=a\\ b.toml show",
    ],
)  # fmt: skip
def test_the_file_that_the_line_names(shell: Shell, words: str) -> None:
    """`--config`, before or after the command, as one would quote it."""
    (shell.folder / "a b.toml").write_text("[profiles.named]\n")
    (shell.folder / "other.toml").write_text("[profiles.other]\n")
    last = "--profile " if " show" in words or words.startswith("show") else "profile set "
    assert set(shell.offered(f"tokenctl {words} {last}")) == {"named"}


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"TOKENCTL_CONFIG": "{home}/a b.toml"},
        {"TOKENCTL_CONFIG": "a b.toml"},
        {"TOKENCTL_CONFIG": ""},
        {"XDG_CONFIG_HOME": "{home}/xdg"},
        {"XDG_CONFIG_HOME": "xdg"},
        {"XDG_CONFIG_HOME": ""},
    ],
)
def test_the_file_that_the_environment_names(name: str, variables: dict[str, str], tmp_path: Path) -> None:
    """The same one as tokenctl takes."""
    files = {"a b.toml": "named", "xdg/tokenctl/config.toml": "xdg", ".config/tokenctl/config.toml": "default"}
    for file, profile in files.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(f"[profiles.{profile}]\n")
    environ = {key: value.format(home=tmp_path) for key, value in variables.items()}
    expected = set()
    if environ.get("TOKENCTL_CONFIG") != "":
        path, _ = config_path({"HOME": str(tmp_path), **environ})
        expected = {profile for file, profile in files.items() if tmp_path / file == tmp_path / path}
        assert expected
    with available():
        running = KINDS[name](tmp_path, environ)
    with running:
        assert set(running.offered("tokenctl -p ")) == expected
    assert_silent(running)


@pytest.mark.parametrize("name", ["bash", "zsh"])
def test_the_file_on_macos(name: str, tmp_path: Path) -> None:
    """Where tokenctl looks there; fish tells macOS by a folder of the system, which a test cannot make."""
    file = tmp_path / "Library" / "Application Support" / "tokenctl" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[profiles.mac]\n")
    with available():
        running = KINDS[name](tmp_path, setup="OSTYPE=darwin23")
    with running:
        assert set(running.offered("tokenctl -p ")) == {"mac"}


HOSTILE = st.lists(
    st.sampled_from(
        ["[profiles.fake]", "\nprofiles.fake.x = 1\n", '"""', "'''", '"', "'", "#", "\\", "\n", "\t", " ", "x", "]", "=", "é"]
    ),
    max_size=8,
).map("".join)  # fmt: skip
NAMES = st.from_regex(NAME, fullmatch=True) | st.sampled_from(["work", "home", "profiles", "a.b", "true"])
STYLES = st.sampled_from([{}, {"literal": True}, {"multiline": True}, {"literal": True, "multiline": True}])


@st.composite
def values(draw: st.DrawFn) -> object:
    """Make a string of any style, or a list of such, of one or several lines."""

    def string() -> object:
        text = draw(HOSTILE)
        try:
            return tomlkit.string(text, **draw(STYLES))
        except tomlkit.exceptions.TOMLKitError:  # a literal cannot have it
            return tomlkit.string(text)

    if draw(st.booleans()):
        return string()
    array = tomlkit.array()
    for _ in range(draw(st.integers(0, 3))):
        array.append(string())
    return array.multiline(draw(st.booleans()))


@st.composite
def configs(draw: st.DrawFn) -> str:
    """Make a config file as tomlkit writes it: tables, inline tables and dotted keys, with comments and strings."""
    document, profiles = tomlkit.document(), tomlkit.table(is_super_table=draw(st.booleans()))
    document.add(tomlkit.comment(draw(HOSTILE).replace("\n", " ")))
    for name in draw(st.lists(NAMES, max_size=4, unique_by=str.lower)):
        table = tomlkit.inline_table() if draw(st.integers(0, 4)) == 0 else tomlkit.table()
        table["scope"] = draw(values()) if not isinstance(table, tomlkit.items.InlineTable) else draw(HOSTILE)
        if isinstance(table, tomlkit.items.Table):
            table.comment(draw(HOSTILE).replace("\n", " "))
            if draw(st.booleans()):
                table["params"] = {"key": draw(HOSTILE)}
        profiles.append(tomlkit.key(name), table)
    document.append("profiles", profiles)
    text = tomlkit.dumps(document)
    return draw(st.sampled_from(["", "\ufeff"])) + (text.replace("\n", "\r\n") if draw(st.booleans()) else text)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(text=configs())
def test_a_shell_finds_the_names_that_tomllib_finds(shell: Shell, text: str) -> None:
    """In whatever tomlkit writes, with strings and comments that look like tables, in every style."""
    expected = set(tomllib.loads(text.removeprefix("\ufeff")).get("profiles", {}))
    assert offered(shell, text.encode()) == expected
