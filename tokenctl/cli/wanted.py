"""The profile that a login signs in to: one of the config file, perhaps changed by options, a new one, or `env`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tokenctl import flows
from tokenctl.cli import questions
from tokenctl.config import environment, variables
from tokenctl.errors import UsageError, did_you_mean
from tokenctl.model.profile import Profile, from_members
from tokenctl.runtime import Runtime

DEFAULT_NAME = "default"
"""The name of the first profile, if the person gives no name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The profile to sign in to, what the config file is to say afterwards (None: no change), and what was agreed.

    `new` tells that the config file does not have the profile; `switches`, that a person agreed to another server or
    client.
    """

    profile: Profile
    saved: Profile | None = None
    new: bool = False
    switches: bool = False


def find(runtime: Runtime, name: str | None, given: dict[str, Any], *, switch_account: bool) -> Wanted:
    """Find the profile to sign in to, or make a new one from the options. Raises UsageError."""
    environ, known = runtime.environ, runtime.config.profiles
    environment.check_credentials(environ)
    if environment.is_ad_hoc(runtime.config, environ, name):
        wanted = Wanted(profile=environment.ad_hoc(environ, given))
        environment.check_server(wanted.profile, environ)
        _check_usable(wanted.profile, environ, given)
    else:
        chosen = _chosen_name(runtime, name, given)
        if chosen in known:
            wanted = _changed_profile(runtime, known[chosen], given, switch_account=switch_account)
        else:
            members = variables.settings(environ, ("store",), except_for=given)
            new = _new_profile(runtime, chosen, given)
            profile = environment.override(new, members, "environment")
            wanted = Wanted(profile=profile, saved=new, new=True)
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
        alone: Profile | None = environment.ad_hoc(environ)
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


def _chosen_name(runtime: Runtime, name: str | None, given: dict[str, Any]) -> str:
    known = runtime.config.profiles
    wanted = name or runtime.environ.get("TOKENCTL_PROFILE") or runtime.config.default_profile
    if wanted is None and len(known) == 1 and "issuer" not in given:
        wanted = next(iter(known))
    if wanted is None and known:
        raise UsageError(
            "say which profile to sign in to, with -p NAME",
            hint=f"the profiles are: {', '.join(known)}; another name makes a new one",
        )
    return wanted or DEFAULT_NAME


def _changed_profile(runtime: Runtime, profile: Profile, given: dict[str, Any], *, switch_account: bool) -> Wanted:
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
    store = variables.settings(runtime.environ, ("store",), except_for=given)
    return Wanted(
        profile=environment.override(changed, store, "environment"),
        saved=None if changed == profile else changed,
        switches=switches,
    )


def _new_profile(runtime: Runtime, name: str, members: dict[str, Any]) -> Profile:
    if not flows.of(members.get("flow", "auto")).needs_client_id:
        return questions.ask_for_profile(runtime, name, members)
    for key, option in (("issuer", "--issuer URL"), ("client_id", "--client-id ID")):
        if key not in members:
            raise UsageError(
                f"there is no profile {name!r} yet, and {option} is missing",
                hint=did_you_mean(name, runtime.config.profiles)
                or f"tokenctl login -p {name} --issuer URL --client-id ID",
            )
    return from_members(name, members, "option")
