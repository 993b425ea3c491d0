"""A renewal job: what a worker is asked to do, and what it brings, both as JSON for the pipe between two processes."""

import json
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from typing import Any

from tokenctl import errors
from tokenctl.errors import TokenctlError
from tokenctl.model import profile as profiles
from tokenctl.model import session as sessions
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.model.target import Target


class Grant(Enum):
    """What is presented to the server for new tokens."""

    REFRESH_TOKEN = "refresh_token"
    CREDENTIALS = "credentials"
    """A machine begins again with its own credentials, and leaves the refresh token alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalJob:
    """One request for new tokens.

    `session` is the record read under the lock. `secret` is the client's secret, so that the worker needs no
    keyring. `target` is what to ask for; None asks for what the session was made for.
    """

    profile: Profile
    session: Session
    grant: Grant
    target: Target | None = None
    secret: str | None = field(default=None, repr=False)
    verbose: bool = False

    @property
    def presents_refresh_token(self) -> bool:
        """Tell whether the refresh token is what goes to the server."""
        return self.grant is Grant.REFRESH_TOKEN

    @property
    def renews_session(self) -> bool:
        """Tell whether a refresh token that comes back is the session's; not so for what a machine asks for beside it."""
        return self.target is None or self.presents_refresh_token

    @property
    def asked(self) -> Target:
        """What a grant asks for that has to name everything: the job's target, or what the session was made for."""
        profile = self.profile
        return self.target or Target(scope=profile.scope, resource=self.session.resource, audience=profile.audience)

    def rotated(self, refresh_token: str | None) -> Session:
        """Make the session's next generation: beside the old access token, with the new refresh token if one came."""
        session = self.session
        kept = session.refresh_token if self.presents_refresh_token else None
        return replace(session, generation=session.generation + 1, refresh_token=refresh_token or kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """What a job brought: the session as it is now, and the token for the job's target, if it had one.

    A token for a target is kept beside the session. Its record has the form of a session without a refresh token.
    """

    session: Session
    narrower: Session | None = None


def dumps(job: RenewalJob) -> str:
    """Write a job for the pipe to the worker."""
    return json.dumps(
        {
            "name": job.profile.name,
            "profile": profiles.members_of(job.profile),
            "session": sessions.dumps(job.session),
            "grant": job.grant.value,
            "target": None if job.target is None else asdict(job.target),
            "secret": job.secret,
            "verbose": job.verbose,
        }
    )


def loads(text: str) -> RenewalJob:
    """Read a job. Raises ValueError when it did not arrive whole: then nothing may be done."""
    found = json.loads(text)
    target = found["target"]
    return RenewalJob(
        profile=profiles.from_members(found["name"], found["profile"], "job"),
        session=sessions.loads(found["session"]),
        grant=Grant(found["grant"]),
        target=None if target is None else Target(**target | {"resource": tuple(target["resource"])}),
        secret=found["secret"],
        verbose=found["verbose"],
    )


def dumps_outcome(outcome: Renewed | TokenctlError, said: str) -> str:
    """Write how a job ended, and what the worker said meanwhile, on one line."""
    document: dict[str, Any] = {"said": said}
    if isinstance(outcome, TokenctlError):
        document["error"] = {"kind": type(outcome).__name__, **vars(outcome)}
    else:
        document["session"] = sessions.dumps(outcome.session)
        document["narrower"] = None if outcome.narrower is None else sessions.dumps(outcome.narrower)
    return json.dumps(document)


def loads_outcome(text: str) -> tuple[Renewed | TokenctlError, str]:
    """Read how a job ended, and what the worker said. Raises ValueError when it did not arrive whole."""
    found: dict[str, Any] = json.loads(text)
    if "error" in found:
        return _error(**found["error"]), found["said"]
    narrower = found["narrower"]
    renewed = Renewed(
        session=sessions.loads(found["session"]),
        narrower=None if narrower is None else sessions.loads(narrower),
    )
    return renewed, found["said"]


def _error(kind: str, message: str, **rest: Any) -> TokenctlError:
    """Make the error again, with every member that it had."""
    known: dict[str, type[TokenctlError]] = vars(errors)
    return known[kind](message, **rest)
