"""Narrower tokens on demand: for one API or with fewer rights than the session's, kept beside it and never over it.

By refreshing with a narrower scope or resource (RFC 6749 section 6, RFC 8707 section 2.2), or by token
exchange (RFC 8693) where there is an audience or the profile says so; a machine simply asks for less.
Each is cached in the same store, under `<profile>@<digest of what was asked for>`, and goes at sign-out.
"""

import contextlib
import hashlib
import json
from dataclasses import replace

from tokenctl import broker, flows
from tokenctl.errors import StoreError
from tokenctl.profile import Profile
from tokenctl.runtime import Runtime
from tokenctl.session import Session
from tokenctl.storage import Store

MARK = "narrow."
"""How the names of the marks begin, in the profile's folder, that tell which narrower tokens there are."""


def narrower(
    runtime: Runtime,
    profile: Profile,
    *,
    scope: str | None = None,
    resource: tuple[str, ...] = (),
    audience: str | None = None,
    min_ttl: int | None = None,
) -> Session:
    """Return a token for less than the session's, from the cache or from the server. Raises as `broker.current` does."""
    asked = replace(
        profile,
        scope=scope or profile.scope,
        resource=resource or profile.resource,
        audience=audience or profile.audience,
    )
    wanted = profile.min_ttl if min_ttl is None else min_ttl
    if profile.store == "memory":
        return broker.current(runtime, asked, wanted)
    session = broker.current(runtime, profile, wanted)
    digest = hashlib.sha256(json.dumps([scope, resource, audience]).encode()).hexdigest()[:12]
    name, store = f"{profile.name}@{digest}", runtime.store(profile)

    def cached() -> Session | None:
        found = store.read(name)
        usable = found is not None and found.seal_key == session.seal_key  # of this login
        return found if usable and found is not None and found.fresh(runtime.time_of(found), wanted) else None

    found = cached()
    if found is not None:
        return found
    if session.flow in flows.MACHINE or audience or profile.narrow_by == "token-exchange":
        with runtime.locked(profile):
            found = cached() or _asked_anew(runtime, asked, session)
    else:
        found = broker.narrow(runtime, asked, session, cached)
    if found.expires_at != session.expires_at or found.access_token != session.access_token:
        (runtime.folder(profile) / f"{MARK}{digest}").touch(mode=0o600)
        store.write(name, replace(found, refresh_token=None, refresh_token_expires_at=None, seal_key=session.seal_key))
    return found


def _asked_anew(runtime: Runtime, asked: Profile, session: Session) -> Session:
    if session.flow in flows.MACHINE:
        return flows.begin(runtime, asked, client_secret=runtime.client_secret(asked))
    return flows.exchange(runtime, asked, session)


def forget(runtime: Runtime, profile: Profile, store: Store) -> None:
    """Remove every narrower token of the profile; they were never worth more than minutes."""
    for mark in runtime.folder(profile).glob(f"{MARK}*"):
        with contextlib.suppress(StoreError, OSError):
            store.delete(f"{profile.name}@{mark.name.removeprefix(MARK)}")
            mark.unlink()
