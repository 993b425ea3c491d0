"""A keyring backend that fails at one of its calls: `FAULT=error:3` is the third call of a process, whichever it is.

`FAULT=error:set` is each call that writes.
`FAULT_LOG` names a file that gets a line for each call.
"""

import os
import time
from pathlib import Path

import keyring.errors

from tests.support.ring import Ring

ERROR, LOCKED, HANG, DROP = FAULTS = ("error", "locked", "hang", "drop")
ABSENT = "absent"
"""A call that reads answers that there is no entry, as KeePassXC does while it ends."""


class FaultyRing(Ring):
    """Counts its calls, and at the one that the environment names does what that says."""

    _calls = 0

    def get_password(self, service: str, username: str) -> str | None:
        if self._dropped(f"get {username}") and os.environ["FAULT"].startswith(ABSENT):
            return None
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        if not self._dropped(f"set {username}"):
            super().set_password(service, username, password)

    def delete_password(self, service: str, username: str) -> None:
        if not self._dropped(f"delete {username}"):
            super().delete_password(service, username)

    def _dropped(self, call: str) -> bool:
        """Count a call and fail at the one that was named; tells whether to drop it and say nothing."""
        FaultyRing._calls += 1
        if log := os.environ.get("FAULT_LOG"):
            with Path(log).open("a") as file:
                file.write(call + "\n")
        fault, _, where = os.environ.get("FAULT", "").partition(":")
        if where not in (str(FaultyRing._calls), call.partition(" ")[0]):
            return False
        if fault == ERROR:
            raise RuntimeError("the binding said no")
        if fault == LOCKED:
            raise keyring.errors.KeyringLocked("locked")
        if fault == HANG:
            time.sleep(3600)
        return fault in (DROP, ABSENT)
