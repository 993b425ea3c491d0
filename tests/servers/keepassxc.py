"""KeePassXC of one's own under Xvfb, with an open database that it offers as a Secret Service."""

import base64
import os
import re
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers.private_bus import CALL_SECONDS, PrivateBus
from tests.support.real_parts import program

PASSWORD = "throw-away"
COLLECTION = "/org/freedesktop/secrets/collection/db"
ACCESS = "KeePassXC -  Access Request"
"""The title of the dialog that asks whether a program can have an entry, or can delete it."""
SETTINGS = """[General]
ConfigVersion=2
SingleInstance=false
AutoSaveAfterEveryChange=true
UpdateCheckMessageShown=true
[FdoSecrets]
Enabled=true
ConfirmAccessItem={confirm}
ConfirmDeleteItem={confirm}
ShowNotification=false
UnlockBeforeSearch=false
[GUI]
CheckForUpdates=false
[Security]
LockDatabaseIdle=false
"""


class KeePassXC(PrivateBus):
    """KeePassXC with an unlocked, empty database. With `confirm` it asks a person about each program and entry."""

    daemon = "keepassxc"
    programs = ("keepassxc-cli", "Xvfb", "xdotool")

    def __init__(self, *, confirm: bool = False) -> None:
        super().__init__()
        self._confirm = confirm
        self._display = ""

    def prepare(self) -> None:
        """Start a display, and make the settings and a database whose only group is offered to other programs."""
        self._start_display()
        settings = self.path / "home" / ".config" / "keepassxc" / "keepassxc.ini"
        settings.parent.mkdir()
        settings.write_text(SETTINGS.format(confirm=str(self._confirm).lower()))
        empty, document = self.path / "empty.kdbx", self.path / "db.xml"
        self._cli("db-create", "-p", "-t", "100", str(empty), words=2)
        exported = self._cli("export", "--format", "xml", str(empty), words=1)
        group = uuid.UUID(bytes=base64.b64decode(re.findall(r"<UUID>([^<]*)</UUID>", exported)[0]))
        offered = f"<Key>FDO_SECRETS_EXPOSED_GROUP</Key><Value>{{{group}}}</Value>"
        whole = exported[exported.index("<?xml") :]
        document.write_text(whole.replace("<Binaries/>", f"<Binaries/><CustomData><Item>{offered}</Item></CustomData>"))
        self._cli("import", "-p", "-t", "100", str(document), str(self._database), words=2)

    def restart(self) -> None:
        """Start it (again), unlocked, with what was written to the disk."""
        self.kill()
        keepassxc = self._start(self.daemon, "--pw-stdin", str(self._database), environ={"QT_QPA_PLATFORM": "xcb"})
        assert keepassxc.stdin
        keepassxc.stdin.write(f"{PASSWORD}\n".encode())
        keepassxc.stdin.close()
        self._await("unlocked database", lambda: self._locked(COLLECTION) is False)

    def lock(self) -> None:
        """Lock the database."""
        self._window("lockAllDatabases")
        self._await("locked database", lambda: self._locked(COLLECTION) is not False)

    def unlock(self) -> None:
        """Unlock the database, as its password does."""
        self._window("openDatabase", f"string:{self._database}", f"string:{PASSWORD}")
        self._await("unlocked database", lambda: self._locked(COLLECTION) is False)

    def sync(self) -> None:
        """Have the database written to the disk: a change is kept in memory for a moment, and `kill` loses it."""
        self.lock()
        self.unlock()

    def dialogs(self) -> list[str]:
        """The titles of the dialogs that ask a person."""
        shown = self._xdotool("search", "--onlyvisible", "--name", "Access Request|Unlock", "getwindowname", "%@")
        return [line for line in shown.splitlines() if line.strip()]

    def answer(self, key: str = "Return") -> None:
        """Wait for a dialog, and press a key in it: Return allows, Escape denies."""
        self._await("dialog", lambda: bool(self.dialogs()))
        self._xdotool("key", key)

    def answer_if_asked(self, key: str = "Return") -> bool:
        """Press a key in a dialog if there is one; tell whether there was."""
        asked = bool(self.dialogs())
        if asked:
            self._xdotool("key", key)
        time.sleep(0.05)
        return asked

    @contextmanager
    def somebody_allows(self) -> Iterator[None]:
        """Have a person there who allows whatever is asked during the block."""
        over = threading.Event()

        def allow() -> None:
            while not over.is_set():
                self.answer_if_asked()

        person = threading.Thread(target=allow, daemon=True)
        person.start()
        try:
            yield
        finally:
            over.set()
            person.join()

    def type_password(self) -> None:
        """Wait for the dialog that unlocks the database, and type the password."""
        self._await("dialog", lambda: bool(self.dialogs()))
        self._xdotool("type", f"{PASSWORD}\n")

    @property
    def _database(self) -> str:
        return str(self.path / "db.kdbx")

    def _start_display(self) -> None:
        """Start a display with the first free number, which it writes to a pipe."""
        reader, writer = os.pipe()
        try:
            words = ("-displayfd", str(writer), "-nolisten", "tcp", "-screen", "0", "800x600x24")
            self._start("Xvfb", *words, pass_fds=(writer,))
        finally:
            os.close(writer)
        with os.fdopen(reader) as numbers:
            self._display = f":{numbers.readline().strip()}"

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), **({"DISPLAY": self._display} if self._display else {})}

    def _cli(self, *arguments: str, words: int) -> str:
        """Run keepassxc-cli, and type the password as often as it asks."""
        ended = subprocess.run(
            [program("keepassxc-cli"), *arguments],
            env=self._environment(),
            input=f"{PASSWORD}\n" * words,
            capture_output=True,
            text=True,
            timeout=CALL_SECONDS,
            check=True,
        )
        return ended.stdout

    def _xdotool(self, *arguments: str) -> str:
        ended = subprocess.run(
            [program("xdotool"), *arguments],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=CALL_SECONDS,
            check=False,
        )
        return ended.stdout

    def _window(self, method: str, *arguments: str) -> None:
        name = "org.keepassxc.KeePassXC.MainWindow"
        self._call(f"{name}.{method}", *arguments, to=name, path="/keepassxc")
