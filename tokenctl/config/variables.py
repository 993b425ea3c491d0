"""The `TOKENCTL_*` variables: which there are, and what each one says."""

from collections.abc import Collection, Container, Iterator, Mapping
from typing import Any

from tokenctl.errors import UsageError
from tokenctl.model import profile_checks as check
from tokenctl.model.profile import CHECKS, Profile, from_members

PREFIX = "TOKENCTL_"
TARGET = ("scope", "resource", "audience")
"""The settings that a caller asks for within a session."""
OVER_A_PROFILE = (*TARGET, "min_ttl", "store")
"""The settings that the environment sets over a profile of the config file. No other one: a variable that a workspace
brings must not move an endpoint, a host, a certificate authority or a command."""
CREDENTIALS = ("CLIENT_SECRET", "API_KEY", "ID_TOKEN")
"""What a machine can present. Each can come from a file, which `TOKENCTL_<NAME>_FILE` names."""
OTHERS = ("PROFILE", "CONFIG", "STATE_DIR", "CACHE", "PASSPHRASE", "PASSPHRASE_FILE")
"""Variables that are neither a setting nor a credential."""


def is_set(environ: Mapping[str, str], name: str) -> bool:
    """Tell whether the credential `TOKENCTL_<name>`, or its `_FILE`, is in the environment, be it empty."""
    return f"{PREFIX}{name}" in environ or f"{PREFIX}{name}_FILE" in environ


def settings(environ: Mapping[str, str], names: Collection[str], except_for: Container[str] = ()) -> dict[str, Any]:
    """Collect these settings of a profile from the environment, and check each. An empty variable counts as not set.

    `except_for` names the settings that an option has set already. Raises UsageError that names the environment.
    """
    members: dict[str, Any] = {}
    for name in names:
        value = environ.get(f"{PREFIX}{name.upper()}")
        if value and name not in except_for:
            members[name] = parsed(name, value, f"environment: {PREFIX}{name.upper()}")
    if members:
        from_members("env", members, "environment")
    return members


def parsed(name: str, text: str, where: str) -> Any:
    """Read a text as the config file's value of a setting: a list as words, a table as `K=V` words, `api` as JSON.

    `where` names the text in a message. The value itself is not checked. Raises UsageError.
    """
    kind = CHECKS[name]
    if kind is check.uris:
        return text.split()
    if kind is check.boolean:
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind is check.port:
        return int(text) if text.isascii() and text.isdigit() else text
    if kind is check.command:
        return _json(text, where) if text.startswith("[") else _words(text, where)
    if kind is check.params:
        pairs = [each.partition("=") for each in _words(text, where)]
        return {key: value for key, _, value in pairs} if all(equals for _, equals, _ in pairs) else text
    return _json(text, where) if kind is check.api else text


def _words(text: str, where: str) -> list[str]:
    import shlex

    try:
        return shlex.split(text)
    except ValueError:
        raise UsageError(f"{where} has a quotation mark without its other half") from None


def _json(text: str, where: str) -> Any:
    import json

    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError(f"{where} is not valid JSON") from None


def warnings(environ: Mapping[str, str], profile: Profile, *, ad_hoc: bool) -> Iterator[str]:
    """Say which variables have no effect: those that are no setting, and those that a profile of the file wins over.

    `ad_hoc` tells that the profile comes from the environment alone.
    """
    usual = {f"{PREFIX}{name}" for name in OTHERS} | {f"{PREFIX}{name.upper()}" for name in OVER_A_PROFILE}
    for name in environ:
        if name.startswith(PREFIX) and name not in usual:
            yield from _warning(name, environ[name], profile, ad_hoc=ad_hoc)


def _warning(name: str, value: str, profile: Profile, *, ad_hoc: bool) -> Iterator[str]:
    setting = name.removeprefix(PREFIX).lower()
    if setting in CHECKS:
        checked_elsewhere = setting in ("issuer", "client_id")
        same = value == str(getattr(profile, setting)) or parsed(setting, value, name) is getattr(profile, setting)
        if not ad_hoc and not checked_elsewhere and value and not same:
            others = ", ".join(OVER_A_PROFILE)
            yield f"{name} has no effect: over a profile of the config file the environment only sets {others}"
        return
    known = [f"{PREFIX}{each}{suffix}" for each in CREDENTIALS for suffix in ("", "_FILE")]
    if name in known or name == profile.source_variable:
        return
    from difflib import get_close_matches

    known += [f"{PREFIX}{each}" for each in (*OTHERS, *(each.upper() for each in CHECKS))]
    near = get_close_matches(name, known, 1)
    yield f"{name} is no variable of tokenctl" + (f"; did you mean {near[0]}?" if near else "")
