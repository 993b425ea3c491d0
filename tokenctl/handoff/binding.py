"""Binding: to which origins a profile's token may be given. Everything that gives a token to somebody asks here."""

from tokenctl.errors import UsageError
from tokenctl.model import origins
from tokenctl.model.profile import Profile
from tokenctl.runtime import Runtime

_EXAMPLE = "write it as https://api.example.com, or with a path"


def origin_of(url: str) -> str:
    """Return the origin of a URL that a person wrote. Raises UsageError, also where others could read the token."""
    try:
        found = origins.origin_of(url)
    except ValueError:
        near = origins.origin_near(url)
        hint = f"did you mean {near}?" if near else "leave out what is before the @" if "@" in url else _EXAMPLE
        raise UsageError(f"{origins.quoted(url)} is not an http or https URL", hint=hint) from None
    return origins.checked(found, "URL")


def profile_for(runtime: Runtime, name: str | None, url: str) -> Profile:
    """Return the profile whose token may be sent to the URL. `name` is that of `-p`.

    Raises UsageError when the profile is not bound to the URL's origin, when none is, or when two are.
    """
    return runtime.profile_for(name, origin_of(url))
