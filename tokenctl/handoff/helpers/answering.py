"""The ordinary way of the helpers: which profile is bound to the asked origin, and a token of the broker."""

import hmac
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from tokenctl.broker import asked
from tokenctl.config.environment import Unbound
from tokenctl.errors import LoginRequired, Refused, TokenctlError
from tokenctl.handoff import binding
from tokenctl.handoff.helpers import again, remembered
from tokenctl.handoff.helpers.question import Answer, Given, Question
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults

if TYPE_CHECKING:
    from tokenctl.handoff.helpers import Helper


def answer(runtime: Runtime, name: str | None, helper: "Helper", question: Question) -> Answer:
    """Answer a question of a client. `name` is the profile of `-p`. Every failure is an answer of the protocol."""
    try:
        return _answered(runtime, name, helper, question)
    except Unbound:
        return question.absent
    except TokenctlError as error:
        return helper.failed(question, error)


def _answered(runtime: Runtime, name: str | None, helper: "Helper", question: Question) -> Answer:
    match question.wants:
        case "nothing":
            return question.answer
        case "origins":
            return helper.found(question, [_shaped(None, each, origin) for each, origin in _bound(runtime, name)], 0)
        case "every token":
            return _every_token(runtime, name, helper, question)
    profile, origin = _profile(runtime, name, question.address)
    if question.wants == "binding":
        return question.answer
    if question.wants == "refusal":
        _note_refusal(runtime, profile, question)
        return question.answer
    if question.user not in ("", profile.shape(origin)["username"]):
        return question.absent
    session = _token(runtime, profile, question)
    return helper.found(question, (_shaped(session, profile, origin),), runtime.time_of(session))


def given(runtime: Runtime, address: str, user: str = "") -> Given | None:
    """Give the token of the profile that binds the address, to a program that asks by no protocol. Raises TokenctlError.

    None where no profile does, or where `user` is another name than the one that the origin wants.
    """
    try:
        profile, origin = _profile(runtime, None, address)
    except Unbound:
        return None
    if user not in ("", profile.shape(origin)["username"]):
        return None
    return _shaped(_token(runtime, profile, Question("token", address)), profile, origin)


def _profile(runtime: Runtime, name: str | None, address: str) -> tuple[Profile, str]:
    """Choose the profile, and the origin that the address means; empty without an address. Raises UsageError, Unbound."""
    if not address:
        return runtime.profile(name), ""
    return binding.bound_profile(runtime, name, address)


def _bound(runtime: Runtime, name: str | None) -> Iterator[tuple[Profile, str]]:
    """List every bound origin, with its profile: of the named one, or of all. Raises UsageError."""
    for profile in binding.profiles(runtime, name):
        for origin in profile.hosts:
            yield profile, origin


def _every_token(runtime: Runtime, name: str | None, helper: "Helper", question: Question) -> Answer:
    """Give the tokens of all bound https origins. One without a token is left out, with the reason on stderr.

    The exit status is that of the first failure only where there is no token at all.
    """
    given: list[Given] = []
    failures: dict[str, TokenctlError] = {}
    sessions: dict[str, Session | None] = {}
    for origin in dict.fromkeys(origin for _, origin in _bound(runtime, name) if origin.startswith("https:")):
        about = ""
        try:
            profile, _ = _profile(runtime, name, origin)  # which fails where two profiles bind the origin
            about = f"{profile.name}: "
            if profile.name not in sessions:
                sessions[profile.name] = None
                sessions[profile.name] = _token(runtime, profile, question)
        except TokenctlError as error:
            failures.setdefault(f"{about}{error.message}", error)
            continue
        session = sessions[profile.name]
        if session is not None:
            given.append(_shaped(session, profile, origin))
    for reason, failure in failures.items():
        runtime.terminal.error(reason, failure.next_step)
    found = helper.found(question, given, runtime.now())
    found.status = next(iter(failures.values())).exit_status if failures and not given else 0
    return found


def _shaped(session: Session | None, profile: Profile, origin: str) -> Given:
    """Return the session's token in the shape that the origin wants; an empty one without a session."""
    shape = profile.shape(origin)
    token, expires_at = ("", None) if session is None else (session.access_token, session.expires_at)
    return Given(token, origin, shape["username"], shape["prefix"], expires_at)


# -- the token ---------------------------------------------------------------------------------------------


def _token(runtime: Runtime, profile: Profile, question: Question) -> Session:
    """Get the token that the client gets: another one than a token that was refused. Raises TokenctlError.

    A refusal that the client only shows by asking again can be none: then the token at hand is better than a failure.
    """
    profile = replace(profile, min_ttl=max(profile.min_ttl, question.min_ttl))
    vault, target = vaults.open(runtime, profile), runtime.asked(profile)
    session = asked.token(runtime, vault, target)
    client, token = again.name_of(question, profile.name), _mark_of(runtime, session)
    noted = token.is_same_token(remembered.read(runtime, _noted(profile)))
    if noted or _seems_refused(runtime, profile, question, client, token):
        vault.forget_copies()  # also where no renewal is possible now
        vault.follow()
        try:
            session = asked.token(runtime, vault, target, refused=session.access_token)
        except TokenctlError as error:
            if noted or question.wants == "another token" or isinstance(error, LoginRequired):
                raise
        else:
            remembered.write(runtime, again.replacement(profile.name), _mark_of(runtime, session))
            if client is not None:
                remembered.write(runtime, _replaced(client), _mark_of(runtime, session))
    if client is not None:
        remembered.write(runtime, client, _mark_of(runtime, session))
    if not session.access_token.isascii() or not session.access_token.isprintable():
        raise Refused(f"the access token of {profile.name!r} has characters that no header can have")
    return session


def _seems_refused(
    runtime: Runtime, profile: Profile, question: Question, client: str | None, token: again.Remembered
) -> bool:
    """Tell whether a client says, or shows by asking again, that a server refused this very token."""
    before, says_so = remembered.read(runtime, client), question.wants == "another token"
    if says_so and client is not None:  # of the token that it got, and once: it can ask for several servers
        had_it = before is None or token.is_same_token(before)
        return had_it and not token.is_same_token(remembered.read(runtime, _replaced(client)))
    refused = says_so or again.was_refused(before, token, question.interval)
    return refused and not again.is_in_vain(remembered.folder(runtime), profile.name, token)


def _note_refusal(runtime: Runtime, profile: Profile, question: Question) -> None:
    """Note that a server refused a token, if it is the one that the profile has. Asks no server. Raises TokenctlError."""
    vault, refused = vaults.open(runtime, profile), question.refused.encode(errors="replace")
    session = vault.newest()
    for each in [*([session] if session is not None else []), *vault.narrower_tokens()]:
        if hmac.compare_digest(each.access_token.encode(), refused):
            remembered.write(runtime, _noted(profile), _mark_of(runtime, each))
            vault.forget_copies()


def _noted(profile: Profile) -> str:
    return f"refused.{profile.name}"


def _replaced(client: str) -> str:
    return f"{client}.replaced"


def _mark_of(runtime: Runtime, session: Session) -> again.Remembered:
    """Return what is remembered of a session's access token."""
    checksum = again.checksum_of(session.access_token)
    return again.Remembered(session.obtained_at, session.expires_at or 0, checksum, runtime.time_of(session))
