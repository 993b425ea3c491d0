"""What `profile set` reads, and what a change of a profile means for its session."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from tokenctl.config import variables
from tokenctl.errors import TokenctlError, UsageError
from tokenctl.model.profile import Profile, check_key
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults


def read_all(name: str, words: Iterable[str]) -> dict[str, Any]:
    """Read each `KEY=VALUE`. Raises UsageError, also for a key that is given twice with two values."""
    values: dict[str, Any] = {}
    for key, value in (_read(name, each) for each in words):
        if values.setdefault(key, value) != value:
            raise UsageError(
                f"{key} is given twice", hint='leave one of them out, or write both values in one: KEY="A B"'
            )
    return values


def _read(name: str, word: str) -> tuple[str, Any]:
    """Read `KEY=VALUE`: the setting of a profile, and its value in the config file's form. Raises UsageError."""
    key, equals, text = word.partition("=")
    if not equals:
        raise UsageError(f"{word!r:.60} is not KEY=VALUE", hint=f"such as: tokenctl profile set {name} scope=openid")
    check_key(key)
    if not text.strip():
        raise UsageError(f"{key} has no value", hint=f"'tokenctl profile unset {name} {key}' removes a setting")
    return key, variables.parsed(key, text, key)


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
