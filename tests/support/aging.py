"""Making the stored access token old, so that no test has to wait for that."""

import json
import time
from pathlib import Path

from tests.servers.secret_service import SecretService
from tests.support.commandline import Home
from tokenctl.storage.file_keyring import EncryptedFile


def age(home: Home, left: int = -60, profile: str = "t") -> None:
    """Let the access token in the file store have `left` seconds more; its life is as long as before."""
    state = Path(home.environ["TOKENCTL_STATE_DIR"])
    passphrase = Path(home.environ["TOKENCTL_PASSPHRASE_FILE"]).read_text().strip()
    ring = EncryptedFile(state, lambda new: passphrase)
    kept = ring.get_password(f"tokenctl:{profile}", "session")
    assert kept is not None
    ring.set_password(f"tokenctl:{profile}", "session", aged(kept, left))


def age_in(service: SecretService, left: int = -60, profile: str = "t") -> None:
    """Do the same in a real keyring, as another program would."""
    kept = service.lookup(f"tokenctl:{profile}", "session")
    assert kept is not None
    service.clear(f"tokenctl:{profile}", "session")
    service.store(f"tokenctl:{profile}", "session", aged(kept, left))


def aged(document: str, left: int) -> str:
    """Move the times of a stored session back."""
    kept = json.loads(document)
    earlier = kept["expires_at"] - int(time.time()) - left
    return json.dumps(kept | {name: kept[name] - earlier for name in ("expires_at", "obtained_at")})
