"""The vault that keeps nothing after this process ends: for machines that can sign in again at any time."""

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from tokenctl.errors import UsageError
from tokenctl.model.profile import Profile
from tokenctl.model.session import MACHINE_FLOWS, Session
from tokenctl.runtime import Runtime
from tokenctl.storage.journal import MemoryJournal
from tokenctl.storage.memory_store import MemoryStore

if TYPE_CHECKING:
    from tokenctl.model.event import Event


class MemoryVault:
    """The vault of a profile whose session ends with this process. See `vault.Vault`."""

    lasting = False
    previous = None
    behind = False
    entry = "nowhere"

    def __init__(self, runtime: Runtime, profile: Profile) -> None:
        self._runtime = runtime
        self.profile = profile
        self.store = runtime.store or MemoryStore()
        self.journal = MemoryJournal()

    def follow(self) -> None:
        """There is no other store."""

    def newest(self) -> Session | None:
        return self.store.read(self.profile.name)

    def offer(self, session: Session, min_ttl: int) -> None:
        """Nothing is left when the process ends."""

    def record(self, event: "Event") -> None:
        """Say the event with `-v`. A process that keeps nothing has no log."""
        from tokenctl.storage import event_log

        self._runtime.terminal.event(event_log.completed(self._runtime, event))

    def moved_apart(self, session: Session) -> None:
        """There is no mirror."""

    def differs_from_mirror(self, session: Session) -> bool:
        """There is no mirror."""
        return False

    def signing_out(self, session: Session) -> bool:
        return self.journal.read(session).signing_out

    def unanswered(self, session: Session) -> bool:
        return self.journal.read(session).tries > 0

    def recover(self) -> Session | None:
        return self.newest()

    def exclusive(self, patience: float | None = None) -> AbstractContextManager[None]:
        """No other process has this session, so there is no lock."""
        return nullcontext()

    def still_exclusive(self, lock: int | None) -> bool:
        return True

    def unchanged(self, seen: Session) -> bool:
        """No other process has this session."""
        return True

    def renews(self, session: Session) -> bool:
        """No other process has this session."""
        return True

    def adopt(self, session: Session) -> Session:
        return session

    def reserve(self, session: Session) -> None:
        """Nothing has to be reserved."""

    def release(self) -> None:
        """Nothing was reserved."""

    def commit(self, session: Session) -> None:
        self.publish(session)
        self.journal.remove(session)

    def publish(self, session: Session) -> None:
        self.store.write(self.profile.name, session)

    def prepare(self) -> None:
        """Nothing has to be prepared."""

    def check_flow(self, flow: str) -> None:
        if flow not in MACHINE_FLOWS:
            raise UsageError(
                "the memory store keeps nothing, so only a machine can use it",
                hint="choose --store keyring or file, or --flow client-credentials",
            )

    def keep(self, session: Session, secret: str | None = None) -> None:
        """Keep the session. Its client secret is read from its source again."""
        self.publish(session)

    def forget_copies(self) -> None:
        """There are none."""

    def narrower(self, key: str) -> Session | None:
        return self.store.read(f"{self.profile.name}@{key}")

    def keep_narrower(self, key: str, token: Session) -> None:
        self.store.write(f"{self.profile.name}@{key}", token)

    def narrower_tokens(self) -> list[Session]:
        """They end with the process, and nobody revokes what a process made for itself."""
        return []

    def forget_narrower(self) -> None:
        """Nothing has to be removed: they end with the process."""

    def forget(self) -> None:
        self.store.delete(self.profile.name)
