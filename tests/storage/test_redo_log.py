"""The redo log: a renewed session is read back whole, or it is said that it cannot be, and it stays where it is."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.commandline import LONG
from tests.support.paths import ROOT
from tests.support.responses import only, values
from tests.support.sessions import SECRET, session
from tokenctl.errors import StoreDamaged, StoreUnavailable, TokenctlError, UsageError
from tokenctl.model.session import Session
from tokenctl.storage.redo_log import RESERVED, RedoLog

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes and links are POSIX's")

KNOWN, NEWER = session(1), session(2, access_token="newer")
OTHER_KEY = base64.b64encode(bytes(32)).decode()
fast = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture
def log(tmp_path: Path) -> RedoLog:
    """A redo log with the second generation in it."""
    log = RedoLog(tmp_path, "t")
    log.reserve(KNOWN)
    log.commit(NEWER)
    return log


def put(path: Path, content: bytes) -> None:
    """Write a private file by hand."""
    path.touch(mode=0o600)
    path.write_bytes(content)


def test_a_session_is_read_back_until_it_is_removed(log: RedoLog) -> None:
    """The room that was reserved is the file, private, and no longer than what is in it."""
    assert log.read(KNOWN) == NEWER
    assert os.listdir(log.path.parent) == ["redo"] and log.path.stat().st_mode & 0o777 == 0o600
    assert log.path.read_bytes().endswith(b"\n") and b"\0" not in log.path.read_bytes()
    log.commit(session(3))
    assert log.read(KNOWN) == log.read(NEWER) == session(3)
    log.remove()
    log.remove()
    assert log.read(KNOWN) is None and os.listdir(log.path.parent) == []


def test_nothing_secret_shows_in_it(log: RedoLog) -> None:
    """Who has the file and not the keyring has nothing."""
    content = log.path.read_bytes()
    assert not any(each.encode() in content for each in (SECRET, "newer", KNOWN.seal_key))


def test_a_commit_needs_no_reserved_room(tmp_path: Path) -> None:
    """It is a courtesy to the disk, not a condition."""
    log = RedoLog(tmp_path, "t")
    log.commit(NEWER)
    assert log.read(KNOWN) == NEWER


def test_reserved_room_is_no_session_and_can_be_given_back(tmp_path: Path) -> None:
    """Bytes, not a hole, for as much as the session may need."""
    log = RedoLog(tmp_path, "t")
    for known, size in ((KNOWN, RESERVED), (session(1, id_token="x" * RESERVED), 4 * RESERVED)):
        log.reserve(known)
        (reserved,) = tmp_path.iterdir()
        assert reserved.stat().st_size >= size and reserved.stat().st_blocks * 512 >= size
        assert log.read(known) is None
        log.release()
        assert list(tmp_path.iterdir()) == []


def test_what_a_dead_process_left_in_the_reserved_room_does_not_count(tmp_path: Path) -> None:
    """Half a session there is nothing, and the next commit is whole."""
    log = RedoLog(tmp_path, "t")
    put(tmp_path / "redo.next", b"{" * 200_000)
    assert log.read(KNOWN) is None
    log.commit(NEWER)
    assert log.read(KNOWN) == NEWER and os.listdir(tmp_path) == ["redo"]


@pytest.mark.parametrize("known", [session(2), session(3), session(1, seal_key=OTHER_KEY)])
def test_what_is_not_newer_or_of_another_login_is_none_of_our_business(log: RedoLog, known: Session) -> None:
    """It is passed over, and left where it is."""
    before = log.path.read_bytes()
    assert log.read(known) is None
    assert log.path.read_bytes() == before


def test_another_profile_cannot_open_it(log: RedoLog) -> None:
    """A file that was put in another's folder is damage."""
    with pytest.raises(StoreDamaged):
        RedoLog(log.path.parent, "other").read(KNOWN)


def edited(log: RedoLog, **members: object) -> None:
    """Change members of the document on the disk."""
    put(log.path, json.dumps(json.loads(log.path.read_bytes()) | members).encode())


@pytest.mark.parametrize("version", [0, 2, True, "1", None, [1], "x" * 999])
def test_another_version_is_refused(log: RedoLog, version: object) -> None:
    """A newer program's file is not guessed at, and not passed over either."""
    edited(log, version=version)
    with pytest.raises(StoreDamaged) as caught:
        log.read(KNOWN)
    assert caught.value.hint and len(caught.value.message) < 200 + len(str(log.path))


@pytest.mark.parametrize("members", [{"generation": 3}, {"generation": 2.0}, {"generation": "2"}, {"sealed": 7}])
def test_what_stands_beside_the_sealed_text_is_bound_to_it(log: RedoLog, members: dict[str, object]) -> None:
    """Nobody makes an older session look newer."""
    edited(log, **members)
    with pytest.raises(StoreDamaged):
        log.read(KNOWN)


def test_a_file_that_was_cut_off_is_damage_and_stays(log: RedoLog) -> None:
    """It may be the only copy of the session."""
    whole = log.path.read_bytes()
    for end in range(len(whole) - 1):
        put(log.path, whole[:end])
        with pytest.raises(StoreDamaged, match="damaged") as caught:
            log.read(KNOWN)
        assert "nothing was changed" in (caught.value.hint or "") and log.path.read_bytes() == whole[:end]


def test_no_byte_that_changed_goes_unnoticed(log: RedoLog) -> None:
    """It never becomes another session; at worst it is passed over as another login's."""
    whole = log.path.read_bytes()
    for number in range(len(whole)):
        for change in (0x01, 0x80):
            changed = bytearray(whole)
            changed[number] ^= change
            put(log.path, bytes(changed))
            with only(StoreDamaged):
                assert log.read(KNOWN) in (None, NEWER)
            assert log.path.read_bytes() == changed


@fast
@given(content=st.binary() | values.map(lambda found: json.dumps(found).encode()))
def test_any_file_is_a_session_or_damage(tmp_path: Path, content: bytes) -> None:
    """No bytes make the reader fail in another way, or delete what it cannot read."""
    put(tmp_path / "redo", content)
    with only(TokenctlError):
        assert RedoLog(tmp_path, "t").read(KNOWN) is None
    assert (tmp_path / "redo").read_bytes() == content


@fast
@given(members=st.dictionaries(st.sampled_from(["version", "generation", "login", "sealed"]), values))
def test_any_document_is_a_session_or_damage(tmp_path: Path, members: dict[str, object]) -> None:
    """Right members with wrong values are no surprise either."""
    log = RedoLog(tmp_path, "t")
    log.commit(NEWER)
    edited(log, **members)
    with only(TokenctlError):
        assert log.read(KNOWN) in (None, NEWER)
    assert log.path.exists()


def link(path: Path) -> None:
    path.rename(path.with_name("target"))
    path.symlink_to("target")


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir(0o700)


BAD: dict[str, Callable[[Path], object]] = {
    "link": link,
    "fifo": fifo,
    "folder": folder,
    "hard link": lambda path: path.with_name("target").hardlink_to(path),
    "readable": lambda path: path.chmod(0o644),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_somebody_else_could_have_put_there_is_not_read(log: RedoLog, kind: str) -> None:
    """At once, with exit status 2, and it stays there to be looked at."""
    BAD[kind](log.path)
    with pytest.raises(UsageError, match="redo"):
        log.read(KNOWN)
    assert os.path.lexists(log.path)


@pytest.mark.parametrize("kind", [each for each in BAD if each != "folder"])
def test_a_commit_replaces_what_somebody_put_there(log: RedoLog, kind: str) -> None:
    """The new session is there afterwards, and no link was written through."""
    BAD[kind](log.path)
    log.commit(session(3))
    assert log.read(KNOWN) == session(3)
    target = log.path.with_name("target")
    assert not target.exists() or RedoLog(target.parent, "t").path.read_bytes() != target.read_bytes()


def test_a_commit_that_the_disk_refuses_leaves_the_older_file(log: RedoLog) -> None:
    """Here a folder stands in the way, as for root no mode does."""
    BAD["folder"](log.path)
    with pytest.raises(OSError, match="directory"):
        log.commit(session(3))
    assert log.path.is_dir()


def test_a_commit_that_cannot_open_its_file_is_told(tmp_path: Path) -> None:
    """So that whoever commits can still turn to the keyring."""
    (tmp_path / "redo.next").mkdir()
    with pytest.raises((OSError, UsageError), match="redo"):
        RedoLog(tmp_path, "t").commit(NEWER)


READ_ONLY = Path("/sys")
LIMITED = """
import resource, sys
from pathlib import Path
from tests.support.sessions import session
from tokenctl.errors import StoreUnavailable
from tokenctl.storage.redo_log import RedoLog
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    RedoLog(Path(sys.argv[1]), "t").reserve(session())
except StoreUnavailable as error:
    print(error.message, error.hint)
"""


@pytest.mark.parametrize("place", [READ_ONLY, Path("/absent")])
def test_a_folder_that_cannot_be_written_is_found_out_before_anything_is_sent(place: Path) -> None:
    """A read-only file system is one even for root."""
    with pytest.raises(StoreUnavailable, match="no space") as caught:
        RedoLog(place, "t").reserve(KNOWN)
    assert "nothing was sent" in (caught.value.hint or "")


def test_a_full_disk_is_found_out_before_anything_is_sent(tmp_path: Path) -> None:
    """What was taken of it is given back."""
    words = [sys.executable, "-W", "error", "-c", LIMITED, str(tmp_path)]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=LONG, check=False, cwd=ROOT)
    assert "nothing was sent" in ended.stdout and (ended.returncode, ended.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


WRITER = """
import sys
from pathlib import Path
from tests.support.sessions import session
from tokenctl.storage.redo_log import RedoLog
log = RedoLog(Path(sys.argv[1]), "t")
for number in range(2, 150):
    log.reserve(session())
    log.commit(session(number, id_token="x" * (number * 997 % 20_000)))
"""


def test_a_reader_beside_a_writer_sees_one_session_or_the_next(tmp_path: Path) -> None:
    """Never half of one, and never an older one after a newer one."""
    log, seen = RedoLog(tmp_path, "t"), [0]
    words = [sys.executable, "-W", "error", "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(words, cwd=ROOT) as writer:
        while writer.poll() is None:
            found = log.read(KNOWN)
            seen.append(found.generation if found else 0)
    assert writer.returncode == 0 and seen == sorted(seen) and len(set(seen)) > 2
    final = log.read(KNOWN)
    assert final is not None and final.generation == 149


def test_it_is_safe_only_if_this_very_generation_is_in_it(tmp_path: Path) -> None:
    """An older renewal that waits there says nothing of a newer one."""
    log = RedoLog(tmp_path, "t")
    assert not log.holds(NEWER)
    log.commit(NEWER)
    assert log.holds(NEWER)
    assert not log.holds(replace(NEWER, generation=NEWER.generation + 1))
