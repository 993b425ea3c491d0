"""What becomes of older access tokens when the server gives another one for the refresh token.

Some servers end them at once. So a narrower token that is got by refreshing can end the session's own access token, and a
renewal can end the narrower one. The session remembers what is known of its server.
"""

from dataclasses import replace

from tokenctl.flows import inspection
from tokenctl.model.profile import Profile
from tokenctl.model.renewal_job import RenewalJob, Renewed
from tokenctl.model.session import Session
from tokenctl.model.session_state import older_access_tokens
from tokenctl.oauth.claims import is_jwt
from tokenctl.runtime import Runtime
from tokenctl.storage.vault import Vault

PATIENCE = 5
"""Seconds to wait for what the server says of an older token: it is good to know, and not needed."""


def settle(runtime: Runtime, vault: Vault, job: RenewalJob, renewed: Renewed) -> tuple[Session, Session]:
    """Find out whether the server ended the session's access token when it gave the narrower one, where it says so.

    Returns the session and the narrower token. As long as nobody knows, the session is renewed at its next use. The
    answer is kept in the session, so that the server is asked once.
    """
    session, token = renewed.session, renewed.narrower or renewed.session
    known = session.superseded_at is None or older_access_tokens(job.profile, session) is not None
    if known or session.expired(runtime.time_of(session)):  # the server calls an expired token inactive too
        return session, token
    with runtime.requests_end_at(runtime.since_boot() + PATIENCE):
        found = inspection.older_access_tokens(runtime, job, session.access_token, token.access_token)
    if found is None:
        return session, token
    superseded_at = None if found == "kept" else session.superseded_at
    session = replace(
        session, generation=session.generation + 1, superseded_at=superseded_at, older_access_tokens=found
    )
    vault.commit(session)
    return session, replace(token, generation=session.generation)


def may_have_ended(profile: Profile, session: Session, token: Session) -> bool:
    """Tell whether the server may have ended a token that it gave for a refresh token of the session.

    Some servers do that when they give another one. They do it with tokens that only they can read: whoever checks a JWT
    need not ask them.
    """
    known = older_access_tokens(profile, session)
    if token.generation == session.generation or known == "kept":
        return False
    return known == "ended" or not is_jwt(token.access_token)
