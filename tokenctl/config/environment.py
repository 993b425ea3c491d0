"""Choose the profile, and apply the environment.

A name chooses first (`-p`, `TOKENCTL_PROFILE`); then a variable that says who is asked, which makes the profile `env`
from the environment alone; then the config file. A job never gets a person's token because something was left out.
"""

from collections.abc import Container, Mapping
from dataclasses import replace
from typing import Any

from tokenctl.config import secret_sources, variables
from tokenctl.config.config_file import Config
from tokenctl.errors import UsageError, did_you_mean
from tokenctl.model.profile import CHECKS, ENVIRONMENT_PROFILE, LASTING_STORES, Profile, check_name, from_members
from tokenctl.model.session import MACHINE_FLOWS

SELECTING = ("ISSUER", "CLIENT_ID", "ID_TOKEN")
"""The variables that choose the profile `env`: each says who is asked, or who asks."""


def choose(config: Config, environ: Mapping[str, str], named: str | None = None) -> Profile:
    """Choose the profile, and apply the environment's store and `min_ttl` to it. `named` is the name of `-p`.

    The environment's scope, resource and audience are in `asked`. Raises UsageError.
    """
    name = named or environ.get("TOKENCTL_PROFILE") or None
    check_credentials(environ)
    if is_ad_hoc(config, environ, named):
        profile = ad_hoc(environ)
    else:
        profile = of_file(config, name)
        check_agrees(profile, environ)
        profile = override(profile, variables.settings(environ, ("min_ttl", "store")), "environment")
    if name is None and environ.get("CI"):
        _check_machine(profile)
    check_secrets(profile, environ)
    return profile


def is_ad_hoc(config: Config, environ: Mapping[str, str], named: str | None = None) -> bool:
    """Tell whether the environment alone describes the profile. Raises UsageError for a variable that is empty."""
    name = named or environ.get("TOKENCTL_PROFILE") or None
    selecting = [each for each in SELECTING if variables.is_set(environ, each)]
    for each in selecting:
        # A pull request from a fork has empty secrets. It must not fall through to a person's profile.
        if not (environ.get(f"TOKENCTL_{each}") or environ.get(f"TOKENCTL_{each}_FILE")):
            raise UsageError(f"TOKENCTL_{each} is set and empty", hint="give it a value, or unset it")
    if name is None:
        return bool(selecting)
    return name == ENVIRONMENT_PROFILE and name not in config.profiles


def asked(config: Config, environ: Mapping[str, str], named: str | None = None) -> dict[str, Any]:
    """Return the scope, resource and audience of the environment, where they are others than the chosen profile's.

    Over a profile of the config file they ask for a narrower token, as the options of `token` do. In the profile
    `env` they are the profile's own settings.
    """
    if not any(environ.get(f"TOKENCTL_{name.upper()}") for name in variables.TARGET):
        return {}
    if is_ad_hoc(config, environ, named):
        return {}
    profile = of_file(config, named or environ.get("TOKENCTL_PROFILE") or None)
    members = variables.settings(environ, variables.TARGET)
    wanted = override(profile, members, "environment")
    return {name: getattr(wanted, name) for name in members if _parts(wanted, name) != _parts(profile, name)}


def _parts(profile: Profile, name: str) -> set[str]:
    value = getattr(profile, name) or ()
    return set(value.split() if isinstance(value, str) else value)


def of_file(config: Config, name: str | None) -> Profile:
    """Return the named profile of the config file, else its default, else the only one. Raises UsageError."""
    name = name or config.default_profile
    if name is None and len(config.profiles) == 1:
        name = next(iter(config.profiles))
    if name is None and config.profiles:
        raise UsageError(
            "there are several profiles, and none was named",
            hint=f"add -p NAME or set default_profile; the profiles are: {', '.join(config.profiles)}",
        )
    if name is None:
        raise UsageError(
            "there is no profile yet",
            hint="make one by signing in: tokenctl login -p work --issuer URL --client-id ID (or try it first: tokenctl demo)",
        )
    if name not in config.profiles:
        check_name(name)
        known = f"the profiles are: {', '.join(config.profiles)}" if config.profiles else "there is none yet"
        raise UsageError(
            f"there is no profile {name!r} in {config.path}",
            hint=did_you_mean(name, config.profiles)
            or f"{known}; 'tokenctl login -p {name} --issuer URL --client-id ID' makes it",
        )
    return config.profiles[name]


def ad_hoc(environ: Mapping[str, str], options: Mapping[str, Any] = {}) -> Profile:
    """Make the profile called `env`: each setting can come from `TOKENCTL_<SETTING>`, or from `options`.

    A credential says which flow it is for; a machine keeps nothing, unless TOKENCTL_STORE says otherwise. Raises
    UsageError when the issuer or the client_id is missing, or two credentials leave the flow open.
    """
    members = variables.settings(environ, CHECKS, except_for=options) | dict(options)
    if "api" not in members and ("issuer" not in members or "client_id" not in members):
        raise UsageError(
            "the profile 'env' needs TOKENCTL_ISSUER and TOKENCTL_CLIENT_ID",
            hint="set both, or name another profile with -p",
        )
    preset = _of_credentials(environ, members)
    if members.get("flow", preset.get("flow")) in MACHINE_FLOWS:
        preset["store"] = "memory"
    return from_members(ENVIRONMENT_PROFILE, {**preset, **members}, "environment")


def _of_credentials(environ: Mapping[str, str], members: Container[str]) -> dict[str, Any]:
    """Make the settings that the environment's credentials mean."""
    flows = {"CLIENT_SECRET": "client-credentials", "API_KEY": "api-key", "ID_TOKEN": "workload"}
    meant = [flow for name, flow in flows.items() if variables.is_set(environ, name)]
    if not meant and "client_key_file" in members:
        meant = ["client-credentials"]
    if len(meant) > 1 and "flow" not in members:
        names = " and ".join(f"TOKENCTL_{name}" for name in flows if variables.is_set(environ, name))
        raise UsageError(f"{names} are set, and each is for another flow", hint="set TOKENCTL_FLOW, or unset one")
    preset: dict[str, Any] = {"flow": meant[0]} if meant else {}
    if "token_endpoint_auth_method" not in members and _is_private_key(environ):
        preset["token_endpoint_auth_method"] = "private_key_jwt"
    if variables.is_set(environ, "ID_TOKEN") and "source" not in members:
        path = environ.get("TOKENCTL_ID_TOKEN_FILE")
        preset |= {"source": "file", "source_file": path} if path else {"source": "env"}
    return preset


def _is_private_key(environ: Mapping[str, str]) -> bool:
    """Tell whether the client secret is a private key in PEM, which is never sent as a password."""
    if not variables.is_set(environ, "CLIENT_SECRET"):
        return False
    return (secret_sources.from_environment(environ, "CLIENT_SECRET") or "").startswith("-----BEGIN ")


def check_agrees(profile: Profile, environ: Mapping[str, str]) -> None:
    """Raise UsageError when a variable says that another server, client or job is meant than the profile's."""
    check_server(profile, environ)
    if variables.is_set(environ, "ID_TOKEN") and not _reads_id_token(profile, environ):
        raise UsageError(
            f"TOKENCTL_ID_TOKEN is set, and profile {profile.name!r} does not present it",
            hint="unset TOKENCTL_ID_TOKEN, or name another profile with -p",
        )


def check_server(profile: Profile, environ: Mapping[str, str]) -> None:
    """Raise UsageError when a variable says that another server or client is meant than the profile's."""
    for name in ("issuer", "client_id"):
        variable = f"TOKENCTL_{name.upper()}"
        if variable in environ and environ[variable] != getattr(profile, name):
            said = getattr(profile, name)
            raise UsageError(
                f"profile {profile.name!r} has {f'the {name} {said}' if said else f'no {name}'},"
                f" and {variable} is {environ[variable]!r:.200}",
                hint=f"unset {variable}, or name another profile with -p",
            )


def _reads_id_token(profile: Profile, environ: Mapping[str, str]) -> bool:
    path = environ.get("TOKENCTL_ID_TOKEN_FILE")
    return profile.source_file == path if path else profile.reads_variable("TOKENCTL_ID_TOKEN")


def _check_machine(profile: Profile) -> None:
    if not profile.by_machine and profile.store in LASTING_STORES:
        if profile.name == ENVIRONMENT_PROFILE:
            raise UsageError(
                "CI is set, and the environment has no credential of a machine: TOKENCTL_CLIENT_SECRET is not set",
                hint="set it, or TOKENCTL_CLIENT_SECRET_FILE, TOKENCTL_API_KEY, TOKENCTL_ID_TOKEN, or"
                " TOKENCTL_FLOW=workload; a job gets a person's token only by the name of its profile",
            )
        raise UsageError(
            f"CI is set, and profile {profile.name!r} is a person's: a job gets a person's token only by name",
            hint=f"name it with -p {profile.name}",
        )


def check_credentials(environ: Mapping[str, str]) -> None:
    """Raise UsageError for a credential that is set and empty, or whose file cannot be read."""
    for name in variables.CREDENTIALS:
        if variables.is_set(environ, name):
            secret_sources.from_environment(environ, name)


def check_secrets(profile: Profile, environ: Mapping[str, str]) -> None:
    """Raise UsageError when a secret of the environment may not go to the profile's server.

    A secret belongs to the issuer that the environment names. If none is named, it goes to a profile that is a
    machine's or that names its client authentication, since such a profile asks for a secret.
    """
    if environ.get("TOKENCTL_ISSUER") or profile.by_machine:
        return
    named = profile.auth_method not in (None, "none")
    for name in ("CLIENT_SECRET", "API_KEY"):
        if variables.is_set(environ, name) and not (named and name == "CLIENT_SECRET"):
            raise UsageError(
                f"TOKENCTL_{name} is set, and profile {profile.name!r} is not one that uses it",
                hint=f"unset TOKENCTL_{name}, or say whose secret it is with TOKENCTL_ISSUER and TOKENCTL_CLIENT_ID",
            )


def override(profile: Profile, settings: Mapping[str, Any], where: str) -> Profile:
    """Replace settings of a profile; they are checked like the profile's own. `where` names their source."""
    if not settings:
        return profile
    checked = from_members(profile.name, settings, where)
    return replace(profile, **{name: getattr(checked, name) for name in settings})
