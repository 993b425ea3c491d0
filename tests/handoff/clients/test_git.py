"""git's configuration as people have it: our helper goes in and comes out, and git reads what was meant."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.handoff.clients.test_git_config import listed, read, squeezed, texts
from tests.support.real_parts import available, program
from tokenctl.errors import UsageError
from tokenctl.handoff.clients import git
from tokenctl.handoff.clients.wanted import Foreign, Unreadable, Wanted

ORIGIN = "https://git.example.com"
OURS = "/opt/bin/git-credential-tokenctl"
LINES = f'[credential "{ORIGIN}"]\n\thelper =\n\thelper = {OURS}\n'
FILES = {
    "absent or empty": "",
    "usual": "[user]\n\tname = A\n\temail = a@example.com\n",
    "no last newline": "[user]\n\tname = A",
    "CRLF": "[user]\r\n\tname = A\r\n",
    "CRLF, no last newline": "[user]\r\n\tname = A",
    "mixed line ends": "[user]\n\tname = A\r\n[core]\r\n\teditor = vi\n",
    "BOM": "\ufeff[user]\n\tname = A\n",
    "BOM alone": "\ufeff",
    "comment at the end": "[user]\n\tname = A\n# the end",
    "backslash in a comment at the end": "[user]\n\tname = A ; the end \\",
    "blank lines": "\n\n[user]\n\n\tname = A\n\n\n",
    "spaces at the end": "[user]\n\tname = A\n  ",
    "one line": "[user] name = A",
    "continuation": "[alias]\n\tl = log \\\n\t\t--oneline \\\n--graph\n",
    "quotes": '[alias]\n\tx = "!f() { echo \\"a;b\\" # no\\n; }; f"\n\ty = a "b  c" d\n',
    "keys without a value": "[core]\n\tbare\n\tfilemode = false\n",
    "every kind of section": '[a.b]\n\tc = d\n[Remote "O\\"r]\\\\g"]\n\turl = u\n[a] [b]\n\tc = d\n',
    "duplicate sections": "[user]\n\tname = A\n[core]\n\tx = y\n[user]\n\tname = B\n",
    "general helpers": "[credential]\n\thelper = store\n[credential]\n\thelper = cache --timeout 3\n",
    "another host": '[credential "https://other.example"]\n\thelper = store\n',
    "another scheme": '[credential "http://git.example.com"]\n\thelper = store\n',
    "another port": '[credential "https://git.example.com:8443"]\n\thelper = store\n',
    "our section with another key": f'[credential "{ORIGIN}"]\n\tusername = oauth2\n',
    "our section, empty": f'[credential "{ORIGIN}"]\n',
    "includes": '[include]\n\tpath = ~/not-there\n[includeIf "gitdir:~/w/"]\n\tpath = w.inc\n',
    "not ASCII": "[user]\n\tname = Zoë \udce9\n",
}


FILE = Path("/home/you/.gitconfig")


def wanted(
    origin: str = ORIGIN, bin: str = "/opt/bin", *, named: str = "", replace: bool = False, file: Path = FILE
) -> Wanted:
    """What `helper install git` is asked for."""
    folder, path = Path("/nowhere"), Path(bin, "tokenctl")
    return Wanted(
        origin=origin, profile=named or "t", program=path, folder=folder, named=bool(named), replace=replace, file=file
    )


# -- in and out ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_what_goes_in_comes_out(text: str) -> None:
    """Every byte is as before; and git reads the same as before, and then our two lines."""
    there = git.added(text, wanted())
    assert there != text
    assert git.is_there(there, wanted()) and not git.is_there(text, wanted())
    assert git.added(there, wanted()) == there
    assert git.removed(there, wanted()) == text
    key = f"credential.{ORIGIN}.helper"
    assert listed(there) == [*listed(text), (key, ""), (key, OURS)]
    assert squeezed(read(there)) == squeezed(listed(there))
    assert "\n" not in there.replace("\r\n", "") or "\r\n" not in text or "\n" in text.replace("\r\n", "")


@given(texts, st.booleans())
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_git_reads_comes_out_as_it_was(text: str, replace: bool) -> None:
    """Nothing but Unreadable and Foreign stops us."""
    try:
        there = git.added(text, wanted(replace=replace))
    except (Foreign, Unreadable):
        return
    assert squeezed(listed(there))[:-2] == squeezed(listed(text))
    assert git.removed(there, wanted()) == text
    assert git.removed(text, wanted()) == text


@pytest.mark.parametrize(
    "text",
    ["[user\n", '[a "b]\n', "[a]\n\tb = \\x\n", '[a]\n\tb = "c\n', "[a]\n\t1 = b\n", "[a]\nb\0 = c\n"],
)
def test_what_git_cannot_read_is_not_changed(text: str) -> None:
    """Each of the three functions refuses it."""
    for change in (git.is_there, git.added, git.removed):
        with pytest.raises(Unreadable, match=r"line \d of /home/you/.gitconfig"):
            change(text, wanted())


@pytest.mark.parametrize("text", ["[a]\n\tb = c\\", "[a]\n\tb = c\\\n", "[a]\n\tb = c\\\r\n"])
def test_a_last_line_that_goes_on_would_swallow_read(text: str) -> None:
    """So the file is refused."""
    with pytest.raises(Unreadable, match="backslash"):
        git.added(text, wanted())


# -- what git asks ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "folder",
    ["/opt/bin", "/opt/my bin", "/opt/it's", '/opt/a"b', "/opt/a\\b", "/opt/a#b;c", "/opt/$HOME", "/opt/é", "/o\tp"],
)
def test_a_path_of_any_kind_is_called(folder: str, tmp_path: Path) -> None:
    """Through git's own syntax and the shell that git starts; and the profile is named where the person named it."""
    with available():
        program("git")
    bin = tmp_path / folder[1:]
    bin.mkdir(parents=True)
    script = bin / "git-credential-tokenctl"
    script.write_text('#!/bin/sh\necho username=u; echo "password=$*"\n')
    script.chmod(0o700)
    there = git.added("", wanted(bin=str(bin), named="work"))
    (tmp_path / "config").write_text(there)
    environ = {"PATH": "/usr/bin:/bin", "GIT_CONFIG_GLOBAL": str(tmp_path / "config"), "GIT_CONFIG_NOSYSTEM": "1"}
    asked = b"protocol=https\nhost=git.example.com\n\n"
    done = subprocess.run(["git", "credential", "fill"], input=asked, capture_output=True, env=environ, check=True)
    assert b"password=-p work get\n" in done.stdout
    assert git.removed(there, wanted(bin="/elsewhere")) == ""


def test_a_plain_path_stays_plain() -> None:
    """Nothing is quoted that needs no quotes."""
    assert git.added("", wanted()) == LINES
    assert git.added("", wanted(named="work")).endswith(f"\thelper = {OURS} -p work\n")
    assert git.added("", wanted(bin="/a b")).endswith("\thelper = !'/a b/git-credential-tokenctl'\n")


# -- another helper --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        ORIGIN,
        f"{ORIGIN}/",
        f"{ORIGIN}:443",
        f"{ORIGIN}:443/",
        "HTTPS://GIT.Example.com",
        "https://alice@git.example.com",
        f"{ORIGIN}/group/repo.git",
        "git.example.com",
    ],
)
def test_another_helper_of_the_origin_is_not_replaced_unasked(url: str) -> None:
    """However its URL is spelled; with `--replace` ours takes its place, and `removed` gives it back."""
    text = f'[CREDENTIAL "{url}"]\n\tHelper = store\n'
    with pytest.raises(Foreign, match=ORIGIN):
        git.added(text, wanted())
    there = git.added(text, wanted(replace=True))
    assert git.added(there, wanted(bin="/other")).startswith(text)
    assert git.removed(there, wanted()) == text


@pytest.mark.parametrize("url", [f"{ORIGIN}/group", "https://alice@git.example.com", "git.example.com/group/"])
def test_a_call_of_ours_for_a_part_of_the_origin_is_not_touched(url: str) -> None:
    """A person has written it, such as for two profiles of one host; our lines would overrule it."""
    text = f'[credential "{url}"]\n\thelper = {OURS}\n'
    assert not git.is_there(text, wanted())
    with pytest.raises(Foreign):
        git.added(text, wanted())
    there = git.added(text, wanted(replace=True))
    assert there == text + LINES and git.removed(there, wanted()) == text


def test_a_helper_that_is_forgotten_again_does_not_count() -> None:
    """It is not asked any more."""
    text = f'[credential "{ORIGIN}"]\n\thelper = store\n[credential]\n\thelper =\n'
    assert git.added(text, wanted()) == text + LINES


def test_a_helper_that_an_included_file_names_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By any kind of path, also two files deep, each from its own folder, and when the files include each other."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "deep").write_text(
        f'[credential "{ORIGIN}:443"]\n\thelper = store\n[include]\n\tpath = ../other\n'
    )
    (tmp_path / "other").write_text("[include]\n\tpath = d/deep\n[include]\n\tpath\n")
    file = tmp_path / ".gitconfig"
    for path in ("~/other", "d/deep", str(tmp_path / "d" / "deep")):
        text = f"[include]\n\tpath = {path}\n"
        with pytest.raises(Foreign, match=str(file)):
            git.added(text, wanted(file=file))
        assert git.removed(git.added(text, wanted(file=file, replace=True)), wanted(file=file)) == text
        assert git.added(f"{text}[credential]\n\thelper =\n", wanted(file=file))
    assert git.is_there(git.added("[include]\n\tpath = ~nobody/not-there\n", wanted()), wanted())


@pytest.mark.parametrize("call", ["tokenctl", "!tokenctl helper git", "/old/bin/git-credential-tokenctl -p other"])
def test_an_older_call_of_ours_is_replaced(call: str) -> None:
    """It is no other helper, whoever wrote it, and it does not stay beside the new one."""
    text = f'[user]\n\tname = A\n[credential "{ORIGIN}/"]\n\thelper = {call}\n'
    assert not git.is_there(text, wanted())
    assert git.added(text, wanted()) == "[user]\n\tname = A\n" + LINES


# -- edited since ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edited", "left"),
    [
        (f"{LINES}[user]\n\tname = A", "[user]\n\tname = A"),
        (
            f"[user]\n\tname = A\n{LINES}\tusername = u\n",
            f'[user]\n\tname = A\n[credential "{ORIGIN}"]\n\tusername = u\n',
        ),
        (f"{LINES}# mine\n", f'[credential "{ORIGIN}"]\n# mine\n'),
        (LINES.replace("\thelper =\n", "\thelper = store\n"), f'[credential "{ORIGIN}"]\n\thelper = store\n'),
        (f"{LINES}\thelper = store\n", f'[credential "{ORIGIN}"]\n\thelper = store\n'),
        (LINES.replace("\thelper =\n", ""), ""),
        (LINES.replace("\n", "\r\n"), ""),
        (LINES.replace("\thelper =\n", "\n\n  helper = ; forget\n\n"), "\n\n\n"),
        (f'[credential "{ORIGIN}"] helper = {OURS}\n[user] name = A\n', "\n[user] name = A\n"),
        (f'[credential "{ORIGIN}"] helper = {OURS}\n\tusername = u\n', f'[credential "{ORIGIN}"]\n\tusername = u\n'),
        (LINES + LINES, ""),
    ],
)
def test_our_lines_alone_are_taken_out_of_an_edited_file(edited: str, left: str) -> None:
    """What a person has added stays, with the section where it is needed."""
    assert git.removed(edited, wanted()) == left
    key = f"credential.{ORIGIN}.helper"
    assert listed(left) == [each for each in listed(edited) if each not in ((key, ""), (key, OURS))]


def test_two_origins_do_not_touch_each_other() -> None:
    """Each has a section of its own."""
    other = wanted("http://127.0.0.1:8080")
    both = git.added(git.added("[user]\n\tname = A", wanted()), other)
    assert git.is_there(both, wanted()) and git.is_there(both, other)
    assert git.removed(git.removed(both, other), wanted()) == "[user]\n\tname = A"
    assert git.is_there(git.removed(both, wanted()), other)


# -- which file ------------------------------------------------------------------------------------


def test_the_file_is_the_one_that_git_writes(tmp_path: Path) -> None:
    """GIT_CONFIG_GLOBAL, else ~/.gitconfig, but where only the other one is there, that."""
    with available():
        program("git")
    environ = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    xdg, usual = tmp_path / ".config" / "git" / "config", tmp_path / ".gitconfig"
    xdg.parent.mkdir(parents=True)

    def writes(more: dict[str, str]) -> Path:
        subprocess.run(["git", "config", "--global", "a.b", "c"], env=environ | more, check=True, cwd=tmp_path)
        return git.path(environ | more)

    assert writes({}) == usual and usual.exists()
    usual.unlink()
    xdg.touch()
    assert writes({}) == xdg and xdg.read_text()
    usual.touch()
    assert writes({}) == usual and usual.read_text()
    usual.unlink()
    other = tmp_path / "x" / "git" / "config"
    other.parent.mkdir(parents=True)
    other.touch()
    assert writes({"XDG_CONFIG_HOME": str(tmp_path / "x")}) == other and other.read_text()
    assert writes({"GIT_CONFIG_GLOBAL": str(tmp_path / "g")}) == tmp_path / "g"
    assert (tmp_path / "g").exists()
    with pytest.raises(UsageError, match="HOME"):
        git.path({})


def test_nothing_else_is_needed() -> None:
    """No script, and no word to the person."""
    assert (git.scripts({}, wanted()), git.hints(wanted())) == ((), ())
