"""What `profile set` reads, and what a change of a profile means for its session."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from tokenctl.config import variables
from tokenctl.errors import TokenctlError, UsageError, explained_on
from tokenctl.model.profile import CHECKS, Profile, check_key
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults


class Change(NamedTuple):
    """A change of one setting: `=` sets it, `+=` adds to its list, `-=` removes from its list.

    `value` is in the config file's form.
    """

    key: str
    operator: str
    value: Any


@explained_on("config")
def read_all(name: str, words: Iterable[str]) -> list[Change]:
    """Read each `KEY=VALUE`, `KEY+=VALUE` and `KEY-=VALUE`. Raises UsageError, also for a key with two values."""
    changes: list[Change] = []
    for change in (_read(name, each) for each in words):
        others = [each for each in changes if each.key == change.key and "=" in (each.operator, change.operator)]
        if any(each != change for each in others):
            raise UsageError(
                f"{change.key} is given twice",
                hint=f'leave one of them out, or write both values in one: {change.key}="A B"',
            )
        changes.append(change)
    return changes


def _read(name: str, word: str) -> Change:
    """Read one change of a profile's setting. Raises UsageError."""
    key, equals, text = word.partition("=")
    if not equals:
        raise UsageError(f"{word!r:.60} is not KEY=VALUE", hint=f"such as: tokenctl profile set {name} scope=openid")
    operator = f"{key[-1:]}=" if key.endswith(("+", "-")) else "="
    key = key.removesuffix(operator[:-1])
    check_key(key)
    if not text.strip():
        raise UsageError(f"{key} has no value", hint=f"'tokenctl profile unset {name} {key}' removes a setting")
    if operator != "=" and key not in _LISTS:
        raise UsageError(
            f"{key} is not a list, so nothing can be added to it or removed from it",
            hint=f"write {key}=VALUE; the lists are: {', '.join(_LISTS)}",
        )
    return Change(key, operator, variables.parsed(key, text, key))


_LISTS = ("scope", "resource", "hosts")
"""The settings that have several values, whose order says nothing."""


def changed(before: Profile, changes: Iterable[Change]) -> dict[str, Any]:
    """Return the new value of each setting, in the config file's form; empty for one that is removed.

    Raises UsageError when what is to be removed is not there.
    """
    values: dict[str, Any] = {}
    for key, operator, value in changes:
        if operator == "=":
            values[key] = value
            continue
        there = values.get(key, _items(getattr(before, key)))
        given = _items(CHECKS[key](value, key))
        absent = [each for each in given if each not in there]
        if operator == "-=" and absent:
            has = f"{key} has: {' '.join(there)}" if there else f"{key} is not set"
            raise UsageError(f"{absent[0]!r:.200} is not in {key} of {before.name!r}", hint=has)
        values[key] = [*there, *absent] if operator == "+=" else [each for each in there if each not in given]
    return {
        key: " ".join(value) if key == "scope" and isinstance(value, list) else value for key, value in values.items()
    }


def _items(value: str | Iterable[str] | None) -> list[str]:
    return value.split() if isinstance(value, str) else list(value or ())


def say_what_next(runtime: Runtime, before: Profile, after: Profile) -> None:
    """Say what a change means for a session that an earlier login may have left; the keyring is not read for that."""
    name, kept = after.name, None
    with suppress(TokenctlError):  # the change itself is done
        kept = vaults.open_kept(runtime, after)
    if kept is None:
        return
    if _made_for(before) != _made_for(after):
        runtime.terminal.message(f"a session of {name} that was made for the older settings is not given out any more")
        if not after.by_machine:
            runtime.terminal.hint(f"sign in again with 'tokenctl login -p {name}'")
    elif before.store != after.store:
        runtime.terminal.message(f"a session of {name} stays where it is until the next login")
        runtime.terminal.hint(f"to move it now: tokenctl store migrate -p {name} --to {after.store}")


def _made_for(profile: Profile) -> tuple[object, ...]:
    """Return what a session is made for; see `model.session_state.check_profile`."""
    scope, resource = frozenset((profile.scope or "").split()), frozenset(profile.resource)
    return profile.issuer, profile.client_id, profile.flow, scope, resource, profile.audience
