"""KWallet of one's own, headless, in throw-away folders: through its own interface, and as a Secret Service."""

import importlib.util
import subprocess
from contextlib import suppress
from typing import Literal

from tests.servers.private_bus import CALL_SECONDS, PrivateBus
from tests.support.real_parts import Missing, program

WALLET = "kdewallet"
COLLECTION = f"/org/freedesktop/secrets/collection/{WALLET}"
OWN, SECRETS = "keyring.backends.kwallet.DBusKeyring", "keyring.backends.SecretService.Keyring"
KEY = ",".join(str(byte) for byte in range(1, 57))
"""What a login to the desktop makes of the password: with it nobody has to be asked."""
SETTINGS = f"""[Wallet]
Enabled=true
First Use=false
Default Wallet={WALLET}
Use One Wallet=true
Prompt on Open=false
Leave Open=true
Close When Idle=false
[org.freedesktop.secrets]
apiEnabled=true
"""


class KWallet(PrivateBus):
    """kwalletd5 with an open, empty wallet. `kill` soon after a write loses the write, as in a person's desktop.

    `through` chooses the backend: KWallet's own D-Bus interface, or its Secret Service.
    """

    daemon = "kwalletd5"

    def __init__(self, through: Literal["kwallet", "secrets"] = "secrets") -> None:
        super().__init__()
        self.backend = OWN if through == "kwallet" else SECRETS
        if through == "kwallet" and importlib.util.find_spec("dbus") is None:
            raise Missing("no dbus-python in this environment")

    def prepare(self) -> None:
        """Make the wallet. A daemon offers a wallet as a collection only if the wallet was there when it started."""
        (self.path / "home" / ".config" / "kwalletrc").write_text(SETTINGS)
        self.start_locked()
        self.open_wallet()

    def restart(self) -> None:
        """Start the daemon (again) and open the wallet; what it has written to the disk is still there."""
        self.start_locked()
        self.unlock()

    def lock(self) -> None:
        """Close the wallet; nobody is there to answer the dialog that opens it."""
        self._wallet("close", f"string:{WALLET}", "boolean:true")
        self._await("locked collection", lambda: self._locked(COLLECTION) is True)

    def unlock(self) -> None:
        """Open the wallet, without its password, as a login to the desktop does."""
        self.open_wallet()
        if self.backend == OWN:
            return
        # The Secret Service sees the open wallet only after it has been asked to unlock it: here nobody is asked.
        prompt = self._call("org.freedesktop.Secret.Service.Unlock", f"array:objpath:{COLLECTION}")
        path = prompt.rpartition('"/')[2].partition('"')[0]
        if path:
            with suppress(RuntimeError):  # the prompt is gone when the wallet was unlocked meanwhile
                self._call("org.freedesktop.Secret.Prompt.Prompt", "string:", path=f"/{path}")
        self._await("unlocked collection", lambda: self._locked(COLLECTION) is False)

    def sync(self) -> None:
        """Have it write to the disk now what it keeps in memory for some seconds."""
        handle = self._wallet("open", f"string:{WALLET}", "int64:0", "string:tests").split()[-1]
        self._wallet("sync", f"int32:{handle}", "string:tests")

    def read(self, folder: str, key: str) -> str | None:
        """Read an entry of KWallet's own interface, as another program does; None when there is none."""
        handle = self._wallet("open", f"string:{WALLET}", "int64:0", "string:tests").split()[-1]
        words = (f"int32:{handle}", f"string:{folder}", f"string:{key}", "string:tests")
        if "true" not in self._wallet("hasEntry", *words):
            return None
        # qdbus, since dbus-send escapes nothing in the strings that it prints.
        found = subprocess.run(
            [program("qdbus"), "org.kde.kwalletd5", "/modules/kwalletd5", "readPassword", handle, folder, key, "tests"],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=CALL_SECONDS,
            check=True,
        )
        return found.stdout.removesuffix("\n")

    def lookup(self, service: str, username: str) -> str | None:
        """What is stored under these names, where the backend looks for it; None when there is no such entry."""
        if self.backend == OWN:
            return self.read(service, username)
        # kwalletd forgets the session of a client now and then, and secret-tool calls that "no entry".
        return super().lookup(service, username) or super().lookup(service, username)

    def start_locked(self) -> None:
        """Start the daemon (again), with a closed wallet, as after a login that has another password."""
        self.kill()
        self._start(self.daemon, environ={"QT_QPA_PLATFORM": "offscreen"})
        self._await("answer", self._answers)

    def _answers(self) -> bool:
        try:
            return "boolean" in self._wallet("isEnabled")
        except RuntimeError:
            return False

    def open_wallet(self) -> None:
        """Open the wallet as a login to the desktop does. The Secret Service does not see it yet."""
        self._wallet("pamOpen", f"string:{WALLET}", f"array:byte:{KEY}", "int32:0")
        self._await("open wallet", lambda: "true" in self._wallet("isOpen", f"string:{WALLET}"))

    def _wallet(self, method: str, *arguments: str) -> str:
        return self._call(f"org.kde.KWallet.{method}", *arguments, to="org.kde.kwalletd5", path="/modules/kwalletd5")
