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
from tests.support.sessions import SECRET, session
from tokenctl.errors import StoreDamaged, StoreUnavailable, TokenctlError, UsageError
from tokenctl.model.session import Session
from tokenctl.storage.journal import LONGEST_PAUSE, Entry, Journal

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes and links are POSIX's")

SESSION = session()
NOW = 1_700_000_000
fast = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A journal that knows of one try."""
    journal = Journal(tmp_path)
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
    assert os.listdir(journal.path.parent) == ["journal"] and journal.path.stat().st_mode & 0o777 == 0o600
    assert SECRET not in journal.path.read_text() and SESSION.seal_key not in journal.path.read_text()
    journal.remove()
    journal.remove()
    assert journal.read(SESSION) == Entry(fingerprint=found.fingerprint)


def test_a_clean_journal_makes_no_file(tmp_path: Path) -> None:
    """Reading writes nothing."""
    entry = Journal(tmp_path).read(SESSION)
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
    assert Entry(fingerprint="", tries=tries).in_doubt is doubt


@pytest.mark.parametrize(
    ("left", "pause"), [(-1, 0), (0, 0), (1, 1), (LONGEST_PAUSE, LONGEST_PAUSE), (LONGEST_PAUSE + 1, 0)]
)
def test_a_pause_is_five_minutes_at_most(left: int, pause: int) -> None:
    """A clock that was set back must not make it longer."""
    assert Entry(fingerprint="", not_before=NOW + left).pause(NOW) == pause


DOCUMENT = {
    "version": 1,
    "fingerprint": "x",
    "tries": 1,
    "dead": False,
    "not_before": 0,
    "failed_at": 0.0,
    "refused": "",
}


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"x", b"\xff\x00", b"[]", b"null", b"7", b'"x"', b"{}", b"[" * 100_000),
        *(json.dumps({**DOCUMENT, **change}).encode() for change in (
            {"version": 2}, {"version": None}, {"version": "1"}, {"refused": None}, {"tries": "1"}, {"tries": True}, {"tries": None},
            {"dead": 0}, {"not_before": 1.5}, {"failed_at": 0}, {"unknown": 1},
        )),
        json.dumps({name: value for name, value in DOCUMENT.items() if name != "version"}).encode(),
        json.dumps({name: value for name, value in DOCUMENT.items() if name != "fingerprint"}).encode(),
    ],
)  # fmt: skip
def test_a_damaged_journal_is_no_guess(tmp_path: Path, content: bytes) -> None:
    """Nobody could tell whether the token was used: nothing is sent, and the file stays."""
    put(tmp_path / "journal", content)
    with pytest.raises(StoreDamaged, match="journal cannot be read") as caught:
        Journal(tmp_path).read(SESSION)
    assert "nothing was sent" in (caught.value.hint or "") and (tmp_path / "journal").read_bytes() == content


def test_a_journal_that_was_cut_off_is_damaged(journal: Journal) -> None:
    """Anywhere before its last brace."""
    whole = journal.path.read_bytes()
    for end in range(len(whole) - 1):
        put(journal.path, whole[:end])
        with pytest.raises(StoreDamaged):
            journal.read(SESSION)
        assert journal.path.read_bytes() == whole[:end]


@fast
@given(content=st.binary() | values.map(lambda found: json.dumps(found).encode()))
def test_any_file_is_an_entry_or_damaged(tmp_path: Path, content: bytes) -> None:
    """No bytes make the reader fail in another way, or delete them."""
    put(tmp_path / "journal", content)
    with only(TokenctlError):
        assert Journal(tmp_path).read(SESSION).tries == 0
    assert (tmp_path / "journal").read_bytes() == content


@fast
@given(members=st.dictionaries(st.sampled_from(sorted(DOCUMENT)), values))
def test_any_document_is_an_entry_or_damaged(tmp_path: Path, members: dict[str, object]) -> None:
    """And what is read has members of the right kinds."""
    journal = Journal(tmp_path)
    own = {"fingerprint": journal.read(SESSION).fingerprint} if not journal.path.exists() else {}
    put(journal.path, json.dumps(DOCUMENT | own | members).encode())
    with only(TokenctlError):
        entry = journal.read(SESSION)
        assert (type(entry.tries), type(entry.dead), type(entry.pause(NOW))) == (int, bool, int)
    journal.remove()


@pytest.mark.parametrize("kind", ["link", "fifo", "folder", "hard link", "readable"])
def test_what_somebody_else_could_have_put_there_is_not_read(journal: Journal, kind: str) -> None:
    """At once, and it stays to be looked at; what can be replaced is, and not written through."""
    path, target = journal.path, journal.path.with_name("target")
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
        Journal(place).write(Entry(fingerprint=""))
    assert "nothing is lost" in (caught.value.hint or "")
