"""The store that keeps nothing."""

from tests.support.sessions import session
from tokenctl.model.store import Store
from tokenctl.storage.memory_store import MemoryStore


def test_what_is_written_is_read_until_it_is_deleted() -> None:
    """By profile, sessions and secrets apart."""
    store: Store = MemoryStore()
    assert store.read("a") is None and store.read_secret("a") is None
    store.write("a", session(1))
    store.write("a", session(2))
    store.write_secret("a", "s")
    store.write("b", session(3))
    assert store.read("a") == session(2) and store.read_secret("a") == "s" and store.read_secret("b") is None
    store.delete("a")
    assert store.read("a") is None and store.read_secret("a") is None and store.read("b") == session(3)
    store.delete("a")


def test_two_stores_know_nothing_of_each_other() -> None:
    """Nothing is kept anywhere but in the object."""
    first = MemoryStore()
    first.write("a", session())
    assert MemoryStore().read("a") is None and (first.kind, first.backend) == ("memory", "memory")
