"""Check of `--write-test` alone: an entry is written, read back and removed, as a login and a renewal would do it."""

from collections.abc import Iterator
from contextlib import suppress

from tokenctl.doctor.finding import Finding
from tokenctl.doctor.trouble import finding_of
from tokenctl.errors import TokenctlError
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults
from tokenctl.storage.vault import Vault

NAME = "write test"
ENTRY = "doctor"
"""The end of the entry's name: `tokenctl:<profile>@doctor` in a keyring, `session.doctor.sealed` in the file store."""
_PROBE = Session(
    id="0" * 16,
    issuer="a test entry of 'tokenctl doctor --write-test', which can be removed",
    client_id="",
    flow="",
    token_endpoint="",
    access_token="x" * 2000,  # as long as a real one: some keyrings have a limit
    obtained_at=0,
    seal_key="A" * 43 + "=",
)
"""It has the form of a session, because that is what has to be kept. No token is in it."""


def look(runtime: Runtime, profile: Profile) -> Iterator[Finding]:
    """Write, read and remove the entry. Where that fails, a login fails; a renewal keeps its session in the redo log."""
    writing = Runtime(
        runtime.environ, config_file=runtime.config_file, store=runtime.store, terminal=runtime.terminal
    )  # `runtime` changes nothing
    writing.keeps_events = False
    try:
        _write(vaults.open(writing, profile), f"{profile.name}@{ENTRY}")
    except TokenctlError as error:
        yield finding_of(NAME, error)
    except OSError as reason:
        sentence = f"the test entry cannot be written: {reason.strerror}"
        yield Finding(check=NAME, status="failed", sentence=sentence, exit_status=3)
    else:
        yield Finding(check=NAME, status="ok", sentence="an entry was written, read back and removed")


def _write(vault: Vault, name: str) -> None:
    """Write the entry, which the store reads back and compares, and remove it also when that fails."""
    store = vault.store
    try:
        store.write(name, _PROBE)
    except BaseException:
        with suppress(TokenctlError):  # the first error is the one that helps
            store.delete(name)
        raise
    store.delete(name)
