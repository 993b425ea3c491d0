"""Binding: to which origins a profile's token may be given. Everything that gives a token to somebody asks here."""

from tokenctl.config import config_file, environment
from tokenctl.errors import UsageError
from tokenctl.model import origin_checks, origins
from tokenctl.model.profile import Profile
from tokenctl.runtime import Runtime

_EXAMPLE = "write it as https://api.example.com, or with a path"


def origin_of(url: str) -> str:
    """Return the origin of a URL that a person wrote. Raises UsageError, also where others could read the token."""
    try:
        found = origins.origin_of(url)
    except ValueError:
        near = origin_checks.origin_near(url)
        hint = f"did you mean {near}?" if near else "leave out what is before the @" if "@" in url else _EXAMPLE
        raise UsageError(f"{origin_checks.quoted(url)} is not an http or https URL", hint=hint) from None
    return origin_checks.checked(found, "URL")


def profile_for(runtime: Runtime, name: str | None, url: str) -> Profile:
    """Return the profile whose token may be sent to the URL. `name` is that of `-p`.

    Raises UsageError when the profile is not bound to the URL's origin, when none is, or when two are.
    """
    return runtime.profile_for(name, origin_of(url))


def bound_profile(runtime: Runtime, name: str | None, address: str) -> tuple[Profile, str]:
    """Choose the profile that binds the address of a helper, and tell which of its origins that is. `name` is that of `-p`.

    Raises Unbound when none does, and UsageError when two do, or when none does and a profile has a mistake.
    """
    if "//" not in address[:2]:
        return runtime.profile_for(name, address), address
    bound = [
        (each, origin) for each in profiles(runtime, name) for origin in each.hosts if origins.is_at(address, origin)
    ]
    names = list(dict.fromkeys(each.name for each, _ in bound))
    if len(names) > 1:
        raise environment.bound_twice(names, address[2:], bound[-1][1])
    # A host without a scheme can be two origins of this machine; https is the one that clients try first.
    for origin in sorted((each for _, each in bound), reverse=True):
        return runtime.profile_for(name, origin), origin
    if not _is_named(runtime, name):
        config_file.check(runtime.config)  # the profile with a mistake can be the one that is meant
    raise environment.Unbound(f"no profile is bound to {address[2:]}")


def profiles(runtime: Runtime, name: str | None) -> list[Profile]:
    """List the profiles that a helper may answer for: the one that is named, or that of the environment, or all."""
    return [runtime.profile(name)] if _is_named(runtime, name) else environment.readable(runtime.config)


def _is_named(runtime: Runtime, name: str | None) -> bool:
    """Tell whether `-p` or the environment says which profile is meant."""
    named = name or runtime.environ.get("TOKENCTL_PROFILE")
    return bool(named) or environment.is_ad_hoc(runtime.config, runtime.environ)
