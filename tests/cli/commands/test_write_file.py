"""`tokenctl write-file`."""

import os
from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.support.commandline import Home
from tokenctl.oauth.claims import unverified_claims


@pytest.fixture
def signed_in(home: Home, demo_server: FaultyServer) -> Home:
    """A HOME that is signed in to the demo server."""
    assert home.login(demo_server.issuer).status == 0
    return home


def mode(path: Path) -> int:
    """Who may do what with a file."""
    return path.stat().st_mode & 0o777


@pytest.mark.quick
def test_the_file_has_the_token_alone(signed_in: Home) -> None:
    """No newline, nobody else may read it whatever the umask, and there is no other file and no word."""
    folder = signed_in.folder / "out"
    folder.mkdir()
    for umask in (0o777, 0o000):
        before = os.umask(umask)
        try:
            result = signed_in.run("write-file", "-p", "t", str(folder / "token"))
        finally:
            os.umask(before)
        assert (result.status, result.stdout, result.stderr) == (0, "", "")
        assert mode(folder / "token") == 0o600 and os.listdir(folder) == ["token"]
    assert (folder / "token").read_text() + "\n" == signed_in.run("token").stdout


def test_an_old_file_is_replaced(signed_in: Home) -> None:
    """Also one that others could read, or that is longer: who has it open still reads the old content."""
    path = signed_in.folder / "token"
    path.write_text("x" * 10_000)
    path.chmod(0o644)
    with path.open() as old:
        assert signed_in.run("write-file", "token").status == 0
        assert old.read() == "x" * 10_000
    assert unverified_claims(path.read_text())["client_id"] == "tokenctl-demo" and mode(path) == 0o600


def test_the_options_are_those_of_token(signed_in: Home, demo_server: FaultyServer) -> None:
    """A narrower token, and one that lives for longer than the stored one."""
    path = signed_in.folder / "token"
    assert signed_in.run("write-file", "--scope", "openid", "token").status == 0
    assert unverified_claims(path.read_text())["scope"] == "openid"
    result = signed_in.run("write-file", "--min-ttl", "2h", "--wait", "1", "token")
    assert result.status == 0 and "not for the 7200 s of --min-ttl" in result.stderr
    assert path.read_text() + "\n" == signed_in.run("token").stdout


REFUSED = {
    "folder": "is a folder",
    "pipe": "is a named pipe",
    "link": "is a link",
    "dangling": "is a link",
    "/dev/null": "is no plain file",
    "": "is a folder",
    "absent/token": "there is no folder",
    "file/token": "Not a directory",
    "x" * 300: "File name too long",
}
"""A path -> what is said of it."""


def test_a_path_that_cannot_be_written_is_refused(home: Home) -> None:
    """Before anything is asked for a token; everything is as it was."""
    home.write_config('[profiles.t]\nissuer = "https://nobody.example"\nclient_id = "c"\n')
    folder = home.folder / "out"
    (folder / "folder").mkdir(parents=True)
    os.mkfifo(folder / "pipe")
    (folder / "file").write_text("old")
    (folder / "link").symlink_to(folder / "file")
    (folder / "dangling").symlink_to(folder / "absent")
    before = sorted(os.listdir(folder))
    for name, said in REFUSED.items():
        result = home.run("write-file", str(folder / name))
        assert (result.status, result.stdout) == (2, "") and said in result.stderr, name
    assert sorted(os.listdir(folder)) == before and (folder / "file").read_text() == "old"


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_a_folder_that_cannot_be_written_to_is_refused(home: Home) -> None:
    """With the folder's name."""
    home.write_config('[profiles.t]\nissuer = "https://nobody.example"\nclient_id = "c"\n')
    folder = home.folder / "out"
    folder.mkdir(mode=0o500)
    result = home.run("write-file", str(folder / "token"))
    assert result.status == 2 and f"the folder {folder} cannot be written to" in result.stderr


def test_a_failure_leaves_the_old_file(signed_in: Home) -> None:
    """There is no such profile, or no session; where the folder takes no file, the reason is the system's."""
    path = signed_in.folder / "token"
    path.write_text("old")
    result = signed_in.run("write-file", "/proc/token")
    assert result.status == 1 and "/proc/token: No such file or directory" in result.stderr
    assert signed_in.run("write-file", "-p", "nobody", "token").status == 2
    assert signed_in.run("revoke").status == 0
    result = signed_in.run("write-file", "token")
    assert result.status == 4 and "tokenctl login" in result.stderr
    assert path.read_text() == "old"


def test_writers_at_once_leave_a_whole_token(signed_in: Home) -> None:
    """Each of them succeeds, and whoever reads meanwhile has a whole token, the old or the new."""
    path = signed_in.folder / "token"
    assert signed_in.run("write-file", "token").status == 0
    token, seen = path.read_text(), set[str]()
    results = signed_in.race(
        6, "write-file", "token", meanwhile=lambda _: seen.update(path.read_text() for _ in range(1000))
    )
    assert {(each.status, each.stdout, each.stderr) for each in results} == {(0, "", "")}
    assert seen == {token} and path.read_text() == token
    assert [each for each in os.listdir(signed_in.folder) if each.startswith(".tokenctl")] == []
