"""`tokenctl helper` alone, `install`, `uninstall` and `status`, as a person types them."""

import json
from pathlib import Path

import pytest

from tests.support.attended import attended
from tests.support.commandline import Home
from tokenctl.handoff import clients, helpers

ORIGIN = "https://registry.example.com"
DOCKER = '{\n  "auths": {"x": {"auth": "sesame"}}\n}'


@pytest.fixture
def person(home: Home) -> Home:
    """A HOME with a profile and a file of docker."""
    home.write_config('[profiles.t]\nissuer = "https://login.example.com"\nclient_id = "c"\n')
    (home.folder / ".docker").mkdir()
    (home.folder / ".docker" / "config.json").write_text(DOCKER)
    return home


def file_of(person: Home) -> Path:
    """Return the file of docker."""
    return person.folder / ".docker" / "config.json"


@pytest.mark.quick
def test_from_install_to_uninstall(person: Home) -> None:
    """Install says the file, the keys and the host; a second one changes nothing; uninstall says what it removed."""
    before = person.snapshot()
    words = ("docker", "--host", ORIGIN)
    planned = person.run("helper", "install", *words, "--dry-run")
    assert planned.status == 0 and '+  "credHelpers": {' in planned.stdout and "would add" in planned.stderr
    assert person.snapshot() == before
    done = person.run("helper", "install", *words)
    assert (done.status, done.stdout) == (0, "")
    assert f"set up docker for {ORIGIN} in {file_of(person)}" in done.stderr
    assert '"registry.example.com": "tokenctl"' in done.stderr and "sesame" not in done.stderr
    assert f"added {ORIGIN} to the hosts of t" in done.stderr
    text = file_of(person).read_text()
    again = person.run("helper", "install", "docker", "--host", "https://Registry.example.com:443/")
    assert f"docker is set up for {ORIGIN} already" in again.stderr
    assert again.status == 0 and "already" in again.stderr and file_of(person).read_text() == text
    undone = person.run("helper", "uninstall", *words)
    assert undone.status == 0 and "removed our helper" in undone.stderr and "from the hosts of t" in undone.stderr
    assert file_of(person).read_text() == DOCKER
    nothing = person.run("helper", "uninstall", *words)
    assert nothing.status == 0 and "it was not changed" in nothing.stderr


@pytest.mark.parametrize("text", ['{"auths":{"x":{"auth":"sesame"}}}', '{"a":"sesame"}', DOCKER])
def test_install_shows_no_words_of_the_person(person: Home, text: str) -> None:
    """A file of one line has the person's passwords in the line that install changes: it is not shown."""
    file_of(person).write_text(text)
    done = person.run("helper", "install", "docker", "--host", ORIGIN)
    assert f"set up docker for {ORIGIN}" in done.stderr and "sesame" not in done.stderr


def test_install_shows_whole_lines(person: Home) -> None:
    """A line of ours is shown from its beginning to its end, also where it begins like one that was there."""
    file_of(person).write_text('{\n  "credHelpers": {\n    "registry.example.org": "tokenctl"\n  }\n}\n')
    done = person.run("helper", "install", "docker", "--host", ORIGIN)
    shown = [line for line in done.stderr.splitlines() if line.startswith("tokenctl:   ")]
    assert shown[0] == 'tokenctl:       "registry.example.com": "tokenctl"'


def test_another_config_file_has_to_be_named_where_the_client_is_started(person: Home) -> None:
    """The client's call has no `--config`, so that install says which variable does the same."""
    other = person.config.rename(person.folder / "other.toml")
    done = person.run("--config", str(other), "helper", "install", "docker", "--host", ORIGIN)
    assert f"hint: docker passes no --config: start it with TOKENCTL_CONFIG={other}\n" in done.stderr


@pytest.mark.quick
def test_status(person: Home) -> None:
    """The status is a line a helper in a pipe, a document with --json, and a table at a terminal."""
    assert "no helper is installed" in person.run("helper", "status").stderr
    assert person.run("helper", "status", "--json").stdout == "[]\n"
    person.run("helper", "install", "docker", "--host", ORIGIN)
    found = person.run("helper", "status")
    assert found.status == 0
    assert found.stdout == f"docker\t{ORIGIN}\tt\t{file_of(person)}\tnot signed in to 't'\n"
    [document] = json.loads(person.run("helper", "status", "--json").stdout)
    assert document["installed"] and not document["answers"]
    assert person.run("helper", "status", "--json", "-p", "u").stdout == "[]\n"
    assert "no helper is installed for profile 'u'" in person.run("helper", "status", "-p", "u").stderr
    shown = attended(person, "helper", "status").stderr
    assert "● no token" in shown and f"\ndocker at {ORIGIN}: not signed in to 't'\n" in shown
    assert "  run 'tokenctl login -p t'" in shown


def test_the_list(person: Home) -> None:
    """`helper` alone lists every client with the line that sets it up, and what is installed."""
    person.run("helper", "install", "docker", "--host", ORIGIN)
    lines = person.run("helper").stdout.splitlines()
    for name in clients.LINES:
        assert any(f"tokenctl helper install {name} --host ORIGIN" in line for line in lines)
    for name in set(helpers.LINES) - set(clients.LINES):
        assert any(f"tokenctl helper {name}" in line for line in lines)
    assert lines[-1].startswith(f"docker\t{ORIGIN}\tt\t")
    assert "tokenctl helper install CLIENT --host ORIGIN" in attended(person, "helper").stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("install", "dokcer", "--host", ORIGIN), "did you mean 'docker'?"),
        (("install", "podman", "--host", ORIGIN), "for podman it is 'docker'"),
        (("install", "npm", "--host", ORIGIN), "'tokenctl help helpers' has others"),
        (("list",), "here it is 'tokenctl helper status'"),
        (("remove", "docker"), "here it is 'tokenctl helper uninstall'"),
        (("install", "docker"), "missing option '--host'"),
        (("install", "docker", "--host", "registry.example.com"), f"did you mean {ORIGIN}?"),
        (("install", "docker", "--host", ORIGIN, "-p", "x"), "there is no profile 'x'"),
    ],
)
def test_wrong_words(person: Home, words: tuple[str, ...], said: str) -> None:
    """Wrong words are exit status 2, with what was most likely meant, and nothing is changed."""
    found = person.run("helper", *words)
    assert found.status == 2 and said in found.stderr and file_of(person).read_text() == DOCKER
