"""The store in a keyring, with backends of every temper."""

import threading
from collections.abc import Callable, Iterator

import keyring.errors
import pytest
from keyring.backend import KeyringBackend

from tests.support.sessions import SECRET, session
from tokenctl.errors import StoreDamaged, StoreError, StoreLocked, StoreTimedOut, StoreUnavailable
from tokenctl.model.session import dumps
from tokenctl.storage.keyring_store import KeyringStore, call_within
from tokenctl.storage.patience import UNATTENDED, Patience


class Ring(KeyringBackend):
    """A keyring in memory that counts its calls."""

    priority = -1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}
        self.calls = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.calls += 1
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.calls += 1
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self.calls += 1
        if self.entries.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError("no such password!")


class Failing(Ring):
    """A keyring whose next calls fail: as often as there are errors."""

    def __init__(self, *errors: Exception) -> None:
        super().__init__()
        self.errors = list(errors)

    def _fail(self) -> None:
        if self.errors:
            self.calls += 1
            raise self.errors.pop(0)

    def get_password(self, service: str, username: str) -> str | None:
        self._fail()
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self._fail()
        super().set_password(service, username, password)

    def delete_password(self, service: str, username: str) -> None:
        self._fail()
        super().delete_password(service, username)


class Dropping(Ring):
    """A keyring that says yes and keeps nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        self.calls += 1


class Cutting(Ring):
    """A keyring that keeps the beginning."""

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service, username, password[:100])


class Hanging(Ring):
    """A keyring on a stuck bus, until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.released.wait()
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        self.released.wait()

    def delete_password(self, service: str, username: str) -> None:
        self.released.wait()


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    """A hanging keyring that lets its callers go when the test is over."""
    ring = Hanging()
    yield ring
    ring.released.set()


def calls(store: KeyringStore) -> tuple[Callable[[], object], ...]:
    """Everything a store can be asked."""
    return (
        lambda: store.read("a"),
        lambda: store.write("a", session()),
        lambda: store.read_secret("a"),
        lambda: store.write_secret("a", SECRET),
        lambda: store.delete("a"),
        lambda: store.prepare("a"),
    )


def test_a_session_is_one_entry_that_a_person_can_find() -> None:
    """Service and username as documented, the value one JSON document; the client secret beside it."""
    ring = Ring()
    store = KeyringStore(ring)
    store.write("work", session(7))
    store.write_secret("work", "pw")
    assert ring.entries == {("tokenctl:work", "session"): dumps(session(7)), ("tokenctl:work", "secret"): "pw"}
    assert store.read("work") == session(7) and store.read_secret("work") == "pw"
    assert store.read("other") is None and store.read_secret("other") is None
    assert store.backend == f"{__name__}.Ring"


@pytest.mark.parametrize("kept", [("session", "secret"), ("session",), ("secret",), ()])
def test_deleting_forgets_both_entries_and_no_other_profile(kept: tuple[str, ...]) -> None:
    """An entry that is not there is as good as deleted."""
    ring = Ring()
    ring.entries = {("tokenctl:a", each): "x" for each in kept} | {("tokenctl:b", "session"): dumps(session())}
    KeyringStore(ring).delete("a")
    assert list(ring.entries) == [("tokenctl:b", "session")]


@pytest.mark.parametrize("ring", [Dropping(), Cutting()])
def test_a_keyring_that_does_not_keep_what_was_written_is_found_out(ring: Ring) -> None:
    """At once, while the old session is still known, and without the session in the message."""
    with pytest.raises(StoreDamaged, match=type(ring).__name__) as caught:
        KeyringStore(ring).write("a", session())
    assert SECRET not in caught.value.message and "--store file" in (caught.value.hint or "")


LOCKED = [
    keyring.errors.KeyringLocked("Failed to unlock the collection!"),
    type("LockedException", (Exception,), {})("Item is locked!"),
    type("PromptDismissedException", (Exception,), {})("Prompt dismissed."),
    keyring.errors.KeyringError("Can't store password on keychain: (-25308, 'Unknown Error')"),
]
BROKEN = [
    keyring.errors.KeyringError("no"),
    keyring.errors.NoKeyringError("No recommended backend was available."),
    OSError(5, "Input/output error"),
    RuntimeError("line\nbreak \x00"),
    type("DBusErrorResponse", (Exception,), {})("[org.freedesktop.DBus.Error.ServiceUnknown] ('x',)"),
    KeyError("x" * 9999),
]


@pytest.mark.parametrize("error", LOCKED, ids=lambda each: type(each).__name__)
def test_a_locked_keyring_is_locked(error: Exception) -> None:
    """It never looks like "not logged in", and is not asked again."""
    for number in range(len(calls(KeyringStore(Ring())))):
        ring = Failing(error)
        with pytest.raises(StoreLocked, match="locked") as caught:
            calls(KeyringStore(ring))[number]()
        assert ring.calls == 1 and caught.value.exit_status == 3


@pytest.mark.parametrize("error", BROKEN, ids=lambda each: type(each).__name__)
def test_every_other_failure_is_unavailable_with_the_ways_out(error: Exception) -> None:
    """Whatever a backend raises, on one short line."""
    for number in range(len(calls(KeyringStore(Ring())))):
        ring = Failing(error, error)
        ring.entries["tokenctl:a", "session"] = dumps(session())
        with pytest.raises(StoreUnavailable, match=type(error).__name__) as caught:
            calls(KeyringStore(ring))[number]()
        assert len(caught.value.message) < 300 and "\n" not in caught.value.message
        assert "--store file" in (caught.value.hint or "") and caught.value.__suppress_context__


def test_a_keyring_that_hangs_is_timed_out(hanging: Hanging) -> None:
    """Whatever it is asked, within the deadline."""
    store = KeyringStore(hanging, patience=Patience(seconds=0.05))
    for call in calls(store):
        with pytest.raises(StoreTimedOut, match="did not answer within") as caught:
            call()
        assert caught.value.exit_status == 3


def test_a_backend_that_gives_up_waiting_is_timed_out() -> None:
    """Its own patience may be shorter than ours; the answer is the same one."""
    for number in range(len(calls(KeyringStore(Ring())))):
        with pytest.raises(StoreTimedOut, match="did not answer in time"):
            calls(KeyringStore(Failing(TimeoutError("Did not authenticate in 1.0 seconds"))))[number]()


def test_the_four_answers_are_four(hanging: Hanging) -> None:
    """No entry, locked, unavailable and timed out are told apart."""
    rings = (Failing(LOCKED[0]), Failing(BROKEN[0]), hanging)
    kinds = []
    for ring in rings:
        with pytest.raises(StoreError) as caught:
            KeyringStore(ring, patience=Patience(seconds=0.05)).read("a")
        kinds.append(type(caught.value))
    assert KeyringStore(Ring()).read("a") is None
    assert kinds == [StoreLocked, StoreUnavailable, StoreTimedOut]


@pytest.mark.parametrize("kind", ["keyring", "session"])
def test_an_error_says_which_keyring_it_is(hanging: Hanging, kind: str) -> None:
    """A machine can have several, and a person has to unlock or start one of them."""
    for ring in (Failing(*LOCKED[:1] * 50), Failing(*BROKEN[:1] * 50), hanging):
        store = KeyringStore(ring, kind, patience=Patience(seconds=0.05))
        for call in calls(store):
            with pytest.raises(StoreError) as caught:
                call()
            assert (
                caught.value.message.endswith(f": {store.backend}") and caught.value.message.count(store.backend) == 1
            )


SPURIOUS = [
    keyring.errors.PasswordSetError("Item does not exist!"),
    RuntimeError("[org.freedesktop.Secret.Error.NoSuchObject] ('No such item',)"),
]


def filled(ring: Ring) -> KeyringStore:
    """A store whose ring has both entries of profile a."""
    ring.entries = {("tokenctl:a", each): dumps(session()) for each in ("session", "secret")}
    return KeyringStore(ring)


@pytest.mark.parametrize("error", SPURIOUS, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("number", range(6))
def test_gnome_keyrings_spurious_failure_is_tried_once_more(error: Exception, number: int) -> None:
    """Under concurrent writes an item is replaced between search and read; a second failure is one."""
    once, never, ever = Failing(error), Ring(), Failing(*[error] * 9)
    assert calls(filled(once))[number]() == calls(filled(never))[number]() and once.entries == never.entries
    with pytest.raises(StoreUnavailable):
        calls(filled(ever))[number]()


def test_a_delete_that_fails_and_leaves_the_entry_is_a_failure() -> None:
    """Backends say "no such entry" and "failed" with the same error; only looking tells."""
    error = keyring.errors.PasswordDeleteError("failed")
    ring = Failing(error)
    ring.entries = {("tokenctl:a", "session"): dumps(session())}
    with pytest.raises(StoreUnavailable):
        KeyringStore(ring).delete("a")
    assert ring.entries
    KeyringStore(Failing(error)).delete("a")


@pytest.mark.parametrize("document", ["", "x", "{}", '{"version": 2}', "[]"])
def test_an_entry_that_is_no_session_is_damaged_and_kept(document: str) -> None:
    """The message names the entry, so that a person finds it."""
    ring = Ring()
    ring.entries["tokenctl:a", "session"] = document
    with pytest.raises(StoreDamaged, match="keyring entry 'tokenctl:a'"):
        KeyringStore(ring).read("a")
    assert ring.entries["tokenctl:a", "session"] == document


@pytest.mark.parametrize(
    "call", [lambda store: store.write_secret("a", SECRET), lambda store: store.write("a", session())]
)
def test_an_error_that_quotes_the_secret_is_not_repeated(call: Callable[[KeyringStore], None]) -> None:
    """Backends that run a program put its words, the secret among them, into their error."""

    class Quoting(Ring):
        def set_password(self, service: str, username: str, password: str) -> None:
            raise RuntimeError(f"Command ['pass', {password[password.index(SECRET) :]!r}] returned 1")

    with pytest.raises(StoreUnavailable) as caught:
        call(KeyringStore(Quoting()))
    assert SECRET not in caught.value.message


def test_an_error_of_ours_passes_unchanged() -> None:
    """A backend of our own says what it means."""
    error = StoreLocked("x")

    def fail() -> None:
        raise error

    with pytest.raises(StoreLocked) as caught:
        call_within(UNATTENDED, fail)
    assert caught.value is error
