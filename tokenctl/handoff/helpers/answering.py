"""The ordinary way of the helpers: which profile is bound to the asked origin, and the answer with its token."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tokenctl.config.environment import Unbound
from tokenctl.errors import TokenctlError
from tokenctl.handoff import binding
from tokenctl.handoff.helpers import refusals
from tokenctl.handoff.helpers.question import Answer, Given, Question
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime

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
        refusals.note(runtime, profile, question)
        return question.answer
    if question.user not in ("", profile.shape(origin)["username"]):
        return question.absent
    session = refusals.good_token(runtime, profile, question)
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
    return _shaped(refusals.good_token(runtime, profile, Question("token", address)), profile, origin)


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
                sessions[profile.name] = refusals.good_token(runtime, profile, question)
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
