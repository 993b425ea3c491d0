"""A keyring backend for tests: a JSON file, named by TEST_RING, so that processes share it. Plain text, and only here."""

import json
import os
import subprocess
from pathlib import Path

import keyring.errors
from keyring.backend import KeyringBackend


class Ring(KeyringBackend):
    """Entries in the file that the environment names."""

    priority = -1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def get_password(self, service: str, username: str) -> str | None:
        entry = self._load().get(f"{service}\n{username}")
        return None if entry is None else str(entry)

    def set_password(self, service: str, username: str, password: str) -> None:
        self._save(self._load() | {f"{service}\n{username}": password})

    def delete_password(self, service: str, username: str) -> None:
        entries = self._load()
        if entries.pop(f"{service}\n{username}", None) is None:
            raise keyring.errors.PasswordDeleteError("no such entry")
        self._save(entries)

    def _load(self) -> dict[str, str]:
        path = Path(os.environ["TEST_RING"])
        return dict(json.loads(path.read_text())) if path.exists() else {}

    def _save(self, entries: dict[str, str]) -> None:
        path = Path(os.environ["TEST_RING"])
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(entries))
        temporary.replace(path)


class Hanging(KeyringBackend):
    """Never answers."""

    priority = -1

    def get_password(self, service: str, username: str) -> str | None:
        import time

        time.sleep(3600)
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        self.get_password(service, username)

    def delete_password(self, service: str, username: str) -> None:
        self.get_password(service, username)


class Locked(KeyringBackend):
    """Always locked."""

    priority = -1

    def get_password(self, service: str, username: str) -> str | None:
        raise keyring.errors.KeyringLocked("locked")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise keyring.errors.KeyringLocked("locked")

    def delete_password(self, service: str, username: str) -> None:
        raise keyring.errors.KeyringLocked("locked")


class Forgetful(Ring):
    """Says that it keeps what it is given, and does not."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


class Helped(Ring):
    """Runs the program that TEST_PROGRAM names for each entry, as the backend of pass does."""

    def get_password(self, service: str, username: str) -> str | None:
        subprocess.run([os.environ["TEST_PROGRAM"]], stdout=subprocess.DEVNULL, check=True)
        return super().get_password(service, username)


class Reading(Ring):
    """Reads stdin to its end, here and in a program that it starts: nobody can tell by its looks."""

    def get_password(self, service: str, username: str) -> str | None:
        subprocess.run(["cat"], stdout=subprocess.DEVNULL, check=True)
        os.read(0, 65536)
        return super().get_password(service, username)


class ReadOnly(Ring):
    """Cannot be written once there is a file beside it whose name ends in `.read-only`."""

    def set_password(self, service: str, username: str, password: str) -> None:
        if Path(f"{os.environ['TEST_RING']}.read-only").exists():
            raise keyring.errors.PasswordSetError("it cannot be written")
        super().set_password(service, username, password)


class Alias(Ring):
    """The same keyring by another name."""


class ReadBackFails(Ring):
    """Keeps a session that is written while a file is beside it whose name ends in `.deaf`, and does not answer once."""

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service, username, password)
        self._deaf = username == "session" and Path(f"{os.environ['TEST_RING']}.deaf").exists()

    def get_password(self, service: str, username: str) -> str | None:
        if getattr(self, "_deaf", False):
            self._deaf = False
            raise keyring.errors.KeyringError("no reply")
        return super().get_password(service, username)


class Deaf(Ring):
    """Keeps what is written, and does not answer any more after that."""

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service, username, password)
        self._deaf = True

    def get_password(self, service: str, username: str) -> str | None:
        if getattr(self, "_deaf", False):
            raise keyring.errors.KeyringError("no reply")
        return super().get_password(service, username)
