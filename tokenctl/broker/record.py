"""The record of a session: the newest there is, whether in the store or on its way there, and putting it there.

A renewal commits to the redo log first. Until the store has its copy, readers prefer the redo log, and
whoever holds the lock next finishes the copy.
"""

from tokenctl.errors import LoginRequired, StoreError
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime, login_hint
from tokenctl.storage import Store


def read(runtime: Runtime, profile: Profile) -> Session | None:
    """Read the session to use. Raises StoreError, or LoginRequired when the profile has come to mean another server."""
    return of_profile(profile, newest(runtime, profile, runtime.store(profile)))


def newest(runtime: Runtime, profile: Profile, store: Store) -> Session | None:
    """Read the newest session there is: the store's, or the one in the redo log on its way there."""
    session = store.read(profile.name)
    newer = runtime.redo_log(profile).read(session) if session and runtime.has_redo_log(profile) else None
    return newer or session


def settled(runtime: Runtime, profile: Profile, store: Store) -> Session | None:
    """Under the lock: read the newest session, and finish what a run before us could not."""
    session = store.read(profile.name)
    if session is None or not runtime.has_redo_log(profile):
        return session
    newer = runtime.redo_log(profile).read(session)
    if newer is None:  # the store has it already, or a later login
        runtime.redo_log(profile).remove()
        return session
    copy(runtime, profile, store, newer)
    return newer


def of_profile(profile: Profile, session: Session | None) -> Session | None:
    """Let a session pass that is the profile's. Raises LoginRequired when the profile has come to mean another server."""
    if session is None:
        return None
    said = profile.issuer or session.issuer, profile.client_id or session.client_id
    if said != (session.issuer, session.client_id):
        # The refresh token goes to the endpoint pinned at login, whatever a config file says today.
        raise LoginRequired(
            f"the session of {profile.name!r} is with {session.issuer} as {session.client_id}, and the profile, or"
            f" TOKENCTL_ISSUER or TOKENCTL_CLIENT_ID, now says {said[0]} as {said[1]}",
            hint=f"{login_hint(profile)}, or undo the change; the session was not touched",
        )
    return session


def copy(runtime: Runtime, profile: Profile, store: Store, renewed: Session) -> None:
    """Copy it to the keyring, which reads it back; then the redo log has done its work.

    Raises StoreError when it is neither in the redo log nor in the keyring.
    """
    try:
        store.write(profile.name, renewed)
    except StoreError as error:
        if not (runtime.has_redo_log(profile) and runtime.redo_log(profile).holds(renewed)):
            raise type(error)(
                f"the session was renewed and could not be saved: {error.message}", hint=error.hint
            ) from None
        runtime.terminal.warning(
            f"the session was renewed and is safe, but not in the keyring yet ({error.message}); the next run tries again"
        )
    else:
        runtime.redo_log(profile).remove()
