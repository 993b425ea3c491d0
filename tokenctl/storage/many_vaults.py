"""The vaults of many profiles, for a command that looks at all of them."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice

from tokenctl.errors import TokenctlError
from tokenctl.model.store import Store
from tokenctl.runtime import Runtime
from tokenctl.storage import opening
from tokenctl.storage import vault as vaults
from tokenctl.storage.vault import Vault

TOGETHER = 50
"""Profiles whose sessions are read together."""

Opened = dict[str, Vault | TokenctlError]


class ManyVaults:
    """Opens the vaults of profiles, one after the other; the keyring is asked for the next sessions meanwhile.

    So the first `newest` of a vault can have what the keyring had a moment before. That is good enough to show a
    session; who renews or ends one opens its vault alone.
    """

    def __init__(self, runtime: Runtime, names: Sequence[str]) -> None:
        self._runtime = runtime
        self._ready: Opened = {}
        self._groups = self._read_groups(iter(names))

    def open(self, name: str) -> Vault:
        """Open the vault of the next profile. Raises what choosing the profile and `vault.open` raise."""
        while name not in self._ready:
            self._ready.update(next(self._groups))
        found = self._ready.pop(name)
        if isinstance(found, TokenctlError):
            raise found
        return found

    def _read_groups(self, names: Iterator[str]) -> Iterator[Opened]:
        opened: list[Opened] = []

        def stores() -> Iterator[list[tuple[Store, str]]]:
            while group := self._open(islice(names, TOGETHER)):
                opened.append(group)
                yield list(_stores(group))

        for _ in opening.read_ahead(self._runtime, stores()):
            yield opened.pop(0)

    def _open(self, names: Iterator[str]) -> Opened:
        group: Opened = {}
        for name in names:
            try:
                group[name] = vaults.open(self._runtime, self._runtime.profile(name))
            except TokenctlError as error:
                group[name] = error
        return group


def _stores(group: Opened) -> Iterator[tuple[Store, str]]:
    for name, vault in group.items():
        if not isinstance(vault, TokenctlError):
            with suppress(TokenctlError):  # `newest` raises it again
                yield vault.store, name
