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
from tests.support.sessions import ID, SEAL_KEY, SECRET, session
from tokenctl.errors import StoreDamaged, StoreUnavailable, TokenctlError, UsageError
from tokenctl.model.session import Session, dumps, first_id
from tokenctl.storage import session_files
from tokenctl.storage.redo_log import RESERVED, RedoLog
from tokenctl.storage.sealing import seal

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes and links are POSIX's")

MACHINE, NAME = "1a2b", f"redo.{ID}"
KNOWN, NEWER = session(1), session(2, access_token="newer")
OTHER_KEY = base64.b64encode(bytes(32)).decode()
fast = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def file_of(log: RedoLog) -> Path:
    """The redo log's file."""
    return log.path(KNOWN)


def folder_of(log: RedoLog) -> Path:
    """The folder of the redo log."""
    return file_of(log).parent


@pytest.fixture
def log(tmp_path: Path) -> RedoLog:
    """A redo log with the second generation in it."""
    log = RedoLog(tmp_path, "t", MACHINE)
    log.reserve(KNOWN)
    log.commit(NEWER)
    return log


def put(path: Path, content: bytes) -> None:
    """Write a private file by hand."""
    path.touch(mode=0o600)
    path.write_bytes(content)


def test_a_session_is_read_back_until_it_is_removed(log: RedoLog, tmp_path: Path) -> None:
    """The room that was reserved is the file, private, and no longer than what is in it."""
    assert log.read(KNOWN) == NEWER
    assert os.listdir(folder_of(log)) == [NAME] and file_of(log).stat().st_mode & 0o777 == 0o600
    assert file_of(log).read_bytes().endswith(b"\n") and b"\0" not in file_of(log).read_bytes()
    log.commit(session(3))
    assert log.read(KNOWN) == log.read(NEWER) == session(3)
    for _ in range(2):
        log.remove_others(None, ID)
        assert log.read(KNOWN) is None and os.listdir(tmp_path) == []


def test_nothing_secret_shows_in_it(log: RedoLog) -> None:
    """Who has the file and not the keyring has nothing."""
    content = file_of(log).read_bytes()
    assert not any(each.encode() in content for each in (SECRET, "newer", KNOWN.seal_key))


def test_a_commit_needs_no_reserved_room(tmp_path: Path) -> None:
    """It is a courtesy to the disk, not a condition."""
    log = RedoLog(tmp_path, "t", MACHINE)
    log.commit(NEWER)
    assert log.read(KNOWN) == NEWER


def test_reserved_room_is_no_session_and_can_be_given_back(tmp_path: Path) -> None:
    """Bytes, not a hole, for as much as the session may need."""
    log = RedoLog(tmp_path, "t", MACHINE)
    for known, size in ((KNOWN, RESERVED), (session(1, id_token="x" * RESERVED), 4 * RESERVED)):
        log.reserve(known)
        (reserved,) = tmp_path.iterdir()
        assert reserved.stat().st_size >= size and reserved.stat().st_blocks * 512 >= size
        assert log.read(known) is None
        log.release()
        assert list(tmp_path.iterdir()) == []


def test_what_a_dead_process_left_in_the_reserved_room_does_not_count(tmp_path: Path) -> None:
    """Half a session there is nothing, and the next commit is whole."""
    log = RedoLog(tmp_path, "t", MACHINE)
    put(tmp_path / "redo.next", b"{" * 200_000)
    assert log.read(KNOWN) is None
    log.commit(NEWER)
    assert log.read(KNOWN) == NEWER and os.listdir(tmp_path) == [NAME]


@pytest.mark.parametrize("known", [session(2), session(3), session(1, id="0" * 16)])
def test_what_is_not_newer_or_of_another_session_is_passed_over(log: RedoLog, known: Session) -> None:
    """It is passed over, and left where it is."""
    before = file_of(log).read_bytes()
    assert log.read(known) is None
    assert file_of(log).read_bytes() == before


def test_a_key_that_does_not_fit_is_damage(log: RedoLog) -> None:
    """The session's id is the file's, so its key must be, too."""
    with pytest.raises(StoreDamaged):
        log.read(session(1, seal_key=OTHER_KEY))


def test_another_profile_cannot_open_it(log: RedoLog) -> None:
    """A file that was put in another's folder is damage."""
    with pytest.raises(StoreDamaged):
        RedoLog(folder_of(log), "other", MACHINE).read(KNOWN)


def edited(log: RedoLog, line: bytes) -> None:
    """Put another first line before the sealed text."""
    put(file_of(log), line + b"\n" + file_of(log).read_bytes().partition(b"\n")[2])


@pytest.mark.parametrize("version", [b"0", b"1", b"3", b"999999999", b"9" * 99, b"x", b"", b"-2"])
def test_another_version_is_refused(log: RedoLog, version: bytes) -> None:
    """A newer program's file is not guessed at, and not passed over either."""
    edited(log, b"tokenctl-redo %s 2 %s" % (version, MACHINE.encode()))
    with pytest.raises(StoreDamaged) as caught:
        log.read(KNOWN)
    assert caught.value.hint and len(caught.value.message) < 200 + len(str(file_of(log)))


@pytest.mark.parametrize("rest", [b"3 1a2b", b"02 1a2b", b"2 1a2c", b"2  1a2b", b"2 1a2b ", b"2.0 1a2b", b"2"])
def test_what_stands_beside_the_sealed_text_is_bound_to_it(log: RedoLog, rest: bytes) -> None:
    """Nobody makes an older session look newer."""
    edited(log, b"tokenctl-redo 2 " + rest)
    with pytest.raises(StoreDamaged):
        log.read(KNOWN)


def test_a_file_that_was_cut_off_is_damage_and_stays(log: RedoLog) -> None:
    """It may be the only copy of the session."""
    whole = file_of(log).read_bytes()
    for end in range(len(whole) - 1):
        put(file_of(log), whole[:end])
        with pytest.raises(StoreDamaged, match="damaged") as caught:
            log.read(KNOWN)
        assert "nothing was changed" in (caught.value.hint or "") and file_of(log).read_bytes() == whole[:end]


def test_no_byte_that_changed_goes_unnoticed(log: RedoLog) -> None:
    """It never becomes another session; at worst it is passed over as another login's."""
    whole = file_of(log).read_bytes()
    for number in range(len(whole)):
        for change in (0x01, 0x80):
            changed = bytearray(whole)
            changed[number] ^= change
            put(file_of(log), bytes(changed))
            with only(StoreDamaged):
                assert log.read(KNOWN) in (None, NEWER)
            assert file_of(log).read_bytes() == changed


@fast
@given(content=st.binary() | values.map(lambda found: json.dumps(found).encode()))
def test_any_file_is_a_session_or_damage(tmp_path: Path, content: bytes) -> None:
    """No bytes make the reader fail in another way, or delete what it cannot read."""
    put(tmp_path / NAME, content)
    with only(TokenctlError):
        assert RedoLog(tmp_path, "t", MACHINE).read(KNOWN) is None
    assert (tmp_path / NAME).read_bytes() == content


FIRST_VERSION = {"version": 1, "generation": 2, "login": "x", "sealed": ""}


@fast
@given(members=st.dictionaries(st.sampled_from(sorted(FIRST_VERSION)), values))
def test_any_document_of_version_1_is_a_session_or_damage(tmp_path: Path, members: dict[str, object]) -> None:
    """Right members with wrong values are no surprise either."""
    put(tmp_path / NAME, json.dumps(FIRST_VERSION | {"login": ID} | members).encode())
    with only(TokenctlError):
        assert RedoLog(tmp_path, "t", MACHINE).read(KNOWN) is None
    assert (tmp_path / NAME).exists()


def first_version(folder: Path) -> Session:
    """Write the redo log that the first version wrote, with a second generation; return the first generation."""
    known = session(1, id=first_id(SEAL_KEY), version=1)
    document = {"version": 1, "generation": 2, "login": known.id}
    associated = json.dumps(["t", 1, 2, known.id]).encode()
    text = json.loads(dumps(session(2, access_token="newer"))) | {"version": 1}
    del text["id"]
    sealed = seal(base64.b64decode(SEAL_KEY), json.dumps(text).encode(), associated)
    put(folder / "redo", json.dumps(document | {"sealed": base64.b64encode(sealed).decode()}).encode() + b"\n")
    return known


def test_the_redo_log_of_version_1_is_read_and_gets_its_name(tmp_path: Path) -> None:
    """A program that is upgraded between commit and copy loses nothing."""
    known, log = first_version(tmp_path), RedoLog(tmp_path, "t", MACHINE)
    newer = session(2, access_token="newer", id=known.id)
    assert log.read(known) == newer and log.read(replace(known, generation=2)) is None
    assert log.read(session(1, version=1)) is None  # of another login
    session_files.rename_first(tmp_path, "redo", known)
    assert os.listdir(tmp_path) == [f"redo.{known.id}"] and log.read(known) == newer
    log.commit(replace(newer, generation=3))
    found = log.read(known)
    assert found is not None and found.generation == 3 and os.listdir(tmp_path) == [f"redo.{known.id}"]


def test_another_sessions_redo_log_of_version_1_is_left_where_it_is(tmp_path: Path) -> None:
    """A session of this version never takes that name."""
    first_version(tmp_path)
    log = RedoLog(tmp_path, "t", MACHINE)
    assert log.read(KNOWN) is None
    session_files.rename_first(tmp_path, "redo", KNOWN)
    assert os.listdir(tmp_path) == ["redo"]


def test_others_of_this_machine_are_removed_and_those_of_other_machines_stay(tmp_path: Path) -> None:
    """A home directory that machines share has a redo log for each."""
    ids = {name: f"{number:016x}" for number, name in enumerate(("kept", "mine", "theirs", "replaced", "damaged"))}
    for name, each in ids.items():
        machine = "0" if name in ("theirs", "replaced") else MACHINE
        RedoLog(tmp_path, "t", machine).commit(session(2, id=each))
    put(tmp_path / f"redo.{ids['damaged']}", b"?")
    log = RedoLog(tmp_path, "t", MACHINE)
    log.reserve(KNOWN)
    log.remove_others(session(1, id=ids["kept"]), ids["replaced"])
    expected = {f"redo.{ids[name]}" for name in ("kept", "theirs", "damaged")} | {"redo.next"}
    assert set(os.listdir(tmp_path)) == expected
    log.remove_others(None, None)
    assert f"redo.{ids['kept']}" not in os.listdir(tmp_path)


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
    BAD[kind](file_of(log))
    with pytest.raises(UsageError, match="redo"):
        log.read(KNOWN)
    assert os.path.lexists(file_of(log))


@pytest.mark.parametrize("kind", [each for each in BAD if each != "folder"])
def test_a_commit_replaces_what_somebody_put_there(log: RedoLog, kind: str) -> None:
    """The new session is there afterwards, and no link was written through."""
    BAD[kind](file_of(log))
    log.commit(session(3))
    assert log.read(KNOWN) == session(3)
    target = file_of(log).with_name("target")
    assert not target.exists() or file_of(log).read_bytes() != target.read_bytes()


def test_a_commit_that_the_disk_refuses_leaves_the_older_file(log: RedoLog) -> None:
    """Here a folder stands in the way, as for root no mode does."""
    BAD["folder"](file_of(log))
    with pytest.raises(OSError, match="directory"):
        log.commit(session(3))
    assert file_of(log).is_dir()


def test_a_commit_that_cannot_open_its_file_is_told(tmp_path: Path) -> None:
    """So that whoever commits can still turn to the keyring."""
    (tmp_path / "redo.next").mkdir()
    with pytest.raises((OSError, UsageError), match="redo"):
        RedoLog(tmp_path, "t", MACHINE).commit(NEWER)


READ_ONLY = Path("/sys")
LIMITED = """
import resource, sys
from pathlib import Path
from tests.support.sessions import session
from tokenctl.errors import StoreUnavailable
from tokenctl.storage.redo_log import RedoLog
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    RedoLog(Path(sys.argv[1]), "t", "0").reserve(session())
except StoreUnavailable as error:
    print(error.message, error.hint)
"""


@pytest.mark.parametrize("place", [READ_ONLY, Path("/absent")])
def test_a_folder_that_cannot_be_written_is_found_out_before_anything_is_sent(place: Path) -> None:
    """A read-only file system is one even for root."""
    with pytest.raises(StoreUnavailable, match="no space") as caught:
        RedoLog(place, "t", MACHINE).reserve(KNOWN)
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
log = RedoLog(Path(sys.argv[1]), "t", "0")
for number in range(2, 150):
    log.reserve(session())
    log.commit(session(number, id_token="x" * (number * 997 % 20_000)))
"""


def test_a_reader_beside_a_writer_sees_one_session_or_the_next(tmp_path: Path) -> None:
    """Never half of one, and never an older one after a newer one."""
    log, seen = RedoLog(tmp_path, "t", MACHINE), [0]
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
    log = RedoLog(tmp_path, "t", MACHINE)
    assert not log.holds(NEWER)
    log.commit(NEWER)
    assert log.holds(NEWER)
    assert not log.holds(replace(NEWER, generation=NEWER.generation + 1))
