"""The journal: what is known of one refresh token, and never a guess."""

import base64
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.responses import only, values
from tests.support.sessions import ID, SECRET, session
from tokenctl.errors import StoreDamaged, StoreUnavailable, TokenctlError, UsageError
from tokenctl.model.session import Session
from tokenctl.storage import session_files
from tokenctl.storage.journal import LONGEST_PAUSE, Entry, Journal

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes and links are POSIX's")

SESSION = session()
MACHINE, NAME = "1a2b", f"journal.{ID}"
NOW = 1_700_000_000
fast = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A journal that knows of one try."""
    journal = Journal(tmp_path, MACHINE)
    journal.write(replace(journal.read(SESSION), tries=1, not_before=NOW, failed_at=NOW + 0.5))
    return journal


def put(path: Path, content: bytes) -> None:
    """Write a private file by hand."""
    path.touch(mode=0o600)
    path.write_bytes(content)


def test_an_entry_is_read_back_until_it_is_removed(journal: Journal) -> None:
    """One private file, nothing beside it, and no secret in it."""
    found = journal.read(SESSION)
    assert (found.tries, found.dead, found.not_before, found.failed_at) == (1, False, NOW, NOW + 0.5)
    assert os.listdir(journal.path(SESSION).parent) == [NAME] and journal.path(SESSION).stat().st_mode & 0o777 == 0o600
    assert SECRET not in journal.path(SESSION).read_text() and SESSION.seal_key not in journal.path(SESSION).read_text()
    journal.remove(SESSION)
    journal.remove(SESSION)
    assert journal.read(SESSION) == Entry(session=ID, fingerprint=found.fingerprint)


def test_a_clean_journal_makes_no_file(tmp_path: Path) -> None:
    """Reading writes nothing."""
    entry = Journal(tmp_path, MACHINE).read(SESSION)
    assert (entry.tries, entry.dead, entry.in_doubt, entry.pause(NOW)) == (0, False, False, 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "other",
    [
        session(refresh_token="another"),
        session(refresh_token=None),
        session(seal_key=base64.b64encode(bytes(32)).decode()),
    ],
)
def test_an_entry_counts_for_its_own_refresh_token(journal: Journal, other: Session) -> None:
    """The next token, and the next login, start clean; the entry stays for the one it is about."""
    assert journal.read(other).tries == 0 and journal.read(other).fingerprint != journal.read(SESSION).fingerprint
    assert journal.read(session(5, access_token="new")).tries == 1


@pytest.mark.parametrize(("tries", "doubt"), [(0, False), (1, False), (2, True), (9, True)])
def test_a_token_presented_twice_without_an_answer_is_in_doubt(tries: int, doubt: bool) -> None:
    """Once more is what servers forgive; another time is not."""
    assert Entry(session=ID, fingerprint="", tries=tries).in_doubt is doubt


@pytest.mark.parametrize(
    ("left", "pause"), [(-1, 0), (0, 0), (1, 1), (LONGEST_PAUSE, LONGEST_PAUSE), (LONGEST_PAUSE + 1, 0)]
)
def test_a_pause_is_five_minutes_at_most(left: int, pause: int) -> None:
    """A clock that was set back must not make it longer."""
    assert Entry(session=ID, fingerprint="", not_before=NOW + left).pause(NOW) == pause


DOCUMENT = {
    "version": 2,
    "session": ID,
    "fingerprint": "x",
    "tries": 1,
    "dead": False,
    "not_before": 0,
    "failed_at": 0.0,
    "refused": "",
    "signing_out": False,
}


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"x", b"\xff\x00", b"[]", b"null", b"7", b'"x"', b"{}", b"[" * 100_000),
        *(json.dumps({**DOCUMENT, **change}).encode() for change in (
            {"version": 3}, {"version": True}, {"session": "x"}, {"signing_out": 0}, {"version": None}, {"version": "1"}, {"refused": None}, {"tries": "1"}, {"tries": True}, {"tries": None},
            {"dead": 0}, {"not_before": 1.5}, {"failed_at": 0}, {"unknown": 1},
        )),
        json.dumps({name: value for name, value in DOCUMENT.items() if name != "version"}).encode(),
        json.dumps({name: value for name, value in DOCUMENT.items() if name != "fingerprint"}).encode(),
    ],
)  # fmt: skip
def test_a_damaged_journal_is_no_guess(tmp_path: Path, content: bytes) -> None:
    """Nobody could tell whether the token was used: nothing is sent, and the file stays."""
    put(tmp_path / NAME, content)
    with pytest.raises(StoreDamaged, match=r"journal\.\w+ cannot be read") as caught:
        Journal(tmp_path, MACHINE).read(SESSION)
    assert "nothing was sent" in (caught.value.hint or "") and (tmp_path / NAME).read_bytes() == content


def test_a_journal_that_was_cut_off_is_damaged(journal: Journal) -> None:
    """Anywhere before its last brace."""
    whole = journal.path(SESSION).read_bytes()
    for end in range(len(whole) - 1):
        put(journal.path(SESSION), whole[:end])
        with pytest.raises(StoreDamaged):
            journal.read(SESSION)
        assert journal.path(SESSION).read_bytes() == whole[:end]


@fast
@given(content=st.binary() | values.map(lambda found: json.dumps(found).encode()))
def test_any_file_is_an_entry_or_damaged(tmp_path: Path, content: bytes) -> None:
    """No bytes make the reader fail in another way, or delete them."""
    put(tmp_path / NAME, content)
    with only(TokenctlError):
        assert Journal(tmp_path, MACHINE).read(SESSION).tries == 0
    assert (tmp_path / NAME).read_bytes() == content


@fast
@given(members=st.dictionaries(st.sampled_from(sorted(DOCUMENT)), values))
def test_any_document_is_an_entry_or_damaged(tmp_path: Path, members: dict[str, object]) -> None:
    """And what is read has members of the right kinds."""
    journal = Journal(tmp_path, MACHINE)
    own = {"fingerprint": journal.read(SESSION).fingerprint} if not journal.path(SESSION).exists() else {}
    put(journal.path(SESSION), json.dumps(DOCUMENT | own | members).encode())
    with only(TokenctlError):
        entry = journal.read(SESSION)
        assert (type(entry.tries), type(entry.dead), type(entry.pause(NOW))) == (int, bool, int)
    journal.remove(SESSION)


@pytest.mark.parametrize("kind", ["link", "fifo", "folder", "hard link", "readable"])
def test_what_somebody_else_could_have_put_there_is_not_read(journal: Journal, kind: str) -> None:
    """At once, and it stays to be looked at; what can be replaced is, and not written through."""
    path, target = journal.path(SESSION), journal.path(SESSION).with_name("target")
    entry = journal.read(SESSION)
    path.rename(target)
    match kind:
        case "link":
            path.symlink_to(target)
        case "fifo":
            os.mkfifo(path, 0o600)
        case "folder":
            path.mkdir(0o700)
        case "hard link":
            path.hardlink_to(target)
        case _:
            target.rename(path)
            path.chmod(0o644)
    with pytest.raises(UsageError, match="journal"):
        journal.read(SESSION)
    assert os.path.lexists(path)
    if kind == "folder":
        with pytest.raises(StoreUnavailable, match="cannot be written"):
            journal.write(entry)
    else:
        journal.write(replace(entry, dead=True))
        assert journal.read(SESSION).dead and not (target.exists() and b"true" in target.read_bytes())


@pytest.mark.parametrize("place", [Path("/sys"), Path("/absent")])
def test_a_journal_that_cannot_be_written_is_unavailable(place: Path) -> None:
    """A read-only file system is one even for root: exit status 3, and nothing is sent."""
    with pytest.raises(StoreUnavailable, match="cannot be written") as caught:
        Journal(place, MACHINE).write(Entry(session=ID, fingerprint=""))
    assert "nothing is lost" in (caught.value.hint or "")


def test_the_journal_of_version_1_is_read_and_gets_its_name(tmp_path: Path) -> None:
    """What is known about the refresh token survives an upgrade; a session of this version never takes that name."""
    first, journal = session(version=1), Journal(tmp_path, MACHINE)
    document = {name: DOCUMENT[name] for name in DOCUMENT if name not in ("session", "signing_out")}
    known = {"version": 1, "fingerprint": journal.read(first).fingerprint, "dead": True}
    put(tmp_path / "journal", json.dumps(document | known).encode())
    assert journal.read(first).dead and not journal.read(SESSION).dead
    session_files.rename_first(tmp_path, "journal", SESSION)
    assert os.listdir(tmp_path) == ["journal"]
    session_files.rename_first(tmp_path, "journal", first)
    assert os.listdir(tmp_path) == [NAME] and journal.read(SESSION).dead


def test_signing_out_is_about_the_session_and_not_the_refresh_token(journal: Journal) -> None:
    """The mark holds for the session's next refresh token, and not for another session's."""
    journal.write(replace(journal.read(SESSION), signing_out=True))
    rotated = journal.read(session(2, refresh_token="another"))
    assert rotated.signing_out and rotated.tries == 0
    assert not journal.read(session(id="0" * 16)).signing_out


def test_others_of_this_machine_are_removed_and_those_of_other_machines_stay(tmp_path: Path) -> None:
    """A home directory that machines share has a journal for each."""
    ids = {name: f"{number:016x}" for number, name in enumerate(("kept", "mine", "theirs", "replaced", "damaged"))}
    for name, each in ids.items():
        writer = Journal(tmp_path, "0" if name in ("theirs", "replaced") else MACHINE)
        writer.write(writer.read(session(id=each)))
    put(tmp_path / f"journal.{ids['damaged']}", b"?")
    Journal(tmp_path, MACHINE).remove_others(session(id=ids["kept"]), ids["replaced"])
    assert set(os.listdir(tmp_path)) == {f"journal.{ids[name]}" for name in ("kept", "theirs", "damaged")}
