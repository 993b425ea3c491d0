"""Choose the profile, and apply the environment.

A name chooses first (`-p`, `TOKENCTL_PROFILE`); then a variable that says who is asked, which makes the profile `env`
from the environment alone; then the config file. A job never gets a person's token because something was left out.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tokenctl.config import secret_sources, variables
from tokenctl.config.ad_hoc import SELECTING, ad_hoc, check_credential, reads_id_token
from tokenctl.config.config_file import Config
from tokenctl.errors import UsageError, did_you_mean, explained_on
from tokenctl.model.choices import LASTING_STORES
from tokenctl.model.profile import ENVIRONMENT_PROFILE, Profile, check_name, from_members

JOBS = (
    ("CI",),
    ("TF_BUILD",),
    ("JENKINS_URL", "BUILD_ID"),
    ("TEAMCITY_VERSION",),
    ("CODEBUILD_BUILD_ID",),
    ("BITBUCKET_BUILD_NUMBER",),
)
"""The variables that a CI system sets in each job. Not every system sets `CI`: these are Azure Pipelines, Jenkins,
TeamCity, AWS CodeBuild and Bitbucket."""


class Unbound(UsageError):
    """No profile, or not the one that is named, may give its token to the origin."""


@explained_on("environment")
def choose(config: Config, environ: Mapping[str, str], named: str | None = None) -> Profile:
    """Choose the profile, and apply the environment's store and `min_ttl` to it. `named` is the name of `-p`.

    The environment's scope, resource and audience are in `asked`. Raises UsageError.
    """
    name = named or environ.get("TOKENCTL_PROFILE") or None
    check_variables(environ)
    if is_ad_hoc(config, environ, named):
        profile = ad_hoc(environ)
        check_credential(profile, environ)
    else:
        if name is None and not config.profiles:
            _check_meant(environ)
        profile = of_file(config, name)
        check_agrees(profile, environ)
        profile = override(profile, variables.settings(environ, ("min_ttl", "store", "cache")), "environment")
    if name is None:
        check_job(profile, environ)
    check_secrets(profile, environ)
    return profile


def reason(config: Config, environ: Mapping[str, str], named: str | None = None) -> str:
    """Say why `choose` returns the profile that it returns."""
    if named:
        return "-p names it"
    if environ.get("TOKENCTL_PROFILE"):
        return "TOKENCTL_PROFILE names it"
    if is_ad_hoc(config, environ):
        names = [f"TOKENCTL_{each}{end}" for each in SELECTING for end in ("", "_FILE")]
        return f"{' and '.join(each for each in names if each in environ)} describe it in the environment"
    return "it is the default_profile" if config.default_profile else "it is the only one"


@explained_on("environment")
def choose_for(config: Config, environ: Mapping[str, str], named: str | None, origin: str) -> Profile:
    """Choose the profile that may give its token to the origin; see `choose`. Raises UsageError.

    A named profile, or that of the environment, must be bound to the origin. Else it is the one profile that is.
    """
    name = named or environ.get("TOKENCTL_PROFILE") or None
    if name is None and not is_ad_hoc(config, environ):
        profile = choose(config, environ, bound_to(config, origin))
        check_job(profile, environ)
        return profile
    profile = choose(config, environ, named)
    if origin not in profile.hosts:
        raise Unbound(f"profile {profile.name!r} is not bound to {origin}", hint=_how_to_bind(profile.name, origin))
    return profile


def bound_to(config: Config, origin: str) -> str:
    """Return the name of the one profile that is bound to the origin.

    A profile with a mistake is not bound to anything. Raises UsageError, also when two profiles are bound to it: which
    account is meant cannot be known then.
    """
    names, mistake = [], None
    for name in config.profiles:
        try:
            names += [name] if origin in config.profiles[name].hosts else []
        except UsageError as error:
            mistake = mistake or error
    if len(names) == 1:
        return names[0]
    if names:
        raise bound_twice(names, origin, origin)
    if mistake is not None:
        raise mistake
    only = next(iter(config.profiles)) if len(config.profiles) == 1 else "NAME"
    raise Unbound(f"no profile is bound to {origin}", hint=_how_to_bind(only, origin))


def bound_twice(names: list[str], address: str, origin: str) -> UsageError:
    """Make the error for profiles that are bound to the same address; `origin` is what one of them has for it."""
    return UsageError(
        f"the profiles {' and '.join(map(repr, names[:2]))} are both bound to {address}",
        hint=f"name one with -p, or: tokenctl profile set {names[1]} hosts-={origin}",
    )


def readable(config: Config) -> list[Profile]:
    """List the profiles without a mistake. Raises UsageError when there are profiles, and all have one."""
    found, mistake = [], None
    for name in config.profiles:
        try:
            found.append(config.profiles[name])
        except UsageError as error:
            mistake = mistake or error
    if mistake is not None and not found:
        raise mistake
    return found


def _how_to_bind(name: str, origin: str) -> str:
    if name == ENVIRONMENT_PROFILE:
        return f"set TOKENCTL_HOSTS={origin} if that server may get the token"
    return f"if that server may get the token: tokenctl profile set {name} hosts+={origin}"


def _check_meant(environ: Mapping[str, str]) -> None:
    """Raise UsageError where there is no profile and the environment seems to be meant to describe one."""
    secrets = [f"TOKENCTL_{name}" for name in ("CLIENT_SECRET", "API_KEY") if variables.is_set(environ, name)]
    said = f"{secrets[0]} is set" if secrets else job_of(environ)
    if said:
        raise UsageError(
            f"{said}, and nothing says who is asked: TOKENCTL_ISSUER and TOKENCTL_CLIENT_ID are not set",
            hint="set both, and a credential such as TOKENCTL_CLIENT_SECRET; 'tokenctl help ci' has examples",
        )


def is_ad_hoc(config: Config, environ: Mapping[str, str], named: str | None = None) -> bool:
    """Tell whether the environment alone describes the profile. Its variables are checked: see `check_variables`."""
    name = named or environ.get("TOKENCTL_PROFILE") or None
    if name is None:
        return any(variables.is_set(environ, each) for each in SELECTING)
    return name == ENVIRONMENT_PROFILE and name not in config.profiles


def asked(environ: Mapping[str, str], profile: Profile) -> dict[str, Any]:
    """Return the scope, resource and audience of the environment, where they are others than the chosen profile's.

    Over a profile of the config file they ask for a narrower token, as the options of `token` do. In the profile
    `env` they are the profile's own settings, and so they are no others.
    """
    if not any(environ.get(f"TOKENCTL_{name.upper()}") for name in variables.TARGET):
        return {}
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
            hint=f"add -p NAME, or choose one with 'tokenctl profile default NAME'; the profiles are:"
            f" {', '.join(config.profiles)}",
        )
    if name is None:
        raise UsageError(
            "there is no profile yet",
            hint="make one by signing in: tokenctl login -p work --issuer URL --client-id ID (or try it first: tokenctl demo)",
            page="signing-in",
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


def check_agrees(profile: Profile, environ: Mapping[str, str]) -> None:
    """Raise UsageError when a variable says that another server, client or job is meant than the profile's."""
    check_server(profile, environ)
    if variables.is_set(environ, "ID_TOKEN") and not reads_id_token(profile, environ):
        raise UsageError(
            f"TOKENCTL_ID_TOKEN is set, and profile {profile.name!r} does not present it",
            hint="unset TOKENCTL_ID_TOKEN, or name another profile with -p",
        )


def check_server(profile: Profile, environ: Mapping[str, str]) -> None:
    """Raise UsageError when a variable says that another server or client is meant than the profile's."""
    for name in ("issuer", "client_id"):
        variable = f"TOKENCTL_{name.upper()}"
        if variable in environ and environ[variable].rstrip("\r\n") != getattr(profile, name):
            said = getattr(profile, name)
            raise UsageError(
                f"profile {profile.name!r} has {f'the {name} {said}' if said else f'no {name}'},"
                f" and {variable} is {environ[variable]!r:.200}",
                hint=f"unset {variable}, or name another profile with -p",
            )


def job_of(environ: Mapping[str, str]) -> str | None:
    """Say how it is known that this is a job of a CI system; None when it is not."""
    found = next((each for each in JOBS if all(environ.get(name) for name in each)), None)
    return f"{' and '.join(found)} {'is' if len(found) == 1 else 'are'} set" if found else None


def check_job(profile: Profile, environ: Mapping[str, str]) -> None:
    """Raise UsageError when a job of a CI system would get a person's profile that it did not name."""
    job = job_of(environ)
    if job and not profile.by_machine and profile.store in LASTING_STORES:
        if profile.name == ENVIRONMENT_PROFILE:
            raise UsageError(
                f"{job}, and none of TOKENCTL_CLIENT_SECRET, TOKENCTL_API_KEY and TOKENCTL_ID_TOKEN is set",
                hint="set one, or its _FILE, or TOKENCTL_FLOW=workload for the identity of the platform;"
                " a job gets a person's token only by the name of its profile",
            )
        raise UsageError(
            f"{job}, and profile {profile.name!r} is a person's: a job gets a person's token only by name",
            hint=f"name it with -p {profile.name}",
        )


def check_variables(environ: Mapping[str, str]) -> None:
    """Raise UsageError for a variable that is set and empty, or for a credential whose file cannot be read."""
    variables.check_values(environ)
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
                hint=f"unset TOKENCTL_{name}{_BY_PIPE if name == 'CLIENT_SECRET' else ''},"
                " or say whose secret it is with TOKENCTL_ISSUER and TOKENCTL_CLIENT_ID",
            )


_BY_PIPE = ", and give the secret to 'tokenctl login' by --client-secret-stdin"


def override(profile: Profile, settings: Mapping[str, Any], where: str) -> Profile:
    """Replace settings of a profile; they are checked like the profile's own. `where` names their source."""
    if not settings:
        return profile
    checked = from_members(profile.name, settings, where)
    return replace(profile, **{name: getattr(checked, name) for name in settings})
