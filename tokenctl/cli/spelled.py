"""A login in the words of the command line, so that a person who answered its questions need not answer them again."""

import shlex

from tokenctl.model.profile import Profile, members_of

_OPTIONS = ("issuer", "client_id", "scope", "resource", "audience", "flow", "source", "port", "store")
"""The settings that have an option of `tokenctl login` with one value, or with one value each time."""


def same_login(profile: Profile) -> str | None:
    """Return the command that asks for none of it again; None where a setting has no option."""
    members = members_of(profile)
    if not members.keys() <= {*_OPTIONS, "params"}:
        return None
    words = ["tokenctl", "login", "-p", profile.name]
    for key in _OPTIONS:
        value = members.get(key, ())
        for each in value if isinstance(value, (tuple, list)) else (value,):
            words += [f"--{key.replace('_', '-')}", str(each)]
    for key, value in profile.params:
        words += ["--param", f"{key}={value}"]
    return shlex.join(words)
