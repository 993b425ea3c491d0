"""Reading the sessions of many profiles from the Secret Service, while the command works on those before them.

A keyring takes half a millisecond for a call, and an entry needs two. So the calls of a group are sent at once, and
their answers are taken when the group's turn comes. An entry that this does not find, for whatever reason, is read
alone then: that unlocks it, asks a person, and tells what is wrong.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import NamedTuple

from tokenctl.errors import StoreError
from tokenctl.storage.patience import UNATTENDED
from tokenctl.storage.secret_bus import PATH, Again, Call, Locked, SecretBus
from tokenctl.storage.secret_service import SecretServiceStore

LARGEST = 50
"""Entries of a group, at most. A bus can end a connection that waits for more than 128 answers."""


class Entry(NamedTuple):
    """A profile's session, and the store that it is in."""

    store: SecretServiceStore
    profile: str


def read(environ: Mapping[str, str], groups: Iterable[Sequence[Entry]]) -> Iterator[None]:
    """Read groups of entries, and go on each time that the next group was read. Raises nothing."""
    bus = SecretBus(environ, UNATTENDED.limit)
    reading: deque[Iterator[None]] = deque()
    for group in chain(groups, [()] * (_STEPS - 1)):  # nothing comes after the last group, which has steps left
        reading.append(_read(bus, group))
        for each in reading:  # the oldest one first: it waits for what was sent in the round before
            next(each, None)
        if len(reading) == _STEPS:
            reading.popleft()
            yield


_STEPS = 3
"""The steps of `_read`."""


def _read(bus: SecretBus, group: Sequence[Entry]) -> Iterator[None]:
    """Read a group: search the items, get their secrets, give them to the stores. Stops after each step."""
    found = [(entry, call) for entry in group if (call := entry.store.search(entry.profile)) is not None]
    searches = bus.send_together([call for _, call in found])
    yield
    items: dict[str, Entry] = {}
    for (entry, _), answer in zip(found, bus.answers(searches), strict=True):
        if answer is not None and len(answer[0]) == 1:  # which one of several counts is not decided here
            items[answer[0][0]] = entry
    secrets = bus.send_together(_get_secrets(bus, list(items)))
    yield
    for answer in bus.answers(secrets):
        for item, (_, _, secret, _) in (answer[0] if answer is not None else {}).items():
            if secret:  # KWallet answers a locked item with an empty one
                items[item].store.has_read(items[item].profile, bytes(secret))


def _get_secrets(bus: SecretBus, items: list[str]) -> list[Call]:
    with suppress(StoreError, Again, Locked):
        return [Call(PATH, "Service", "GetSecrets", "aoo", (items, bus.session))] if items else []
    return []
