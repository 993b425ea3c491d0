"""What a worker is told and what it answers, as JSON: a renewal to do, and the session or the error it ended in."""

import json
from dataclasses import dataclass, field
from typing import Any

from tokenctl import errors
from tokenctl.errors import TokenctlError
from tokenctl.model import profile, session
from tokenctl.model.profile import Profile, members_of
from tokenctl.model.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One renewal: the session read under the lock, and the client secret, so that no keyring is needed."""

    profile: Profile
    session: Session
    secret: str | None = field(default=None, repr=False)
    narrow: bool = False
    """Whether the profile's scope and resource are to be asked for, for a token beside the session's."""
    again: bool = False
    """Whether to begin again with the machine's own credentials, and leave the refresh token alone."""
    verbose: bool = False


def dumps(errand: Errand) -> str:
    """Write an errand for the pipe to the worker."""
    document = {"profile": members_of(errand.profile), "name": errand.profile.name}
    rest = {"secret": errand.secret, "again": errand.again, "narrow": errand.narrow, "verbose": errand.verbose}
    return json.dumps(document | rest | {"session": session.dumps(errand.session)})


def loads(text: str) -> Errand:
    """Read an errand. Raises ValueError when it did not arrive whole: then nothing may be done."""
    found = json.loads(text)
    return Errand(
        profile=profile.from_members(found["name"], found["profile"], "errand"),
        session=session.loads(found["session"]),
        **{name: found[name] for name in ("secret", "again", "narrow", "verbose")},
    )


def answer(renewed: Session | TokenctlError, said: str) -> str:
    """Write how an errand ended, and what was said meanwhile."""
    if isinstance(renewed, Session):
        return json.dumps({"session": session.dumps(renewed), "said": said})
    error = {"kind": type(renewed).__name__, "message": renewed.message, "hint": renewed.hint}
    return json.dumps({"error": error, "said": said})


def outcome(text: str) -> tuple[Session | TokenctlError, str]:
    """Read how an errand ended, and what was said."""
    found: dict[str, Any] = json.loads(text)
    if "session" in found:
        return session.loads(found["session"]), found["said"]
    error = found["error"]
    return getattr(errors, error["kind"])(error["message"], hint=error["hint"]), found["said"]
