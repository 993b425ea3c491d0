"""Reading the sessions of many profiles from the Secret Service, while the command works on those before them.

A keyring takes half a millisecond for a call, and an entry needs two. So the calls of a group are sent at once, and
their answers are taken when the group's turn comes. An entry that this does not find, for whatever reason, is read
alone then: that unlocks it, asks a person, and tells what is wrong.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

from tokenctl.errors import StoreError
from tokenctl.storage.patience import UNATTENDED
from tokenctl.storage.secret_bus import PATH, PROPERTIES, SECRET, Again, Call, Locked, SecretBus
from tokenctl.storage.secret_service import SecretServiceStore, attributes_of

_STEPS = 3
"""The steps of reading a group: search the items, get their secrets, give them to the stores."""
_DEFAULT = Call(PATH, f"{SECRET}.Service", "ReadAlias", "s", ("default",))


def _search(collection: str, profile: str) -> Call:
    return Call(collection, f"{SECRET}.Collection", "SearchItems", "a{ss}", (attributes_of(profile, "session"),))


def _secrets(items: list[str], session: str) -> Call:
    return Call(PATH, f"{SECRET}.Service", "GetSecrets", "aoo", (items, session))


def _is_locked(collection: str) -> Call:
    return Call(collection, PROPERTIES, "Get", "ss", (f"{SECRET}.Collection", "Locked"))


class Entry(NamedTuple):
    """A profile's session, and the store that it is in."""

    store: SecretServiceStore
    profile: str


class Ahead:
    """Reads groups of entries, of 100 at most. Raises nothing."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._bus = SecretBus(environ, UNATTENDED.limit)

    def read(self, groups: Iterable[Sequence[Entry]]) -> Iterator[None]:
        """Go on each time that the next group was read."""
        reading: deque[Iterator[None]] = deque()
        for group in chain(groups, [()] * (_STEPS - 1)):  # nothing comes after the last group, which has steps left
            reading.append(self._read(group))
            for each in reading:  # the oldest one first: it waits for what was sent in the round before
                next(each, None)
            if len(reading) == _STEPS:
                reading.popleft()
                yield

    def _read(self, group: Sequence[Entry]) -> Iterator[None]:
        """Read a group. Stops after each step."""
        found = [(entry, collection) for entry in group if (collection := self._collection(entry.store))]
        searches = self._bus.send_together([_search(each, entry.profile) for entry, each in found])
        yield
        items: dict[str, Entry] = {}
        absent: dict[str, list[Entry]] = {}
        for (entry, collection), answer in zip(found, self._bus.answers(searches), strict=True):
            if answer is not None and len(answer[0]) == 1:  # which one of several counts is not decided here
                items[answer[0][0]] = entry
            elif answer is not None and not answer[0]:
                absent.setdefault(collection, []).append(entry)
        secrets = self._bus.send_together(self._get_secrets(list(items)))
        locked = self._bus.send_together([_is_locked(collection) for collection in absent])
        yield
        self._hand_out(items, self._bus.answers(secrets))
        for entries, answer in zip(absent.values(), self._bus.answers(locked), strict=True):
            for entry in entries:
                if answer is not None and answer[0][1] is False:  # a locked collection may hide its items
                    entry.store.has_read(entry.profile, None)

    @staticmethod
    def _hand_out(items: Mapping[str, Entry], answers: Sequence[tuple[Any, ...] | None]) -> None:
        """Give each secret to the store of its profile; KWallet answers a locked item with an empty one."""
        for answer in answers:
            for item, (_, _, secret, _) in (answer[0] if answer is not None else {}).items():
                if secret and item in items:
                    items[item].store.has_read(items[item].profile, bytes(secret))

    def _collection(self, store: SecretServiceStore) -> str | None:
        """Return the collection of the login, else the default one of now; None where there is none, or no answer."""
        return store.chosen or self._default

    @cached_property
    def _default(self) -> str | None:
        (answer,) = self._bus.answers(self._bus.send_together([_DEFAULT]))
        return None if answer is None or answer[0] == "/" else str(answer[0])

    def _get_secrets(self, items: list[str]) -> list[Call]:
        with suppress(StoreError, Again, Locked):
            return [_secrets(items, self._bus.session)] if items else []
        return []
