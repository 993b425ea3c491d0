"""What `tokenctl token` does: get a fresh access token, and print it."""

import json
from typing import Any

from tokenctl.cli.actions.fresh import fresh_session
from tokenctl.cli.output import answer
from tokenctl.model.profile import Profile
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults


def print_token(
    runtime: Runtime,
    name: str | None,
    min_ttl: int | None,
    wait: int,
    form: str,
    target: dict[str, Any],
    url: str | None = None,
) -> None:
    """Print a token with at least `min_ttl` seconds left for the `target`, in the form `raw`, `header` or `json`.

    It is of the profile that is bound to the server of `url`, where there is one. Raises TokenctlError.
    """
    profile = runtime.profile(name) if url is None else _profile_for(runtime, name, url)
    vault = vaults.open(runtime, profile)
    session = fresh_session(runtime, vault, runtime.asked(profile) | target, min_ttl, wait)
    if form == "raw":
        answer(session.access_token)
    elif form == "header":
        answer(f"Authorization: {session.token_type} {session.access_token}")
    else:
        document = {
            "access_token": session.access_token,
            "token_type": session.token_type,
            "expires_at": session.expires_at,
            "expires_in": session.remaining(runtime.time_of(session)),
            "scope": session.scope,
            "profile": vault.profile.name,
        }
        answer(json.dumps(document))


def _profile_for(runtime: Runtime, name: str | None, url: str) -> Profile:
    from tokenctl.handoff.binding import profile_for

    return profile_for(runtime, name, url)
