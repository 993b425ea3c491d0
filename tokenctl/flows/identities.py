"""Who a machine's session was made for, so that no other machine or job gets its tokens.

A session keeps a text made of what its machine presented, without the secret itself. What is compared, and when:

- A client secret, API key or private key: its HMAC under the session's own random key. Only a secret that is at hand
  outside the store (in the environment, or in the profile's key file) is compared. Both are cheap to read, so each
  command compares.
- A job's identity token from a variable, a file or a command: the source, and the token's `iss` and `sub`. Each
  command gets the token and compares; its signature is the server's concern.
- A job's identity token that costs a request to a platform: each command compares the source, and the HMAC of the
  variables that differ between jobs. So the commands of one job share a session, and another job makes its own. Each
  renewal with credentials gets the token, and compares `iss` and `sub`.

Nothing here is loaded for a person's profile: there the server's answer says whose session it is.
"""

import base64
import hmac
import json
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from tokenctl.config.secret_sources import from_key_file, of_client
from tokenctl.errors import LoginRequired, UsageError, explained_on
from tokenctl.model.profile import Profile
from tokenctl.model.session import IDENTITY_FLOWS, Session
from tokenctl.runtime import Runtime

if TYPE_CHECKING:
    from tokenctl.identity.source import Job

VARIABLES = {"client-credentials": "CLIENT_SECRET", "api-key": "API_KEY"}
"""Flow -> the variable of its secret."""
_SECRET = "secret "
"""The beginning of the text for a session that was made with a secret."""


def of_sign_in(runtime: Runtime, profile: Profile, seal_key: str, secret: str | None, token: str | None) -> str | None:
    """Make the text for a new session from the `secret` or the job's identity `token` that was presented."""
    if token is not None:
        return json.dumps(_of_token(runtime, profile, seal_key, token))
    return None if secret is None else _of_secret(seal_key, secret)


def is_other(runtime: Runtime, profile: Profile, session: Session) -> bool:
    """Tell whether a machine that presented its credentials now would be another one than the session's.

    A session of a version that did not record it is another one's. Raises UsageError when a job's identity or a secret
    of the environment cannot be read.
    """
    if profile.flow in IDENTITY_FLOWS:
        return _is_other_job(runtime, profile, session)
    secret = _secret_at_hand(runtime, profile)
    return secret is not None and session.identity != _of_secret(session.seal_key, secret)


def is_secret_of(session: Session, secret: str) -> bool:
    """Tell whether the session was made with the secret. A session that does not say counts as made with it."""
    made_with_secret = session.by_machine and (session.identity or "").startswith(_SECRET)
    return not made_with_secret or session.identity == _of_secret(session.seal_key, secret)


@explained_on("ci")
def check_source(runtime: Runtime, profile: Profile) -> None:
    """Check that a job's identity token can be had, as far as that costs no request. Raises UsageError."""
    if profile.flow in IDENTITY_FLOWS:
        from tokenctl import identity

        job = _job(runtime, profile)
        source = identity.SOURCES[identity.source_name(job)]
        elsewhere = source.platform is not None and not source.detect(job)
        if source.ticket is None or elsewhere:  # then nobody is asked
            source.get(job)


def check_token(runtime: Runtime, profile: Profile, session: Session, token: str) -> None:
    """Check the identity token of a renewal: the job must be the session's. Raises LoginRequired."""
    known = _parts(session.identity)
    if known is not None and known[1:3] != _of_token(runtime, profile, session.seal_key, token)[1:3]:
        raise LoginRequired(
            f"the session of {profile.name!r} was made for {known[2]}, and this job is another one",
            hint="run the command again: it then begins a session of its own",
        )


def _is_other_job(runtime: Runtime, profile: Profile, session: Session) -> bool:
    from tokenctl import identity

    known = _parts(session.identity)
    if known is None:
        return True
    job = _job(runtime, profile)
    name = identity.source_name(job)
    source = identity.SOURCES[name]
    if source.ticket is not None:
        return [known[0], known[3]] != [name, _ticket(job, session.seal_key, source.ticket)]
    return known != _of_token(runtime, profile, session.seal_key, source.get(job))


def _of_token(runtime: Runtime, profile: Profile, seal_key: str, token: str) -> list[str]:
    """Return source, issuer, subject and ticket. A token that is not a JWT stands for itself, by its HMAC."""
    from tokenctl import identity
    from tokenctl.oauth.claims import unverified_claims

    job, claims = _job(runtime, profile), unverified_claims(token)
    name = identity.source_name(job)
    ticket = identity.SOURCES[name].ticket
    subject = str(claims["sub"]) if "sub" in claims else _hmac(seal_key, token)
    return [name, str(claims.get("iss", "")), subject, "" if ticket is None else _ticket(job, seal_key, ticket)]


def _ticket(job: "Job", seal_key: str, names: tuple[str, ...]) -> str:
    values = [job.environ.get(name) for name in names]
    return _hmac(seal_key, json.dumps([*values, job.profile.service_connection]))


def _job(runtime: Runtime, profile: Profile) -> "Job":
    from tokenctl.identity.source import Job

    return Job(profile=profile, environ=runtime.environ, send=partial(runtime.send, profile))


def _parts(text: str | None) -> list[str] | None:
    """Read what `of_sign_in` made of an identity token; None when it is something else."""
    try:
        found = json.loads(text or "")
    except ValueError:
        return None
    return found if isinstance(found, list) and len(found) == 4 else None


def _secret_at_hand(runtime: Runtime, profile: Profile) -> str | None:
    signs = profile.auth_method == "private_key_jwt"
    if profile.client_key_file and signs:
        with suppress(UsageError):  # a fresh token needs no key; a renewal tells what is wrong with the file
            return from_key_file(profile.client_key_file)
        return None
    name = VARIABLES.get(profile.flow)
    return None if name is None else of_client(runtime.environ, name, lines=signs)


def _of_secret(seal_key: str, secret: str) -> str:
    return _SECRET + _hmac(seal_key, secret)


def _hmac(seal_key: str, text: str) -> str:
    return hmac.digest(base64.b64decode(seal_key), text.encode(), "sha256").hex()[:32]
