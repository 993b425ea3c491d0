"""The heart: what happens to a session. The one promise: none is ever lost to a race, a crash or a retry.

Between reading a refresh token and saving its successor there is exactly one process. Nothing but
`revoke` deletes a session.
"""

from dataclasses import replace

from tokenctl import flows
from tokenctl.errors import LoginRequired, StoreDamaged, StoreError, StoreLocked, Unreachable, UsageError
from tokenctl.profile import Profile
from tokenctl.runtime import Runtime, logged_out, login_hint
from tokenctl.session import Session


def current(runtime: Runtime, profile: Profile, min_ttl: int | None = None) -> Session:
    """Return a session whose access token has at least `min_ttl` seconds left.

    The stored one if it has: no lock, no network. Otherwise renew. Raises LoginRequired, Refused,
    Unreachable, Busy or StoreError.
    """
    wanted = profile.min_ttl if min_ttl is None else min_ttl
    session = _read(runtime, profile)
    if session is not None and session.fresh(runtime.now(), wanted):
        return session
    return _renew(runtime, profile, session, wanted)


def renew(runtime: Runtime, profile: Profile) -> Session:
    """Renew now, however fresh the access token is. Raises as `current` does."""
    return _renew(runtime, profile, _read(runtime, profile), None)


def _read(runtime: Runtime, profile: Profile) -> Session | None:
    session = runtime.store(profile).read(profile.name)
    if session is not None and (
        (profile.issuer or session.issuer) != session.issuer
        or (profile.client_id or session.client_id) != session.client_id
    ):
        # The refresh token goes to the endpoint pinned at login, whatever a config file says today.
        raise LoginRequired(
            f"the session of {profile.name!r} is with {session.issuer} as {session.client_id}, and the profile now says otherwise",
            hint=f"{login_hint(profile)}, or undo the change; the session was not touched",
        )
    return session


def _renew(runtime: Runtime, profile: Profile, seen: Session | None, min_ttl: int | None) -> Session:
    """Renew under the lock; `min_ttl` None means by request, whatever is there."""
    if seen is None:
        return _begin_again(runtime, profile)
    with runtime.locked(profile):
        session = _read(runtime, profile)
        if session is None:
            raise logged_out(profile)
        if min_ttl is not None:
            if session.fresh(runtime.now(), min_ttl) or _renewed_meanwhile(runtime, seen, session):
                return session
            _pause(runtime, session)
        kept = session

        def keep(held: Session) -> None:
            nonlocal kept
            _save(runtime, profile, held)
            kept = held

        try:
            successor = flows.renew(runtime, profile, session, keep)
        except LoginRequired:
            # invalid_grant: somebody without the lock may have won. Look once more before believing it.
            newer = _read(runtime, profile)
            if newer is not None and _renewed_meanwhile(runtime, session, newer):
                return newer
            raise
        except Unreachable as error:
            if min_ttl is None or kept.expired(runtime.now()):
                raise
            left = kept.remaining(runtime.now())
            runtime.terminal.warning(f"could not renew ({error.message}); the token at hand lives {left} s more")
            return kept
        _save(runtime, profile, successor)
        return successor


def _begin_again(runtime: Runtime, profile: Profile) -> Session:
    """Begin without a session: a machine that keeps nothing does so each time; a person has to sign in."""
    if profile.store != "memory":
        raise logged_out(profile)
    if profile.flow not in (*flows.MACHINE, "auto"):
        raise UsageError(
            "the memory store keeps nothing, so only a machine can use it", hint="choose store keyring or file"
        )
    machine = replace(profile, flow=flows.MACHINE[0]) if profile.flow == "auto" else profile
    session = flows.begin(runtime, machine, client_secret=runtime.client_secret(profile))
    runtime.store(profile).write(profile.name, session)
    return session


def _renewed_meanwhile(runtime: Runtime, seen: Session, session: Session) -> bool:
    """Tell whether somebody else renewed while we waited: then it counts as fresh, however short it is."""
    return session.generation > seen.generation and not session.expired(runtime.now())


def _pause(runtime: Runtime, session: Session) -> None:
    """Renew at most once a second, whatever the server says of its tokens' life."""
    if runtime.now() - session.obtained_at < 1:
        runtime.sleep(1)


def _save(runtime: Runtime, profile: Profile, session: Session) -> None:
    try:
        runtime.store(profile).write(profile.name, session)
    except StoreError as error:
        raise type(error)(f"the session was renewed and could not be saved: {error.message}", hint=error.hint) from None


def check_store(runtime: Runtime, profile: Profile) -> None:
    """Before a login, open its store, and see that no session stays behind in another one.

    Two stores with a session each would be two refresh tokens, one of them forgotten and alive. Raises
    UsageError or StoreError.
    """
    if profile.store == "memory":
        return
    new, old = runtime.new_store(profile), runtime.pinned_store(profile)
    if old is None or (old.kind, old.backend) == (new.kind, new.backend):
        return
    try:
        left_behind = old.read(profile.name) is not None
    except StoreError as error:
        runtime.terminal.warning(f"an older session may stay in the {old.kind} store: {error.message}")
        return
    if left_behind:
        raise UsageError(
            f"{profile.name!r} has a session in the {old.kind} store ({old.backend})",
            hint=f"end it first with 'tokenctl revoke -p {profile.name}', then sign in with the new store",
        )


def adopt(runtime: Runtime, profile: Profile, session: Session, secret: str | None) -> Session:
    """Keep what a login produced, in the place of what was there; returns it as stored.

    Raises StoreError or Busy; then the older session is still there.
    """
    store = runtime.new_store(profile)
    with runtime.locked(profile):
        try:
            older = store.read(profile.name)
        except StoreDamaged as damaged:
            runtime.terminal.warning(f"{damaged.message}; this login replaces it")
            older = None
        if older is not None:
            session = replace(session, generation=older.generation + 1)
            if older.subject and session.subject and (older.issuer, older.subject) != (session.issuer, session.subject):
                runtime.terminal.warning(
                    f"{profile.name!r} was signed in as {older.account}, and is now {session.account}"
                )
        if secret is not None and session.token_endpoint_auth_method != "none":
            store.write_secret(profile.name, secret)
        store.write(profile.name, session)
        runtime.pin(profile, store)
    return session


def revoke(runtime: Runtime, profile: Profile, *, local: bool = False) -> bool:
    """Sign out: revoke at the server, then forget here; with `local` only forget.

    Tells whether the server revoked anything. Raises LoginRequired when there is no session, Refused or
    Unreachable when the server did not revoke: then the session stays.
    """
    with runtime.locked(profile):
        store = runtime.store(profile)
        revoked = False
        try:
            session = store.read(profile.name)
        except (StoreDamaged, StoreLocked):
            if not local:
                raise
        else:
            if session is None:
                raise logged_out(profile)
            if not local:
                revoked = flows.end(runtime, profile, session)
        store.delete(profile.name)
    return revoked
