"""One contract, every store: what the rest of the program may rely on, whatever keeps the sessions."""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring.errors
import pytest

from tests.servers.secret_service import SecretService
from tests.support.ring import Forgetful, Ring
from tests.support.sessions import session
from tokenctl.errors import StoreDamaged, StoreError, StoreTimedOut, StoreUnavailable
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.model.store import Store
from tokenctl.runtime import Runtime
from tokenctl.storage.file_keyring import EncryptedFile, FileStore
from tokenctl.storage.keyring_store import KeyringStore
from tokenctl.storage.memory_store import MemoryStore
from tokenctl.storage.patience import Patience
from tokenctl.storage.vault import open_for_login

LARGE = session(7, access_token="a" * 6000, refresh_token="r" * 2000, id_token="i" * 2000)
"""What a server with many claims makes: over 10 KB as a document."""


class Limited(Ring):
    """A keyring like that of Windows: an entry has 1,280 characters, and a longer one is refused."""

    entry_limit = 1280

    def set_password(self, service: str, username: str, password: str) -> None:
        if len(password) > self.entry_limit:
            raise OSError(1783, "The stub received bad data")
        super().set_password(service, username, password)


class Slow(Ring):
    """Answers, after a while."""

    def get_password(self, service: str, username: str) -> str | None:
        time.sleep(0.02)
        return super().get_password(service, username)


class Stumbling(Limited):
    """Fails at its n-th change, before or after it has done it, or dies there."""

    fails_at = 0
    after = False

    def set_password(self, service: str, username: str, password: str) -> None:
        self._stumble(lambda: super(Stumbling, self).set_password(service, username, password))

    def delete_password(self, service: str, username: str) -> None:
        self._stumble(lambda: super(Stumbling, self).delete_password(service, username))

    def _stumble(self, change: Callable[[], None]) -> None:
        self.fails_at -= 1
        if self.fails_at != 0 or self.after:
            change()
        if self.fails_at == 0:
            raise keyring.errors.KeyringError("the keyring went away")


@pytest.fixture(autouse=True)
def ring_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the tests' rings keep their entries in."""
    monkeypatch.setenv("TEST_RING", str(tmp_path / "ring.json"))
    return tmp_path / "ring.json"


def encrypted_file(tmp_path: Path) -> KeyringStore:
    """Our own backend."""
    for profile in ("a", "b", "c"):
        (tmp_path / profile).mkdir(exist_ok=True)
    return FileStore(EncryptedFile(tmp_path, lambda _: "correct horse"))


STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda _: MemoryStore(),
    "encrypted file": encrypted_file,
    "a backend named by its class": lambda _: KeyringStore(Ring()),
    "limited": lambda _: KeyringStore(Limited()),
    "slow": lambda _: KeyringStore(Slow()),
}
REAL = ["gnome-keyring", "gnome-keyring, session collection"]


@pytest.fixture(params=[*STORES, *(pytest.param(name, marks=pytest.mark.real) for name in REAL)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each store in turn, empty."""
    if request.param in STORES:
        yield STORES[request.param](tmp_path)
        return
    service: SecretService = request.getfixturevalue("secret_service")
    before = dict(os.environ)
    os.environ.update(service.environ)
    try:
        profile = _profile("session" if "session" in request.param else "keyring")
        yield open_for_login(Runtime(), profile).store
    finally:
        os.environ.clear()
        os.environ.update(before)


def _profile(kind: str) -> Profile:
    return Profile(name="a", store=kind, keyring_backend="keyring.backends.SecretService.Keyring")


def test_what_is_written_is_read_until_it_is_deleted(store: Store) -> None:
    """By profile, sessions and secrets apart; what is absent is None, and deleting it is no error."""
    store.prepare("a")
    assert store.read("a") is None and store.read_secret("a") is None
    store.write("a", session(1))
    store.prepare("a")
    assert store.read("a") == session(1)
    store.write("a", session(2))
    store.write_secret("a", "s3cret with spaces, ümläuts and \N{GRINNING FACE}")
    store.write("b", session(3))
    assert store.read("a") == session(2) and store.read("b") == session(3)
    assert (
        store.read_secret("a") == "s3cret with spaces, ümläuts and \N{GRINNING FACE}" and store.read_secret("b") is None
    )
    store.delete("a")
    store.delete("a")
    assert store.read("a") is None and store.read_secret("a") is None and store.read("b") == session(3)


def test_a_large_session_takes_turns_with_a_small_one(store: Store) -> None:
    """10 KB go in and come out whole, over a small session and under one."""
    for each in (session(1), LARGE, session(8), LARGE, LARGE):
        store.write("a", each)
        assert store.read("a") == each
    store.write_secret("a", "k" * 4000)
    assert store.read_secret("a") == "k" * 4000
    store.delete("a")
    assert store.read("a") is None and store.read_secret("a") is None


def test_a_limited_keyring_is_left_empty(ring_file: Path) -> None:
    """Neither slots nor manifests stay behind, and a document that fits has none."""
    store = KeyringStore(Limited())
    store.write("a", session(1))
    assert list(json.loads(ring_file.read_text())) == ["tokenctl:a\nsession"]
    for generation in range(2, 6):
        store.write("a", session(generation, access_token="a" * 3000 * (1 + generation % 2)))
    newest = "".join(json.loads(ring_file.read_text()).values())
    assert newest.count("aaa") and len(json.loads(ring_file.read_text())) <= 7
    store.delete("a")
    assert json.loads(ring_file.read_text()) == {}


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "old", [session(1), LARGE, session(5, access_token="b" * 9000)], ids=["small", "large", "9 KB"]
)
def test_a_failure_at_any_write_leaves_the_old_session_or_the_new(old: Session, after: bool, ring_file: Path) -> None:
    """Whichever change of the keyring fails, a healthy process reads one whole session, and can go on writing."""
    new = session(9, access_token="n" * 6000)
    outcomes = []
    for number in range(1, 40):
        ring_file.unlink(missing_ok=True)
        healthy = KeyringStore(Limited())
        healthy.write("a", old)
        ring = Stumbling()
        ring.fails_at, ring.after = number, after
        failed = False
        try:
            KeyringStore(ring).write("a", new)
        except StoreError:
            failed = True
        found = healthy.read("a")
        assert found in (old, new) and (failed or found == new)
        outcomes.append((failed, found == new))
        healthy.write("a", LARGE)
        assert healthy.read("a") == LARGE
        healthy.delete("a")
        left = json.loads(ring_file.read_text())
        assert not [name for name in left if name.endswith("\nsession") and ":session." not in name]
        if ring.fails_at > 0:
            break  # this write made fewer changes than that
    assert (True, False) in outcomes and outcomes[-1] == (False, True)


@pytest.mark.quick
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("new", [session(9), LARGE], ids=["to small", "to large"])
@pytest.mark.parametrize("old", [None, session(1), LARGE], ids=["from nothing", "from small", "from large"])
@pytest.mark.parametrize("verb", ["write", "delete"])
def test_a_deletion_after_any_failure_leaves_nothing(
    verb: str, old: Session | None, new: Session, after: bool, ring_file: Path
) -> None:
    """Whichever change of a write or a deletion fails, a deletion finds all that the profile has in the keyring."""
    for number in range(1, 40):
        ring_file.write_text("{}")
        healthy = KeyringStore(Limited())
        for each in (session(8), old) if old else ():
            healthy.write("a", each)
        ring = Stumbling()
        if verb == "delete":
            healthy.write("a", new)
        ring.fails_at, ring.after = number, after
        with contextlib.suppress(StoreError):
            KeyringStore(ring).write("a", new) if verb == "write" else KeyringStore(ring).delete("a")
        healthy.delete("a")
        assert json.loads(ring_file.read_text()) == {}
        if ring.fails_at > 0:
            return  # this call made fewer changes than that
    raise AssertionError("it never ended well")


def test_a_missing_slot_is_damage(ring_file: Path) -> None:
    """A session of which a part is gone is not half a session, and nothing is deleted."""
    store = KeyringStore(Limited())
    store.write("a", LARGE)
    entries = json.loads(ring_file.read_text())
    name = next(each for each in entries if ":session." in each)
    ring_file.write_text(json.dumps({key: value for key, value in entries.items() if key != name}))
    with pytest.raises(StoreDamaged):
        store.read("a")
    assert len(json.loads(ring_file.read_text())) == len(entries) - 1


def test_a_keyring_that_drops_what_it_is_given_is_found_out() -> None:
    """It says that it kept it; reading it back tells."""
    with pytest.raises(StoreDamaged, match="did not keep"):
        KeyringStore(Forgetful()).write("a", session(1))


def test_a_keyring_that_takes_too_long_is_given_up() -> None:
    """Each call has a deadline."""
    with pytest.raises(StoreTimedOut):
        KeyringStore(Slow(), patience=Patience(seconds=0.001)).read("a")


def test_a_keyring_that_fails_says_so() -> None:
    """Whatever a backend raises is an error of the store, and what was there stays."""
    store = KeyringStore(Limited())
    store.write("a", session(1))
    ring = Stumbling()
    ring.fails_at = 1
    with pytest.raises(StoreUnavailable):
        KeyringStore(ring).write("a", session(2))
    assert store.read("a") == session(1)
