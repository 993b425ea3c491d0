"""The memory store: for machines that can sign in again at any time."""

from tokenctl.model.session import Session


class MemoryStore:
    """Sessions that end with this process. See `model.store.Store`."""

    collection: str | None = None

    kind = "memory"
    backend = "memory"

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._secrets: dict[str, str] = {}

    def prepare(self, name: str) -> None:
        """Nothing has to be prepared."""

    def read(self, name: str) -> Session | None:
        """Read the session."""
        return self._sessions.get(name)

    def write(self, name: str, session: Session) -> None:
        """Keep the session until the process ends."""
        self._sessions[name] = session

    def read_secret(self, name: str) -> str | None:
        """Read the client secret."""
        return self._secrets.get(name)

    def write_secret(self, name: str, secret: str) -> None:
        """Keep the client secret until the process ends."""
        self._secrets[name] = secret

    def delete(self, name: str) -> None:
        """Remove the session and the client secret."""
        self._sessions.pop(name, None)
        self._secrets.pop(name, None)
