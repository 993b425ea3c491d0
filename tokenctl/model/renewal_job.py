"""A renewal job for a worker process, and its outcome, both as JSON for the pipe between the two processes."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from typing import Any

from tokenctl import errors
from tokenctl.errors import TokenctlError
from tokenctl.model import event as events
from tokenctl.model import profile as profiles
from tokenctl.model import session as sessions
from tokenctl.model.event import Event
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.model.session_state import older_access_tokens
from tokenctl.model.target import Target


class Grant(Enum):
    """What the token request presents."""

    REFRESH_TOKEN = "refresh_token"
    CREDENTIALS = "credentials"
    """The machine's own credentials. The request does not present the refresh token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalJob:
    """One request for new tokens.

    `session` is the record read under the lock. `secret` is the client secret: the worker does not read the
    keyring. `target` None asks for what the session was made for.
    """

    profile: Profile
    session: Session
    grant: Grant
    target: Target | None = None
    secret: str | None = field(default=None, repr=False)
    verbose: bool = False
    lock: int | None = None
    """The descriptor of the profile's lock, which the worker inherits."""
    reason: str = "stale"
    """Why: `stale` (the access token ends soon), `asked` (by a person), `refused` (by an API), or `narrower`."""
    asked_by: str | None = None
    """The program that asks, for the event log."""
    events_failed_at: float | None = None
    """When the caller could not write the event log, in seconds since boot; it has warned. See `Runtime`."""
    ends_at: float | None = None
    """When the work under the lock must end, in seconds since boot; a request is not sent later."""

    @property
    def presents_refresh_token(self) -> bool:
        """Tell whether the request presents the refresh token."""
        return self.grant is Grant.REFRESH_TOKEN

    @property
    def renews_session(self) -> bool:
        """Tell whether a refresh token in the token response replaces the session's.

        It does not when a machine presents its credentials for a narrower token.
        """
        return self.target is None or self.presents_refresh_token

    @property
    def may_end_access_token(self) -> bool:
        """Tell whether the server may end the session's access token when it answers with a narrower one."""
        narrows = self.target is not None and self.presents_refresh_token
        return narrows and older_access_tokens(self.profile, self.session) != "kept"

    @property
    def asked(self) -> Target:
        """The job's target, or what the session was made for: for a grant whose request must name it."""
        if self.target is not None:
            return self.target
        profile = self.profile
        return Target(scope=profile.scope, resource=self.session.resource, audience=profile.audience)

    def next_session(self, refresh_token: str | None) -> Session:
        """Make the session's next generation, with the new refresh token (if there is one) and the old access token."""
        session = self.session
        kept = session.refresh_token if self.presents_refresh_token else None
        return replace(session, generation=session.generation + 1, refresh_token=refresh_token or kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """The result of a job: the session as it is now, and the narrower token if the job had a target.

    A narrower token is a `Session` record without a refresh token. It does not replace the session.
    """

    session: Session
    narrower: Session | None = None
    error: TokenctlError | None = None
    """Why there is no new access token, although a new refresh token came: the session has it already."""


VERSION = 2
"""The version of the job's form: caller and worker differ while tokenctl is upgraded."""


def dumps(job: RenewalJob) -> str:
    """Write a job for the pipe to the worker."""
    return json.dumps(
        {
            "version": VERSION,
            "name": job.profile.name,
            "profile": profiles.members_of(job.profile),
            "session": sessions.dumps(job.session),
            "grant": job.grant.value,
            "target": None if job.target is None else asdict(job.target),
            "secret": job.secret,
            "verbose": job.verbose,
            "lock": job.lock,
            "reason": job.reason,
            "asked_by": job.asked_by,
            "events_failed_at": job.events_failed_at,
            "ends_at": job.ends_at,
        }
    )


def loads(text: str) -> RenewalJob:
    """Read a job. Raises ValueError when it is not complete, or is of another version: then nothing may be done."""
    found = json.loads(text)
    if found.get("version") != VERSION:
        raise ValueError("a job of another version of tokenctl")
    target = found["target"]
    return RenewalJob(
        profile=profiles.from_members(found["name"], found["profile"], "job"),
        session=sessions.loads(found["session"]),
        grant=Grant(found["grant"]),
        target=None if target is None else Target(**target | {"resource": tuple(target["resource"])}),
        secret=found["secret"],
        verbose=found["verbose"],
        lock=found["lock"],
        reason=found["reason"],
        asked_by=found["asked_by"],
        events_failed_at=found["events_failed_at"],
        ends_at=found["ends_at"],
    )


def dumps_outcome(
    outcome: Renewed | TokenctlError,
    messages: str,
    reported: Sequence[Event] = (),
    events_failed_at: float | None = None,
) -> str:
    """Write what a worker tells, as one line; see `Told`."""
    document: dict[str, Any] = {
        "said": messages,
        "events": [events.dumps(each).decode() for each in reported],
        "events_failed_at": events_failed_at,
    }
    if isinstance(outcome, TokenctlError):
        document["error"] = _members(outcome)
    else:
        document["session"] = sessions.dumps(outcome.session)
        document["failed"] = None if outcome.error is None else _members(outcome.error)
        document["narrower"] = None if outcome.narrower is None else sessions.dumps(outcome.narrower)
    return json.dumps(document)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a worker tells when it ends: the job's outcome, its messages to stderr, and what happened."""

    outcome: Renewed | TokenctlError
    said: str
    events: tuple[Event, ...] = ()
    events_failed_at: float | None = None
    """When the worker could not write the event log, in seconds since boot."""


def loads_outcome(text: str) -> Told:
    """Read what a worker tells. Raises ValueError when it is not complete."""
    found: dict[str, Any] = json.loads(text)
    wrote = tuple(event for line in found["events"] if (event := events.loads(line.encode())) is not None)
    return Told(outcome=_outcome(found), said=found["said"], events=wrote, events_failed_at=found["events_failed_at"])


def _outcome(found: dict[str, Any]) -> Renewed | TokenctlError:
    if "error" in found:
        return _error(**found["error"])
    narrower = found["narrower"]
    return Renewed(
        session=sessions.loads(found["session"]),
        narrower=None if narrower is None else sessions.loads(narrower),
        error=None if found["failed"] is None else _error(**found["failed"]),
    )


def _members(error: TokenctlError) -> dict[str, Any]:
    """List what makes the error again. A class of another file becomes its nearest base in `errors`."""
    kind = next(each for each in type(error).__mro__ if each.__module__ == errors.__name__)
    return {"kind": kind.__name__, **vars(error)}


def _error(kind: str, message: str, **rest: Any) -> TokenctlError:
    """Make the error again, with every member that it had."""
    known: dict[str, type[TokenctlError]] = vars(errors)
    return known[kind](message, **rest) if kind in known else TokenctlError(message, hint=rest.get("hint"))
