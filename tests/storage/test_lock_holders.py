"""Who holds a lock is found out from outside."""

import os
import sys
from pathlib import Path

import pytest

from tokenctl.storage.lock import exclusive
from tokenctl.storage.lock_holders import Holder, holders

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who holds a lock")


def test_the_holder_is_found(tmp_path: Path) -> None:
    """While it holds the lock; a file that is only open, or absent, has no holder."""
    path = tmp_path / "lock"
    assert holders(path) == []
    with exclusive(path):
        assert holders(path) == [Holder(os.getpid(), False)]
        assert holders(tmp_path) == []
    with path.open():
        assert holders(path) == []


def test_who_inherits_a_lock_holds_it(tmp_path: Path) -> None:
    """As the worker does: also when the process that took the lock has closed it."""
    path = tmp_path / "lock"
    reader, writer = os.pipe()
    with exclusive(path) as lock:
        inherited = os.dup(lock)
        child = os.fork()
        if child == 0:
            os.close(writer)
            os.read(reader, 1)
            os._exit(0)
        os.close(inherited)
    found = holders(path)
    os.close(reader)
    os.close(writer)
    os.waitpid(child, 0)
    assert found == [Holder(child, False)] and holders(path) == []
