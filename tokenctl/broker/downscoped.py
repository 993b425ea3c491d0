"""Narrower tokens on demand: for one API or with fewer rights than the session's, kept beside it and never over it.

By refreshing with a narrower scope or resource (RFC 6749 section 6, RFC 8707 section 2.2), or by token
exchange (RFC 8693) where there is an audience or the profile says so; a machine simply asks for less.
Each is cached in the same store, under `<profile>@<digest of what was asked for>`, written under the
profile's lock, and goes at sign-out and whenever a person asks for `refresh`.
"""

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tokenctl import flows
from tokenctl.broker import renewal as broker
from tokenctl.config import config_file as config
from tokenctl.errors import Refused, StoreDamaged, StoreError, UsageError
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime, login_hint
from tokenctl.storage import Store

UNTOLD = {"openid", "offline_access", "profile", "email"}
"""Scopes that servers leave out when they say what a token is for: they concern other tokens."""
MARK = "narrow."
"""How the names of the marks begin, in the profile's folder, that tell which narrower tokens there are."""


def narrower(runtime: Runtime, profile: Profile, wanted: Mapping[str, Any], min_ttl: int | None = None) -> Session:
    """Return a token for less than the session's, from the cache or from the server.

    `wanted` has some of scope, resource and audience. Raises UsageError, and what `broker.current` raises.
    """
    asked = config.override(profile, wanted, "option")
    ttl = profile.min_ttl if min_ttl is None else min_ttl
    if profile.store == "memory":
        return _no_other(broker.current(runtime, asked, ttl), wanted.get("scope"))
    session = broker.current(runtime, profile, ttl)
    machine = session.flow in flows.MACHINE
    exchanged = not machine and (asked.audience is not None or profile.narrow_by == "token-exchange")
    _check(profile, session, exchanged=exchanged)
    if not machine and not exchanged:
        _within(profile, session, wanted.get("scope"))
    if not machine:  # without a scope the server narrows nothing but the resource (RFC 6749 section 6)
        asked = replace(asked, scope=wanted.get("scope"))
    what = json.dumps([asked.scope, asked.resource, asked.audience, exchanged, session.seal_key])
    digest = hashlib.sha256(what.encode()).hexdigest()[:12]
    name, store = f"{profile.name}@{digest}", runtime.store(profile)

    def cached() -> Session | None:
        try:
            found = store.read(name)
        except StoreDamaged:
            return None
        return found if found is not None and found.fresh(runtime.time_of(found), ttl) else None

    def keep(found: Session) -> None:
        _no_other(found, wanted.get("scope"))
        beside = replace(found, refresh_token=None, refresh_token_expires_at=None, id_token=None)
        try:
            (runtime.folder(profile) / f"{MARK}{digest}").touch(mode=0o600)
            store.write(name, beside)
        except (StoreError, OSError) as error:
            runtime.terminal.warning(f"this token is not kept for the next time ({error})")

    found = cached()
    if found is not None:
        return found
    if not exchanged:
        return broker.narrow(runtime, asked, session, cached, keep, again=machine)
    with runtime.locked(profile):
        found = cached()
        if found is None:
            found = flows.exchange(runtime, asked, session)
            keep(found)
    return found


def _check(profile: Profile, session: Session, *, exchanged: bool) -> None:
    if session.flow == "api-key":
        raise UsageError(f"the API of {profile.name!r} is not OAuth: it knows no narrower tokens")
    if session.refresh_token is None and session.flow not in flows.MACHINE and not exchanged:
        raise UsageError(
            f"the session of {profile.name!r} has no refresh token to get a narrower one with",
            hint='set narrow_by = "token-exchange" in the profile, where the server offers that',
        )


def _within(profile: Profile, session: Session, scope: str | None) -> None:
    """See that no more is asked for than was granted (RFC 6749 section 6)."""
    if scope and session.scope is not None and (more := set(scope.split()) - set(session.scope.split()) - UNTOLD):
        raise Refused(
            f"the session of {profile.name!r} was not granted {' '.join(sorted(more))!r:.200}",
            hint=f"{login_hint(profile)} with --scope, to be granted more",
        )


def _no_other(found: Session, scope: str | None) -> Session:
    """See that the token is for what was asked: who wants less must not get more, and who needs it must not get less."""
    given, wanted = set((found.scope or "").split()), set((scope or "").split())
    if wanted and (given - wanted or wanted - given - UNTOLD):
        raise Refused(
            f"the server gave a token for {found.scope or 'nothing'!r:.200}, and {scope!r:.200} was asked for",
            hint="it is not handed out; the server may narrow by token exchange only (narrow_by), or not at all",
        )
    return found


def forget(runtime: Runtime, profile: Profile, store: Store) -> None:
    """Remove every narrower token of the profile; they were never worth more than minutes."""
    for mark in runtime.folder(profile).glob(f"{MARK}*"):
        with contextlib.suppress(StoreError, OSError):
            store.delete(f"{profile.name}@{mark.name.removeprefix(MARK)}")
            mark.unlink()
