"""A machine on which somebody is signed in, for tests that break one part of it; and all that a command could change on it."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from jeepney import DBusAddress, MessageType, Properties, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from tests.servers.faulty_server import FaultyServer
from tests.servers.private_bus import CALL_SECONDS
from tests.servers.secret_service import LOGIN, SecretService
from tests.support.aging import age_in
from tests.support.commandline import Home, Result

PROFILE = "work"
PASSPHRASE = "canary-passphrase-0123456789"
PROXY_PASSWORD = "canary-proxy-password-0123456789"
SECRET_MEMBERS = ("access_token", "refresh_token", "id_token", "seal_key")
SECRETS = "org.freedesktop.secrets"


class Machine:
    """One HOME with a session of the server in the keyring. What a test starts to break it ends with the `with` block.

    `words` are the options of each command, such as `-p`; `of_token` are variables of `token` alone; `secrets` is what no
    command prints.
    """

    def __init__(self, folder: Path, server: FaultyServer, keyring: SecretService) -> None:
        self.server = server
        self.keyring = keyring
        self.words: tuple[str, ...] = ()
        self.of_token: Mapping[str, str] = {}
        self.cleanup = ExitStack()
        self.home = Home(folder, keyring.environ, store="keyring")
        (folder / "passphrase").unlink()
        self.environ["HTTPS_PROXY"] = f"http://person:{PROXY_PASSWORD}@127.0.0.1:9"  # no loopback address is proxied
        self.environ["TOKENCTL_PASSPHRASE"] = PASSPHRASE
        self.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.secrets = [PASSPHRASE, PROXY_PASSWORD]
        self.forget()
        self.sign_in()

    def __enter__(self) -> "Machine":
        return self

    def __exit__(self, *failure: object) -> None:
        self.server.overrides.clear()
        self.cleanup.close()

    @property
    def environ(self) -> dict[str, str]:
        """The environment of every command."""
        return self.home.environ

    @property
    def state(self) -> Path:
        """The state directory."""
        return Path(self.environ["TOKENCTL_STATE_DIR"])

    @property
    def folder(self) -> Path:
        """The folder of the profile in the state directory."""
        return self.state / PROFILE

    @property
    def redo_log(self) -> Path:
        """The session's redo log."""
        (found,) = self.folder.glob("redo.*")
        return found

    # -- what a person or an accident does --------------------------------------------------------

    def sign_in(self, *words: str) -> None:
        """Sign in as a person does."""
        result = self.home.login(self.server.issuer, *words, profile=PROFILE)
        assert result.status == 0, result.stderr
        self._note_secrets()

    def sign_in_without_a_person(self) -> None:
        """Sign in by a client secret, with a profile of the same name."""
        self.forget()
        self.home.config.unlink(missing_ok=True)
        client = ("--issuer", self.server.issuer, "--client-id", "tokenctl-demo-ci", "--flow", "client-credentials")
        secret = "demo-ci-secret"
        self.secrets.append(secret)
        result = self.home.run("login", "-p", PROFILE, *client, "--client-secret-stdin", stdin=f"{secret}\n")
        assert result.status == 0, result.stderr
        self._note_secrets()

    def _note_secrets(self) -> None:
        self.secrets += [self.entry[each] for each in SECRET_MEMBERS if each in self.entry]

    def forget(self) -> None:
        """Take away the session and its folder."""
        self.keyring.clear(f"tokenctl:{PROFILE}", "session")
        self.keyring.clear(f"tokenctl:{PROFILE}", "secret")
        shutil.rmtree(self.folder, ignore_errors=True)

    def to_file_store(self) -> None:
        """Move the session to the file store."""
        result = self.home.run("store", "migrate", "--to", "file", "-p", PROFILE)
        assert result.status == 0, result.stderr

    def run(self, *words: str) -> Result:
        """Run a command."""
        return self.home.run(*words, *self.words, environ=self.of_token if words == ("token",) else {})

    def type(self, line: str) -> None:
        """Run a line as a person types it at a shell."""
        done = subprocess.run(
            ["sh", "-c", line], env=self.environ, cwd=self.home.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (line, done)

    @property
    def entry(self) -> dict[str, Any]:
        """The session in the keyring."""
        return dict(json.loads(self.keyring.lookup(f"tokenctl:{PROFILE}", "session") or "{}"))

    def replace_entry(self, text: str) -> None:
        """Put another text into the keyring, as another program does."""
        self.keyring.clear(f"tokenctl:{PROFILE}", "session")
        self.keyring.store(f"tokenctl:{PROFILE}", "session", text)

    def change_entry(self, **members: object) -> None:
        """Change members of the session in the keyring; None takes one out."""
        changed = self.entry | members
        self.replace_entry(json.dumps({name: value for name, value in changed.items() if value is not None}))

    def age(self, left: int = -60) -> None:
        """Let the access token have so many seconds more."""
        age_in(self.keyring, left, PROFILE)

    def edit_config(self, old: str, new: str) -> None:
        """Change a part of the config file."""
        text = self.home.config.read_text()
        assert old in text
        self.home.config.write_text(text.replace(old, new))

    def own_keyring(self) -> SecretService:
        """Move to another keyring with the same entry, for what cannot be undone."""
        text = self.keyring.lookup(f"tokenctl:{PROFILE}", "session")
        self.keyring = self.cleanup.enter_context(SecretService())
        self.environ.update(self.keyring.environ)
        if text is not None:
            self.keyring.store(f"tokenctl:{PROFILE}", "session", text)
        return self.keyring

    # -- what a command could change --------------------------------------------------------------

    def snapshot(self) -> dict[str, object]:
        """Tell all that a command could change: each file, each entry of the keyring, and the copies in the kernel."""
        found: dict[str, object] = {}
        for folder in filter(Path.exists, {self.home.folder, self.keyring.path, self.state}):
            found |= {str(path): file_state(path) for path in [folder, *folder.rglob("*")]}
        found["copies in the kernel"] = self.copies()
        return found

    def copies(self) -> list[str]:
        """List the copies of access tokens of this HOME that the kernel keeps."""
        keys = Path("/proc/keys")
        lines = keys.read_text().splitlines() if keys.exists() else []
        return [line.split()[-2] for line in lines if str(self.home.folder) in line]

    def entries(self) -> Mapping[str, object] | None:
        """Tell each entry of the keyring: its path, attributes, times and secret; None where the keyring does not answer."""
        try:
            state = Path(f"/proc/{self.keyring.pid}/stat").read_text().rpartition(")")[2].split()[0]
        except KeyError:  # it was ended
            return None
        if state == "T":
            return None
        with open_dbus_connection(f"unix:path={self.keyring.path}/run/bus") as connection:
            return entries(connection)


def file_state(path: Path) -> tuple[object, ...]:
    """Tell all that could be changed of a file or folder, but for its time of access."""
    found = path.lstat()
    what = b""
    if path.is_symlink():
        what = os.readlink(path).encode()
    elif path.is_file():
        what = hashlib.sha256(path.read_bytes()).digest()
    return found.st_mode, found.st_ino, found.st_uid, found.st_size, found.st_mtime_ns, found.st_ctime_ns, what


def entries(connection: DBusConnection) -> Mapping[str, object]:
    """Read the entries of the login collection."""

    def call(path: str, interface: str, method: str, *signed: Any) -> Any:
        address = DBusAddress(path, SECRETS, f"org.freedesktop.Secret.{interface}")
        answer = connection.send_and_get_reply(new_method_call(address, method, *signed), timeout=CALL_SECONDS)
        assert answer.header.message_type is not MessageType.error, answer.body
        return answer.body

    def properties(path: str, interface: str) -> dict[str, Any]:
        asked = Properties(DBusAddress(path, SECRETS, f"org.freedesktop.Secret.{interface}")).get_all()
        answer = connection.send_and_get_reply(asked, timeout=CALL_SECONDS)
        return dict(answer.body[0])

    session = call("/org/freedesktop/secrets", "Service", "OpenSession", "sv", ("plain", ("s", "")))[1]
    found: dict[str, object] = {}
    for item in properties(LOGIN, "Collection")["Items"][1]:
        members = properties(item, "Item")
        locked = members["Locked"][1]
        secret = None if locked else call(item, "Item", "GetSecret", "o", (session,))[0][2]
        found[item] = (members, secret)
    return found
