"""What `tokenctl login` does: sign in once, and save the profile."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import click

from tokenctl import flows
from tokenctl.broker import login
from tokenctl.cli.answers import Answers
from tokenctl.cli.output import answer
from tokenctl.cli.saving import save
from tokenctl.cli.spelled import same_login
from tokenctl.cli.views import document
from tokenctl.cli.wanted import IN_A_FILE, Wanted, again, find, in_a_file
from tokenctl.config import editing
from tokenctl.config.secret_sources import from_stdin, sendable
from tokenctl.errors import NoKeyring, TokenctlError, UsageError, explained_on
from tokenctl.flows import clients, sign_in, ways
from tokenctl.flows.flow import SecretKind, SignIn
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults
from tokenctl.storage.vault import Vault

INTERRUPTED = 130
"""The exit status after Ctrl-C."""


@explained_on("signing-in")
def log_in(
    runtime: Runtime,
    name: str | None,
    options: Mapping[str, Any],
    *,
    stdin: Mapping[str, bool],
    no_browser: bool,
    timeout: int,
    switch_account: bool,
    if_needed: bool,
    as_json: bool,
) -> None:
    """Sign in with these settings of a profile, and ask for those that are missing.

    `stdin` has the options that read a secret there, and whether each was given. `timeout` is seconds. Raises
    TokenctlError.
    """
    given, answers = _members(options), Answers(runtime.terminal)
    prepare = partial(_prepare, runtime, answers=answers, stdin=stdin, no_browser=no_browser, timeout=timeout)
    session = None
    while session is None:
        wanted = find(runtime, name, given, answers, switch_account=switch_account)
        runtime.warn_of_variables(wanted.profile, name)
        if if_needed and wanted.saved is None and (good := login.good(runtime, wanted.profile)):
            _report_good(runtime, *good, as_json=as_json)
            return
        try:
            try:
                vault, start = prepare(wanted)
            except NoKeyring as error:
                wanted = in_a_file(runtime, wanted, given, error)
                given |= IN_A_FILE  # for the next try
                vault, start = prepare(wanted)
            session = login.login(runtime, vault, start, switch_account=switch_account or wanted.switches)
        except TokenctlError as error:
            if not again(runtime, answers, wanted, error):
                raise
        except KeyboardInterrupt:
            command_line = same_login(wanted.saved) if answers and wanted.saved else None
            if command_line is None or wanted.secret is not None:  # no option takes a secret
                raise
            runtime.terminal.error("interrupted", "to go on with the same answers:")
            runtime.terminal.plain_line(command_line)
            raise click.exceptions.Exit(INTERRUPTED) from None
    saved = save(runtime, wanted, session)
    _report(runtime, vault, session, wanted, saved=saved)
    if as_json:
        answer(document.as_text(document.of_session(runtime, vault, session)))


def _prepare(
    runtime: Runtime,
    wanted: Wanted,
    *,
    answers: Answers,
    stdin: Mapping[str, bool],
    no_browser: bool,
    timeout: int,
) -> tuple[Vault, SignIn]:
    """Check everything that could fail later now, so that a person does not sign in for nothing. Raises TokenctlError."""
    profile = wanted.profile
    kind = flows.of(profile.flow).secret
    _check_stdin(profile, kind, stdin)
    if wanted.saved is not None:
        editing.check(runtime.config, wanted.saved)
    vault = vaults.open_for_login(runtime, profile)
    login.check(vault)
    if any(stdin.values()):
        secret: str | None = _read_stdin(profile, kind)
    else:
        secret = wanted.secret or _find_secret(runtime, vault, kind, answers)
    before = login.stored(vault) if secret else None
    start = sign_in.prepare(runtime, profile, secret, stored=before, no_browser=no_browser, timeout=timeout)
    ways.check_person(start)
    return vault, start


def _check_stdin(profile: Profile, kind: SecretKind, given: Mapping[str, bool]) -> None:
    if any(wanted and option != kind.option for option, wanted in given.items()):
        raise UsageError(
            f"the {profile.flow} flow does not use the secret on stdin",
            hint="use --api-key-stdin for --flow api-key, and --client-secret-stdin for other flows",
        )


def _find_secret(runtime: Runtime, vault: Vault, kind: SecretKind, answers: Answers) -> str | None:
    """Find the client secret: in the environment, in the store (for a client that signs in again), or ask for it."""
    profile, method = vault.profile, vault.profile.auth_method
    if profile.by_machine or method != "none":
        secret = clients.secret_at_hand(runtime, vault, kind, method, login.stored(vault))
    else:
        secret = clients.secret_outside(runtime, profile, kind, method)
    if secret is None and _needs_secret(profile) and runtime.terminal.attended:
        secret = answers.ask_secret(kind.name)
        if secret is None or not sendable(secret):
            raise UsageError(
                f"no {kind.name} was given, or one with a control character in it",
                hint=f"try again, or set TOKENCTL_{kind.variable}_FILE to a file that has it",
            )
    return secret


def _needs_secret(profile: Profile) -> bool:
    """Tell whether the profile's client has a secret that a person can type."""
    if profile.client_key_file or profile.auth_method == "private_key_jwt":
        return False
    of_machine = profile.by_machine and not flows.of(profile.flow).by_platform
    return of_machine or profile.auth_method not in (None, "none")


def _read_stdin(profile: Profile, kind: SecretKind) -> str:
    return from_stdin(kind.option, kind.name, lines=profile.auth_method == "private_key_jwt")


def _members(options: Mapping[str, Any]) -> dict[str, Any]:
    """Make a profile's members from the options that were given."""
    members = {key: value for key, value in options.items() if value not in (None, ())}
    if "scope" in members:
        members["scope"] = " ".join(" ".join(members["scope"]).split())
    if "param" in members:
        pairs = [each.partition("=") for each in members.pop("param")]
        for key, equals, _ in pairs:
            if not equals or not key:
                raise UsageError(f"--param {key!r:.60} is not written as NAME=VALUE")
        members["params"] = {key: value for key, _, value in pairs}
    return members


def _report_good(runtime: Runtime, vault: Vault, session: Session, *, as_json: bool) -> None:
    who, life = session.account or session.client_id, document.life(session.remaining(runtime.time_of(session)))
    runtime.terminal.message(f"{vault.profile.name} is signed in as {who}; the access token {life}")
    if as_json:
        answer(document.as_text(document.of_session(runtime, vault, session)))


def _report(runtime: Runtime, vault: Vault, session: Session, wanted: Wanted, *, saved: bool) -> None:
    terminal, name = runtime.terminal, vault.profile.name
    who = session.account or session.client_id
    life = document.life(session.remaining(runtime.time_of(session)))
    if vault.lasting:
        terminal.message(
            f"signed in to {name} as {who}; kept in {document.store_name(vault.store.kind, vault.store.backend)}"
        )
        renews = (
            "and renews itself"
            if session.refresh_token or session.by_machine
            else "and cannot be renewed: the server gave no refresh token"
        )
        terminal.message(f"the access token {life} {renews}")
    else:
        terminal.message(f"signed in to {name} as {who}; nothing is kept, each command signs in again")
    if saved:
        terminal.message(f"saved as profile {name} in {runtime.config.path}")
    if wanted.new:
        terminal.hint(f"try: tokenctl show{'' if not runtime.config.profiles else f' -p {name}'}")
