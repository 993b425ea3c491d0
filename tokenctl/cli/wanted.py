"""The profile that a login signs in to: one of the config file, perhaps changed by options, a new one, or `env`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import click

from tokenctl import flows
from tokenctl.cli import guided, questions
from tokenctl.cli.answers import Answers
from tokenctl.cli.guided import Described
from tokenctl.config import editing, environment, variables
from tokenctl.config.ad_hoc import ad_hoc
from tokenctl.errors import NoKeyring, TokenctlError, UsageError, did_you_mean
from tokenctl.model.profile import Profile, from_members, members_of
from tokenctl.runtime import Runtime
from tokenctl.storage.lock import exclusive_config

DEFAULT_NAME = "default"
"""The name of the first profile, if the person gives no name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The profile to sign in to, what the config file is to say afterwards (None: no change), and what was agreed.

    `new` tells that the config file does not have the profile; `switches`, that a person agreed to another server or
    client. `secret` is the client's, if the person was asked for it.
    """

    profile: Profile
    saved: Profile | None = None
    new: bool = False
    switches: bool = False
    secret: str | None = field(default=None, repr=False)


def find(
    runtime: Runtime, name: str | None, given: dict[str, Any], answers: Answers, *, switch_account: bool
) -> Wanted:
    """Find the profile to sign in to, or make a new one from the options and a person's answers. Raises UsageError."""
    environ, known = runtime.environ, runtime.config.profiles
    environment.check_variables(environ)
    if environment.is_ad_hoc(runtime.config, environ, name):
        wanted = Wanted(profile=ad_hoc(environ, given))
        environment.check_server(wanted.profile, environ)
        if name is None and "TOKENCTL_PROFILE" not in environ:
            environment.check_job(wanted.profile, environ)
        _check_usable(wanted.profile, environ, given)
    else:
        chosen = _chosen_name(runtime, name, given)
        if chosen is not None and chosen in known:
            wanted = _changed_profile(runtime, known[chosen], given, answers, switch_account=switch_account)
        else:
            members = variables.settings(environ, ("store",), except_for=given)
            new = _new_profile(runtime, chosen, given, answers)
            profile = environment.override(new.profile, members, "environment")
            wanted = Wanted(profile=profile, saved=new.profile, new=True, secret=new.secret)
        environment.check_agrees(wanted.profile, environ)
    environment.check_secrets(wanted.profile, environ)
    return wanted


_OF_SESSION = ("issuer", "client_id", "scope", "resource", "audience", "flow", "source")
"""The settings that a session is made for."""


def _check_usable(profile: Profile, environ: Mapping[str, str], given: dict[str, Any]) -> None:
    """Check that the commands after this login find its session: the profile `env` has nothing but variables.

    Raises UsageError when an option says something that no variable says.
    """
    try:
        alone: Profile | None = ad_hoc(environ)
    except UsageError:
        alone = None
    lost = [each for each in _OF_SESSION if each in given]
    lost = [each for each in lost if alone is None or getattr(alone, each) != getattr(profile, each)]
    if lost:
        options = " and ".join(f"--{each.replace('_', '-')}" for each in lost)
        settings = " and ".join(f"TOKENCTL_{each.upper()}" for each in lost)
        raise UsageError(
            f"the profile {profile.name!r} is made of variables alone, so later commands would know nothing of {options}",
            hint=f"set {settings} instead, or sign in to a profile that is saved: -p NAME",
        )


def _chosen_name(runtime: Runtime, name: str | None, given: dict[str, Any]) -> str | None:
    """Return the profile's name; None for the first profile, if no name was given. Raises UsageError."""
    known = runtime.config.profiles
    wanted = name or runtime.environ.get("TOKENCTL_PROFILE") or runtime.config.default_profile
    if wanted is None and len(known) == 1 and "issuer" not in given:
        wanted = next(iter(known))
    if wanted is None and known:
        raise UsageError(
            "say which profile to sign in to, with -p NAME",
            hint=f"the profiles are: {', '.join(known)}; another name makes a new one",
        )
    return wanted or None


def _changed_profile(
    runtime: Runtime, profile: Profile, given: dict[str, Any], answers: Answers, *, switch_account: bool
) -> Wanted:
    """Apply the options to a profile of the config file. Another server or client must be meant. Raises UsageError."""
    changed = environment.override(profile, given, "option")
    switches = False
    for key in ("issuer", "client_id"):
        was, now = getattr(profile, key), getattr(changed, key)
        if was in (None, now) or switch_account or switches:
            continue
        switches = runtime.terminal.attended and runtime.terminal.confirm(
            f"profile {profile.name!r} has the {key} {was}; sign in with {now} instead, and save that?"
        )
        if not switches:
            raise UsageError(
                f"profile {profile.name!r} has another {key}: {was}",
                hint=f"choose another name with -p, or say --switch-account to change profile {profile.name!r}",
            )
    secret = None
    if runtime.terminal.attended and _lacking(changed):
        described = guided.describe(runtime, profile.name, members_of(changed), answers, profile.name)
        changed, secret = described.profile, described.secret
    store = variables.settings(runtime.environ, ("store",), except_for=given)
    return Wanted(
        profile=environment.override(changed, store, "environment"),
        saved=None if changed == profile else changed,
        switches=switches,
        secret=secret,
    )


def _lacking(profile: Profile) -> list[str]:
    """List the options that a profile needs and does not have."""
    if not flows.of(profile.flow).needs_client_id:
        return []
    return [option for key, option in _NEEDED.items() if getattr(profile, key) is None]


def _new_profile(runtime: Runtime, name: str | None, members: Mapping[str, Any], answers: Answers) -> Described:
    """Make a new profile from the options; at a terminal, ask for what they lack. Raises UsageError."""
    given = from_members(name or DEFAULT_NAME, members, "option")
    if not flows.of(given.flow).needs_client_id:
        return Described(profile=questions.ask_for_profile(runtime, given.name, dict(members), answers))
    lacking = _lacking(given)
    if lacking and runtime.terminal.attended:
        return guided.describe(runtime, name, members, answers, DEFAULT_NAME)
    if lacking:
        raise UsageError(
            f"there is no profile {given.name!r} yet, and {' and '.join(lacking)} {'are' if lacking[1:] else 'is'} missing",
            hint=did_you_mean(given.name, runtime.config.profiles)
            or f"tokenctl login -p {given.name} --issuer URL --client-id ID; without them it asks, at a terminal",
        )
    return Described(profile=given)


_NEEDED = {"issuer": "--issuer URL", "client_id": "--client-id ID"}


def in_a_file(runtime: Runtime, wanted: Wanted, given: Mapping[str, Any], error: NoKeyring) -> Wanted:
    """Where no keyring can keep the session, ask the person whether an encrypted file may, and save that too.

    Raises the error when nobody can be asked, when a store was named, when the answer is no, or when no profile could
    say later where the session is.
    """
    named = "store" in given or variables.is_set(runtime.environ, "STORE")
    saved = wanted.saved or runtime.config.profiles.get(wanted.profile.name)
    if named or saved is None or not runtime.terminal.attended:
        raise error
    runtime.terminal.warning(error.message)
    if not runtime.terminal.confirm("keep the session in a file instead, encrypted with a passphrase that you choose?"):
        raise error
    profile, saved = (environment.override(each, IN_A_FILE, "answer") for each in (wanted.profile, saved))
    return replace(wanted, profile=profile, saved=saved)


IN_A_FILE = {"store": "file"}
"""The setting of a profile whose session needs no keyring."""


def again(runtime: Runtime, answers: Answers, wanted: Wanted, error: TokenctlError) -> bool:
    """After a failure, ask the person who answered questions whether to try again; else whether to keep the answers.

    Returns False when nothing was asked.
    """
    terminal, profile = runtime.terminal, wanted.saved
    if not answers or profile is None or not terminal.attended:
        return False
    terminal.error(error.message, error.next_step)
    if terminal.confirm("try again? your answers are the values in brackets then"):
        return True
    if terminal.confirm(f"save your answers as profile {profile.name} all the same? no secret is in it"):
        with exclusive_config(runtime.environ):
            editing.save(runtime.config, profile)
        terminal.message(f"saved in {runtime.config.path}; to sign in, {profile.login_hint}")
    raise click.exceptions.Exit(error.exit_status)
