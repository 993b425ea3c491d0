"""The stores in keyrings, each call in a process of its own as a command would be."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from tests.support.commandline import LONG

# argv: `ours`, `library` or a backend, the deadline, `attended` or not, what to do, the profile, and what to write.
# One JSON line says how it went.
CLIENT = """
import json, os, sys
from tokenctl.errors import StoreError
from tokenctl.model.session import dumps, loads
from tokenctl.storage.backends import open_backend, open_keyring
from tokenctl.storage.keyring_store import KeyringStore
from tokenctl.storage.patience import Patience
from tokenctl.storage.secret_service import BACKEND, SecretServiceStore

lane, deadline, attended, verb, profile, *document = sys.argv[1:]
patience = Patience(seconds=float(deadline), attended=attended == "attended")
try:
    if lane == "ours":
        store = SecretServiceStore("keyring", patience, os.environ.get("COLLECTION"))
    elif lane == "library":  # the keyring library's own backend: what it writes we read, and the other way round
        store = KeyringStore(open_backend(BACKEND, patience), "keyring", patience)
    else:
        store = open_keyring(os.environ, "keyring", lane, patience)
    found = None
    if verb == "mix":
        for number in range(10):
            store.write(profile, loads(document[0]))
            found = store.read(profile)
            assert found == loads(document[0]), found
            store.read("shared")
    elif verb == "twice":  # a program that lives long: something happens to the keyring between two calls
        assert store.read(profile) is not None
        print("once", flush=True)
        input()
        found = store.read(profile)
        store.write(profile, found)
    elif verb == "all":
        store.prepare(profile)
        store.write(profile, loads(document[0]))
        assert store.read(profile) == loads(document[0])
        store.delete(profile)
        found = store.read(profile)
    else:
        found = getattr(store, verb)(profile, *map(loads, document))
    answer = {"found": found and dumps(found)}
except StoreError as error:
    answer = {"error": type(error).__name__, "message": error.message, "hint": error.hint}
print(json.dumps(answer), flush=True)
"""


def words(lane: str, deadline: float, *arguments: str, attended: bool = False) -> list[str]:
    """The command line of one client."""
    return [sys.executable, "-P", "-c", CLIENT, lane, str(deadline), "attended" if attended else "-", *arguments]


def start(environ: Mapping[str, str], lane: str, *arguments: str, attended: bool = False) -> subprocess.Popen[str]:
    """Start one client; it is for a `with` block."""
    return subprocess.Popen(
        words(lane, 120, *arguments, attended=attended),
        env={**os.environ, **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def ask(
    environ: Mapping[str, str], lane: str, *arguments: str, deadline: float = 120, attended: bool = False
) -> dict[str, Any]:
    """Run one client and return its answer."""
    ended = subprocess.run(
        words(lane, deadline, *arguments, attended=attended),
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return dict(json.loads(ended.stdout))
