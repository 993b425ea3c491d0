"""The store that keeps nothing: for machines that can begin again at any time."""

from tokenctl.model.session import Session


class MemoryStore:
    """Sessions for the life of this process. See `storage.Store`."""

    kind = "memory"
    backend = "memory"

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._secrets: dict[str, str] = {}

    def prepare(self, profile: str) -> None:
        """Nothing has to be prepared."""

    def read(self, profile: str) -> Session | None:
        """Read the profile's session."""
        return self._sessions.get(profile)

    def write(self, profile: str, session: Session) -> None:
        """Keep the session until the process ends."""
        self._sessions[profile] = session

    def read_secret(self, profile: str) -> str | None:
        """Read the profile's client secret."""
        return self._secrets.get(profile)

    def write_secret(self, profile: str, secret: str) -> None:
        """Keep the client secret until the process ends."""
        self._secrets[profile] = secret

    def delete(self, profile: str) -> None:
        """Forget both."""
        self._sessions.pop(profile, None)
        self._secrets.pop(profile, None)
