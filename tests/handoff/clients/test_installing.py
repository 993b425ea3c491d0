"""helper install and uninstall: what they change, what they refuse, and what a run that is killed leaves."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.handoff.clients.conftest import CONFIG, Person
from tests.support.config_files import ORIGIN, OTHER, docker
from tests.support.crash import Killed, dying_at
from tokenctl.errors import UsageError
from tokenctl.handoff.clients import changes, receipts
from tokenctl.handoff.clients.changes import Asked

DOCKER = docker.FILES["four spaces and a store"] or b""


def config_of(person: Person) -> bytes:
    """Read our config file."""
    return Path(person.runtime.environ["TOKENCTL_CONFIG"]).read_bytes()


def of_person(person: Person) -> dict[str, bytes]:
    """Read the person's files, without the temporary ones that a killed run leaves, and the folders."""
    return {
        name: content
        for name, content in person.contents().items()
        if not name.endswith(".next") and content != b"(folder)"
    }


def test_the_origin_is_bound(person: Person) -> None:
    """Install binds the origin, and a second client of the same origin needs it as long as it is there."""
    person.write("docker", DOCKER)
    person.write("uv", b"")
    assert person.install("docker").bound == (("t", ORIGIN),)
    assert person.install("uv").bound == ()
    person.uninstall("docker")
    assert person.hosts() == (ORIGIN,)
    [found] = person.uninstall("uv")
    assert found.unbound == (("t", ORIGIN),) and person.hosts() == ()


def test_what_the_person_bound_stays(person: Person) -> None:
    """An origin that the profile had before is not taken out."""
    config = Path(person.runtime.environ["TOKENCTL_CONFIG"])
    config.write_text(CONFIG.replace('"c"\n\n', f'"c"\nhosts = ["{ORIGIN}"]\n\n'))
    person.install("docker", profile=None)
    person.uninstall("docker")
    assert person.hosts() == (ORIGIN,)


def test_the_profile(person: Person) -> None:
    """A profile that does not exist, or another one that binds the origin, is an error that names both."""
    with pytest.raises(UsageError, match="no profile 'x'"):
        person.install("docker", profile="x")
    with pytest.raises(UsageError, match="several profiles"):
        person.install("docker", profile=None)
    person.install("docker")
    with pytest.raises(UsageError, match="'u' and 't' are both bound"):
        person.install("docker", profile="u")
    with pytest.raises(UsageError, match="profile 't', not with 'u'"):
        person.uninstall("docker", profile="u")
    assert person.install("docker", profile=None).old.entries()[0].profile == "t"


@pytest.mark.parametrize("origin", ["registry.example.com", "http://registry.example.com", f"{ORIGIN}/v2", "ssh://x"])
def test_an_origin_that_is_none(person: Person, origin: str) -> None:
    """Only an origin that a token may be sent to is accepted."""
    for ask in (person.install, person.uninstall):
        with pytest.raises(UsageError, match="--host"):
            ask("docker", origin)
    assert of_person(person) == {}


def test_a_change_that_is_only_shown_writes_nothing(person: Person) -> None:
    """What --dry-run prints makes no file and no folder, also beside the config file."""
    before = sorted(person.home.rglob("*"))
    found = changes.installation(person.runtime, Asked(client="docker", origin=ORIGIN, profile="t"))
    assert found.after and "credHelpers" in found.after and found.bound
    assert sorted(person.home.rglob("*")) == before


def test_a_link_stays_a_link(person: Person) -> None:
    """The file in a dotfiles folder is changed, and the link to it stays."""
    path = person.write("docker", None)
    target = person.home / "dotfiles" / "docker.json"
    target.parent.mkdir()
    target.write_bytes(DOCKER)
    path.symlink_to("../dotfiles/docker.json")
    person.install("docker")
    assert path.is_symlink() and b"tokenctl" in target.read_bytes()
    person.uninstall("docker")
    assert path.is_symlink() and target.read_bytes() == DOCKER


def _read_only(path: Path) -> None:
    path.write_bytes(DOCKER)
    path.chmod(0o444)


def _hard_link(path: Path) -> None:
    path.write_bytes(DOCKER)
    path.with_name("second").hardlink_to(path)


def _of_another(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    path.write_bytes(DOCKER)
    os.chown(path, 12345, -1)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_read_only, "read-only"),
        (_hard_link, "second name"),
        (_of_another, "belongs to user 12345"),
        (os.mkfifo, "not an ordinary file"),
        (os.mkdir, "not an ordinary file"),
    ],
)
def test_a_file_that_is_not_to_be_changed(person: Person, make: Callable[[Path], None], said: str) -> None:
    """It is refused, with what to do, before anything is written."""
    path = person.write("docker", None)
    make(path)
    before = path.lstat()
    with pytest.raises(UsageError, match=said) as refused:
        person.install("docker")
    shown = "not an ordinary file" not in said  # what cannot be read cannot be shown with --dry-run either
    assert ("--dry-run" if shown else "--config-file") in (refused.value.hint or "")
    after = path.lstat()
    assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (before.st_ino, before.st_mode, before.st_mtime_ns)
    assert person.hosts() == ()


def test_edited_since(person: Person) -> None:
    """Where somebody changed another line since, that change stays, and all the rest is as before."""
    path = person.write("docker", DOCKER)
    person.install("docker")
    path.write_bytes(path.read_bytes().replace(b'"desktop"', b'"secretservice"'))
    person.uninstall("docker")
    assert path.read_bytes() == DOCKER.replace(b'"desktop"', b'"secretservice"')


def test_written_anew_since(person: Person) -> None:
    """Where a program wrote the whole file in its own form since, our keys alone are removed."""
    path = person.write("docker", DOCKER)
    person.install("docker")
    person.install("docker", OTHER)
    path.write_text(json.dumps(json.loads(path.read_bytes()), separators=(",", ":")))
    person.uninstall("docker")
    assert json.loads(path.read_bytes()) == json.loads(DOCKER) | {"credHelpers": {"other.example.com": "tokenctl"}}
    person.uninstall("docker", OTHER)
    assert json.loads(path.read_bytes()) == json.loads(DOCKER)


def test_not_readable_any_more(person: Person) -> None:
    """A file that somebody broke since is left alone, and the receipt stays for when it is mended."""
    path = person.write("docker", DOCKER)
    person.install("docker")
    whole = path.read_bytes()
    path.write_bytes(whole[:-3] + b"//")
    with pytest.raises(UsageError, match="as docker reads it"):
        person.uninstall("docker")
    path.write_bytes(whole)
    person.uninstall("docker")
    assert path.read_bytes() == DOCKER


def test_removed_since(person: Person) -> None:
    """A file that the person removed stays away, and one whose helper they removed gets it again."""
    path = person.write("docker", DOCKER)
    person.install("docker")
    path.write_bytes(DOCKER)
    assert not person.install("docker").is_nothing
    path.unlink()
    person.uninstall("docker")
    assert of_person(person) == {} and person.hosts() == ()


def test_the_receipt_has_no_secret(person: Person) -> None:
    """The receipts are private, and have nothing of the file but what was replaced."""
    person.write(
        "claude-code",
        b'{"mcpServers":{"a":{"url":"%s/a"},"s":{"env":{"K":"sesame"}},"b":{"url":"%s/b"}}}' % ((ORIGIN.encode(),) * 2),
    )
    person.install("claude-code")
    [path] = Path(person.runtime.environ["TOKENCTL_STATE_DIR"]).rglob("installed.json")
    assert "sesame" not in path.read_text() and path.stat().st_mode & 0o777 == 0o600


def test_receipts_of_a_later_version(person: Person) -> None:
    """Receipts that this version does not know are refused, and not written over."""
    person.install("docker")
    [path] = Path(person.runtime.environ["TOKENCTL_STATE_DIR"]).rglob("installed.json")
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
    for ask in (person.install, person.uninstall):
        with pytest.raises(UsageError, match="is of version 2"):
            ask("docker")


@pytest.mark.parametrize("content", ["", "[]", "[" * 100_000, '{"version": 1}', None])
def test_receipts_that_are_damaged(person: Person, content: str | None) -> None:
    """They are an error that says what to do, and the client's file stays; None: a client of a later version."""
    path = person.write("docker", DOCKER)
    person.install("docker")
    before = path.read_bytes()
    [kept] = Path(person.runtime.environ["TOKENCTL_STATE_DIR"]).rglob("installed.json")
    kept.write_text(kept.read_text().replace('"docker"', '"later"') if content is None else content)
    for ask in (person.install, person.uninstall):
        with pytest.raises(UsageError, match="cannot be read") as refused:
            ask("docker")
        assert "move it away" in (refused.value.hint or "") and path.read_bytes() == before


@pytest.mark.parametrize("content", [None, DOCKER])
@pytest.mark.parametrize("first", ["install", "uninstall"])
@pytest.mark.parametrize("then", ["install", "uninstall"])
def test_killed_at_each_step(person: Person, content: bytes | None, first: str, then: str) -> None:
    """A run that is killed before any of its changes leaves a whole file, which the next run completes or restores."""
    path = person.write("docker", content)
    Path(person.runtime.environ["TOKENCTL_CONFIG"]).write_text(CONFIG.rstrip().replace('"c"', '"c"\nhosts = [ ]', 1))
    before, config = of_person(person), config_of(person)
    person.install("docker", OTHER)
    other = of_person(person)
    person.install("docker")
    both = of_person(person)
    for step in range(1, 100):
        getattr(person, "uninstall" if first == "install" else "install")("docker")
        died = False
        try:
            with dying_at(step, person.home):
                getattr(person, first)("docker")
        except Killed:
            died = True
        assert of_person(person) in (other, both)
        getattr(person, then)("docker")
        assert of_person(person) == (both if then == "install" else other)
        assert (ORIGIN in person.hosts()) == (then == "install")
        if not died:
            break
    assert step > 5
    person.uninstall("docker")
    person.uninstall("docker", OTHER)
    assert of_person(person) == before and config_of(person) == config
    assert receipts.read(person.runtime.environ) == receipts.Receipts()
    with suppress(OSError):
        path.unlink()


@contextmanager
def _a_full_disk() -> Iterator[None]:
    """Let no file grow: what is written fails, as on a full disk."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("ask", ["install", "uninstall"])
def test_a_full_disk(person: Person, ask: str) -> None:
    """It is a reason, and not a traceback; nothing is lost, and the same command works when there is room."""
    path = person.write("docker", DOCKER)
    if ask == "uninstall":
        person.install("docker")
    before = of_person(person), config_of(person)
    with _a_full_disk(), pytest.raises(UsageError, match="cannot be written"):
        getattr(person, ask)("docker")
    assert (of_person(person), config_of(person)) == before
    getattr(person, ask)("docker")
    assert (path.read_bytes() == DOCKER) == (ask == "uninstall")


def test_no_room(person: Person) -> None:
    """A failure after the profile was changed takes that back too."""
    path = person.write("docker", DOCKER)
    path.parent.chmod(0o500)
    before = of_person(person)
    if os.geteuid() == 0:
        pytest.skip("root can write everywhere")
    with pytest.raises(UsageError, match="no permission"):
        person.install("docker")
    assert of_person(person) == before and person.hosts() == ()


def test_set_up_by_hand(person: Person) -> None:
    """What the person wrote before install stays at uninstall; a second uninstall, which has no receipt, takes it out."""
    path = person.write("docker", b'{"credHelpers":{"registry.example.com:5000":"tokenctl"}}')
    before = path.read_bytes()
    assert person.install("docker").bound and path.read_bytes() == before
    person.install("docker", OTHER)
    person.uninstall("docker")
    person.uninstall("docker", OTHER)
    assert path.read_bytes() == before and person.hosts() == ()
    person.uninstall("docker")
    assert path.read_bytes() == b"{}"


@pytest.mark.parametrize("name", ["uv", "codex", "cargo"])
def test_a_line_behind_a_file_without_a_last_line_end(person: Person, name: str) -> None:
    """What the person writes behind our lines since keeps its own line, and its own line end before it."""
    origin = f'"{ORIGIN}/x"'
    text = {
        "uv": "offline = true",
        "codex": f"[model_providers.a]\nbase_url = {origin}",
        "cargo": f"[registries.a]\nindex = {origin}",
    }[name]
    path = person.write(name, text.encode())
    person.install(name)
    path.write_bytes(path.read_bytes() + b"\n# mine")
    person.uninstall(name)
    assert path.read_text() == f"{text}\n# mine"
