"""The questions of `tokenctl login` at a terminal, for a person who has nothing but the address of a server.

What an option or the profile says is not asked. What the server's metadata offers is the choice. A wrong answer is said at
once, and asked again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tokenctl.adapters.redirect_listener import FIXED_PORT, listening
from tokenctl.cli.answers import NONE, Answers
from tokenctl.cli.issuer_answer import find_server, without_metadata
from tokenctl.config import variables
from tokenctl.config.secret_sources import sendable
from tokenctl.errors import Refused, UsageError
from tokenctl.flows import ways
from tokenctl.flows.discovery import discover
from tokenctl.flows.ways import Way
from tokenctl.model import profile_checks as check
from tokenctl.model.profile import Profile, check_name, from_members
from tokenctl.oauth.metadata import Metadata
from tokenctl.runtime import Runtime

USUAL_SCOPES = ("openid", "offline_access")
"""The scopes that a login asks for, where the server lists them: who the person is, and a refresh token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """The profile that a person described, and the client's secret, which is in no profile."""

    profile: Profile
    secret: str | None = field(default=None, repr=False)


def describe(
    runtime: Runtime, name: str | None, members: Mapping[str, Any], answers: Answers, usual_name: str
) -> Described:
    """Ask for what `members` lack, and for the profile's name if it has none yet.

    Raises UsageError when the person gives no answer, or Refused when the server offers no way to sign in.
    """
    given = from_members(name or usual_name, members, "option")  # before the questions, so that no answer is lost
    runtime.terminal.instruction("an empty answer means the value in brackets; Ctrl-C ends the questions")
    server, endpoints = _server(runtime, given, answers)
    found = {**members, "issuer": server.issuer, **endpoints}
    if "client_id" not in members:
        found["client_id"] = answers.ask("client ID (from the registration at the server)", read=_text)
    way = _way(runtime, server, given, answers)
    secret = None
    if way is not None:
        found["flow"] = way.flow
        secret = _secret(runtime, server, given, way, answers)
        found |= _scope(runtime, server, members, way, answers)
        found |= _redirect(runtime, members, way, answers)
    if name is None:
        name = answers.ask("name of this profile", usual_name, partial(_new_name, runtime))
    return Described(profile=from_members(name, found, "answer"), secret=secret)


def _server(runtime: Runtime, given: Profile, answers: Answers) -> tuple[Metadata, Mapping[str, str]]:
    """Find the server of the given issuer, or ask for the issuer until there is a server; with endpoints to save."""
    if given.issuer is not None:
        return find_server(runtime, given, given.issuer), {}
    found: list[tuple[Metadata, Mapping[str, str]]] = []

    def read(typed: str) -> str:
        try:
            found.append((find_server(runtime, given, typed), {}))
        except Refused as error:
            runtime.terminal.warning(error.message)
            if not runtime.terminal.confirm("does the server's documentation name its endpoints, and you enter them?"):
                raise UsageError("another address is needed then", hint=error.hint) from None
            described = without_metadata(given, typed, answers)
            found.append((discover(runtime, described), described.endpoints))
        return found[-1][0].issuer

    answers.ask("issuer (the server's address, such as login.example.com)", read=read)
    return found[-1]


def _text(typed: str) -> str:
    return check.text(typed, "this")


def _way(runtime: Runtime, server: Metadata, given: Profile, answers: Answers) -> Way | None:
    """Ask how to sign in, if the server leaves a choice; None for a flow that needs no such questions."""
    if ways.is_named(given.flow):
        return ways.of(given.flow)
    offered = ways.offered(server, browser=runtime.browser.present)
    if not offered:
        raise Refused(f"{server.issuer} offers no way to sign in that tokenctl knows")
    if len(offered) == 1:
        runtime.terminal.instruction(f"the server offers one way to sign in: {offered[0].words}")
        return offered[0]
    runtime.terminal.instruction("the server offers these ways to sign in:")
    for number, each in enumerate(offered, 1):
        runtime.terminal.plain_line(f"  {number}  {each.flow}: {each.words}")
    names = {str(number): each.flow for number, each in enumerate(offered, 1)}
    chosen = answers.ask("how to sign in", offered[0].flow, partial(_one_of, names))
    return ways.of(chosen)


def _one_of(names: Mapping[str, str], typed: str) -> str:
    if typed not in names and typed not in names.values():
        raise UsageError(f"this must be one of {', '.join(names)}")
    return names.get(typed, typed)


def _secret(runtime: Runtime, server: Metadata, given: Profile, way: Way, answers: Answers) -> str | None:
    """Ask for the client's secret, unless it has none, or has it in a file or in the environment."""
    methods = server.token_endpoint_auth_methods_supported
    elsewhere = (
        given.auth_method == "none" or given.client_key_file or variables.is_set(runtime.environ, "CLIENT_SECRET")
    )
    if elsewhere or (methods and set(methods) == {"none"}):
        return None
    while True:
        typed = answers.ask_secret("client secret", "" if way.needs_secret else "it has none")
        if typed is None:
            raise UsageError("client secret: no answer")
        if not typed and not way.needs_secret:
            return None
        if sendable(typed):
            return typed
        runtime.terminal.warning("this must be the secret alone, on one line")


def _scope(
    runtime: Runtime, server: Metadata, members: Mapping[str, Any], way: Way, answers: Answers
) -> dict[str, str]:
    if "scope" in members:
        return {}
    listed = server.scopes_supported
    if listed:
        runtime.terminal.instruction(f"the server lists these scopes: {' '.join(listed):.1000}")
    usual = [each for each in USUAL_SCOPES if way.of_person and each in (listed or ())]
    scope = answers.ask(f"scopes, separated by blanks ({NONE} for none)", " ".join(usual) or NONE, _text)
    return {} if scope == NONE else {"scope": " ".join(scope.replace(",", " ").split())}


def _redirect(runtime: Runtime, members: Mapping[str, Any], way: Way, answers: Answers) -> dict[str, Any]:
    """Say which redirect URI to register, or let the person say which one is registered."""
    if not way.redirects or "port" in members or "redirect_uri" in members:
        return {}
    terminal, usual = runtime.terminal, f"http://127.0.0.1:{FIXED_PORT}/callback"
    terminal.instruction("register this redirect URI at the server, exactly as it stands here:")
    terminal.plain_line(usual)
    answer = answers.ask(f"redirect URI ({NONE} for any port)", usual, _free_redirect)
    if answer == NONE:
        return {}
    if answer == usual:
        return {"port": FIXED_PORT}
    return {"port": int(answer)} if answer.isdecimal() else {"redirect_uri": answer}


def _free_redirect(typed: str) -> str:
    """Check that this machine can listen there. Raises UsageError."""
    if typed == NONE:
        return typed
    if typed.isdecimal():
        with listening(port=check.port(int(typed), "the port")):
            return typed
    with listening(typed):
        return typed


def _new_name(runtime: Runtime, typed: str) -> str:
    if typed in runtime.config.profiles:
        raise UsageError(f"there is a profile {typed!r} already")
    return check_name(typed)
