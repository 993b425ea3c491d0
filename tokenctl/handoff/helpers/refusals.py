"""The token that a client gets: another one where a server refused the one that the session has.

A client says so, or shows it by asking again; see `again`. What was given and what was refused is remembered in small
files, and no answer depends on them.
"""

import contextlib
import hmac
import os
import time
from dataclasses import replace
from pathlib import Path

from tokenctl.adapters.private_files import ensure_private_folder
from tokenctl.broker import asked
from tokenctl.broker.current import PASSING
from tokenctl.errors import Refused, TokenctlError
from tokenctl.handoff.helpers import again
from tokenctl.handoff.helpers.question import Question
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage import state_dir
from tokenctl.storage import vault as vaults

_ENDED = 86400
"""Seconds after which a client is not expected to ask again."""


def good_token(runtime: Runtime, profile: Profile, question: Question) -> Session:
    """Return a session with the token that the client gets: another one where it was refused. Raises TokenctlError.

    A refusal that the client only shows by asking again can be none: then the token at hand is better than a failure.
    """
    profile = replace(profile, min_ttl=max(profile.min_ttl, question.min_ttl))
    vault, target = vaults.open(runtime, profile), runtime.asked(profile)
    session = asked.token(runtime, vault, target)
    client, token = again.name_of(question, profile.name), _remembered(runtime, session)
    noted = token.is_same_token(_read(runtime, _noted(profile)))
    if noted or _seems_refused(runtime, profile, question, client, token):
        vault.forget_copies()  # also where no renewal is possible now
        vault.follow()
        try:
            session = asked.token(runtime, vault, target, refused=session.access_token)
        except PASSING:
            if noted or question.wants == "another token":
                raise
        else:
            _write(runtime, again.replacement(profile.name), _remembered(runtime, session))
    if client is not None:
        _write(runtime, client, _remembered(runtime, session))
    if not session.access_token.isascii() or not session.access_token.isprintable():
        raise Refused(f"the access token of {profile.name!r} has characters that no header can have")
    return session


def _seems_refused(
    runtime: Runtime, profile: Profile, question: Question, client: str | None, token: again.Remembered
) -> bool:
    """Tell whether a client says, or shows by asking again, that a server refused this very token."""
    before = _read(runtime, client)
    said = question.wants == "another token" and before is None
    refused = said or again.was_refused(before, token, question.interval)
    return refused and not again.is_in_vain(_folder(runtime), profile.name, token)


def note(runtime: Runtime, profile: Profile, question: Question) -> None:
    """Note that a server refused a token, if it is the one that the profile has. Asks no server. Raises TokenctlError."""
    vault, refused = vaults.open(runtime, profile), question.refused.encode(errors="replace")
    session = vault.newest()
    for each in [*([session] if session is not None else []), *vault.narrower_tokens()]:
        if hmac.compare_digest(each.access_token.encode(), refused):
            _write(runtime, _noted(profile), _remembered(runtime, each))
            vault.forget_copies()


# -- what is remembered ------------------------------------------------------------------------------------


def _noted(profile: Profile) -> str:
    return f"refused.{profile.name}"


def _remembered(runtime: Runtime, session: Session) -> again.Remembered:
    checksum = again.checksum_of(session.access_token)
    return again.Remembered(session.obtained_at, session.expires_at or 0, checksum, runtime.time_of(session))


def _read(runtime: Runtime, name: str | None) -> again.Remembered | None:
    with contextlib.suppress(TokenctlError):
        return None if name is None else again.read(_folder(runtime), name)
    return None


def _write(runtime: Runtime, name: str, token: again.Remembered) -> None:
    """Remember a token, if that is possible: no answer depends on it. The folder is made when the first one is."""
    with contextlib.suppress(OSError, TokenctlError):
        folder = _folder(runtime)
        ensure_private_folder(Path(folder))
        again.write(folder, name, token)
        for each in os.scandir(folder):  # another process may remove the same
            if each.name.startswith("client.") and each.stat(follow_symlinks=False).st_mtime < time.time() - _ENDED:
                os.unlink(each.path)


def _folder(runtime: Runtime) -> str:
    """Return the folder of the helpers in the state directory. Raises TokenctlError."""
    return str(state_dir.state_home(runtime.environ) / again.FOLDER)
