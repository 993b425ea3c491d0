"""The encrypted file."""

import base64
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.sessions import SECRET, session
from tokenctl.errors import StoreDamaged, StoreError, StoreLocked, UsageError
from tokenctl.storage.file_keyring import SCRYPT, VERSION, EncryptedFile, FileStore

RIGHT = "correct horse battery staple"


def ring(folder: Path, passphrase: str = RIGHT, asked: list[bool] | None = None) -> EncryptedFile:
    """A ring with a private folder for each profile; `asked` collects how the passphrase was asked for."""
    for profile in ("a", "b", "s", "t", "other"):
        (folder / profile).mkdir(mode=0o700, exist_ok=True)

    def ask(new: bool) -> str:
        if asked is not None:
            asked.append(new)
        return passphrase

    return EncryptedFile(folder, ask)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A sealed entry: the secret of `s`, `u`."""
    ring(tmp_path).set_password("s", "u", SECRET)
    return tmp_path / "s" / "u.sealed"


def test_what_is_written_is_read_with_the_passphrase(tmp_path: Path) -> None:
    """By whoever knows it, entry by entry."""
    first = ring(tmp_path)
    assert first.get_password("s", "u") is None
    for service, username, text in (("s", "u", SECRET), ("s", "v", ""), ("t", "u", "ünï\n" * 999)):
        first.set_password(service, username, text)
        assert first.get_password(service, username) == ring(tmp_path).get_password(service, username) == text
    first.set_password("s", "u", "new")
    assert ring(tmp_path).get_password("s", "u") == "new"


def test_the_file_is_private_and_holds_nothing_plain(path: Path) -> None:
    """Neither the secret nor the passphrase, in no spelling."""
    content = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for text in (SECRET, RIGHT):
        assert text not in content and base64.b64encode(text.encode()).decode()[:-4] not in content
    assert [each.name for each in path.parent.iterdir()] == ["u.sealed"]


def test_the_same_text_is_never_sealed_the_same_way(tmp_path: Path, path: Path) -> None:
    """Every write has a nonce of its own, every new entry a salt of its own; the parameters are documented."""
    before = json.loads(path.read_text())
    ring(tmp_path).set_password("s", "u", SECRET)
    ring(tmp_path).set_password("s", "v", SECRET)
    after, other = json.loads(path.read_text()), json.loads(path.with_name("v.sealed").read_text())
    assert (
        len({each["nonce"] for each in (before, after, other)})
        == len({each["sealed"] for each in (before, after, other)})
        == 3
    )
    assert before["salt"] != other["salt"] and {name: before[name] for name in SCRYPT} == SCRYPT
    assert SCRYPT["n"] >= 2**15 and len(base64.b64decode(before["salt"])) == 16


def test_a_wrong_passphrase_changes_nothing(tmp_path: Path, path: Path) -> None:
    """Neither reading nor writing with it, and the message has nothing of it."""
    before = path.read_bytes()
    wrong = ring(tmp_path, "wrong-passphrase")
    calls: tuple[Callable[[], object], ...] = (
        lambda: wrong.get_password("s", "u"),
        lambda: wrong.set_password("s", "u", "x"),
    )
    for call in calls:
        with pytest.raises(StoreLocked, match=r"u\.sealed") as caught:
            call()
        assert "wrong-passphrase" not in str(caught.value) and "nothing was changed" in (caught.value.hint or "")
    assert path.read_bytes() == before and ring(tmp_path).get_password("s", "u") == SECRET


def test_the_passphrase_is_asked_for_once_and_confirmed_when_new(tmp_path: Path) -> None:
    """Reading an entry that is not there needs none, and forgetting one neither."""
    asked: list[bool] = []
    first = ring(tmp_path, asked=asked)
    assert first.get_password("s", "u") is None and asked == []
    first.set_password("s", "u", "x")
    first.set_password("s", "u", "y")
    first.get_password("s", "u")
    assert asked == [True]
    again: list[bool] = []
    second = ring(tmp_path, asked=again)
    assert second.get_password("s", "u") == "y" and again == [False]
    ring(tmp_path, asked=again).delete_password("s", "u")
    assert again == [False] and second.get_password("s", "u") is None
    second.delete_password("s", "u")


def test_a_passphrase_that_cannot_be_read_is_a_store_error(tmp_path: Path) -> None:
    """Such as one typed in another encoding than the terminal's."""

    def ask(new: bool) -> str:
        return b"\xff".decode()

    with pytest.raises(StoreError):
        FileStore(EncryptedFile(tmp_path, ask)).prepare("t")


@pytest.mark.parametrize(("service", "username"), [("s", "v"), ("t", "u"), ("t", "v")])
def test_a_file_put_in_anothers_place_is_refused(tmp_path: Path, path: Path, service: str, username: str) -> None:
    """An old session of another profile does not open as this one's, and the client secret not as a session."""
    place = tmp_path / service / f"{username}.sealed"
    place.parent.mkdir(mode=0o700, exist_ok=True)
    path.rename(place)
    with pytest.raises(StoreLocked):
        ring(tmp_path).get_password(service, username)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> tuple[EncryptedFile, Path, bytes]:
    """A ring that already knows its key (making one takes a tenth of a second), an entry's file and its content."""
    folder = tmp_path_factory.mktemp("sealed")
    found = ring(folder)
    found.set_password("s", "u", SECRET)
    path = folder / "s" / "u.sealed"
    return found, path, path.read_bytes()


def test_no_byte_can_be_changed(sealed: tuple[EncryptedFile, Path, bytes]) -> None:
    """Every one, in several ways: refused, or (white space and base64's idle bits) the same text; never another."""
    found, path, content = sealed
    key = base64.b64decode(json.loads(content)["salt"])
    refused = 0
    for position in range(len(content)):
        for mask in (0x01, 0x02, 0x10, 0x20, 0x80, 0xFF):
            changed = bytearray(content)
            changed[position] ^= mask
            if b'"salt": "' in changed and base64.b64encode(key) not in changed:
                continue  # another salt means a tenth of a second for another key: tested below
            path.write_bytes(changed)
            try:
                assert found.get_password("s", "u") == SECRET
            except (StoreLocked, StoreDamaged):
                refused += 1
    assert refused > 5 * len(content) // 2
    path.write_bytes(content)


@pytest.mark.parametrize("position", [0, 11, 21])
def test_the_salt_cannot_be_changed(path: Path, tmp_path: Path, position: int) -> None:
    """Not even in the bits that decode to nothing."""
    document = json.loads(path.read_text())
    salt = document["salt"]
    document["salt"] = salt[:position] + ("B" if salt[position] == "A" else "A") + salt[position + 1 :]
    path.write_text(json.dumps(document))
    with pytest.raises((StoreLocked, StoreDamaged)):
        ring(tmp_path).get_password("s", "u")


@pytest.mark.parametrize("length", [0, 1, 10, 100, -2])
def test_a_file_that_was_cut_off_is_damaged(path: Path, tmp_path: Path, length: int) -> None:
    """Reading leaves it as it is; a new sign-in, told of it, puts a whole one in its place."""
    content = path.read_bytes()[:length]
    path.write_bytes(content)
    found = ring(tmp_path)
    with pytest.raises(StoreDamaged, match=r"u\.sealed"):
        found.get_password("s", "u")
    assert path.read_bytes() == content
    found.set_password("s", "u", "new")
    assert ring(tmp_path).get_password("s", "u") == "new"


@pytest.mark.parametrize(
    "members",
    [
        *({"version": 0}, {"version": VERSION + 1}, {"version": "1"}, {"version": None}, {"version": []}),
        *({"n": 2**30}, {"n": 1}, {"r": 1}, {"p": 2**20}, {"n": None}),
        *({"salt": "!"}, {"salt": None}, {"salt": 7}, {"nonce": "é"}, {"nonce": 7}, {"sealed": [1]}, {"sealed": None}),
    ],
)
def test_another_version_or_parameter_is_damage(path: Path, tmp_path: Path, members: dict[str, Any]) -> None:
    """Nobody can make us work for hours, or guess."""
    path.write_text(json.dumps(json.loads(path.read_text()) | members))
    with pytest.raises(StoreDamaged, match=r"u\.sealed"):
        ring(tmp_path).get_password("s", "u")


@pytest.mark.parametrize(
    "members", [{"sealed": ""}, {"sealed": "AAAA"}, {"kdf": "none"}, {"extra": 1}, {"version": True}]
)
def test_a_changed_member_does_not_open(path: Path, tmp_path: Path, members: dict[str, Any]) -> None:
    """All of them are sealed together."""
    path.write_text(json.dumps(json.loads(path.read_text()) | members))
    with pytest.raises((StoreLocked, StoreDamaged)):
        ring(tmp_path).get_password("s", "u")


@pytest.mark.parametrize("nonce", ["", "AAAA", "A" * 400])
def test_a_nonce_of_another_length_is_damage(path: Path, tmp_path: Path, nonce: str) -> None:
    """Ours have twelve bytes."""
    path.write_text(json.dumps(json.loads(path.read_text()) | {"nonce": nonce}))
    with pytest.raises((StoreLocked, StoreDamaged)):
        ring(tmp_path).get_password("s", "u")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary()
    | st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=4).map(
        lambda found: json.dumps(found).encode()
    )
)
def test_any_file_is_an_entry_or_damaged(sealed: tuple[EncryptedFile, Path, bytes], content: bytes) -> None:
    """No bytes make the reader fail in another way."""
    found, path, before = sealed
    path.write_bytes(content)
    try:
        with pytest.raises(StoreDamaged):
            found.get_password("s", "u")
    finally:
        path.write_bytes(before)


def test_a_file_that_others_may_read_is_refused(path: Path, tmp_path: Path) -> None:
    """So is a link, whoever made it."""
    path.chmod(0o640)
    with pytest.raises(UsageError):
        ring(tmp_path).get_password("s", "u")
    path.chmod(0o600)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError):
        ring(tmp_path).get_password("s", "u")


def test_it_keeps_sessions_as_a_store(tmp_path: Path) -> None:
    """Under the store's rules: profile by profile, the four errors told apart."""
    store = FileStore(ring(tmp_path))
    store.write("a", session(1))
    store.write_secret("a", SECRET)
    again = FileStore(ring(tmp_path))
    assert again.read("a") == session(1) and again.read_secret("a") == SECRET and again.read("b") is None
    with pytest.raises(StoreLocked) as caught:
        FileStore(ring(tmp_path, "wrong")).read("a")
    assert "revoke --local -p a'" in (caught.value.hint or ""), "the hint must not forget the default profile's"
    again.delete("a")
    assert again.read("a") is None and again.read_secret("a") is None


def test_an_unsafe_file_is_a_usage_error_through_the_store(tmp_path: Path) -> None:
    """Exit status 2, and the hint about the file, not about keyrings."""
    store = FileStore(ring(tmp_path))
    store.write("a", session(1))
    (tmp_path / "a" / "session.sealed").chmod(0o644)
    with pytest.raises(UsageError):
        store.read("a")
