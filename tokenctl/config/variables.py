"""The `TOKENCTL_*` variables: which there are, and what each one says."""

import re
from collections.abc import Collection, Container, Iterator, Mapping
from typing import Any

from tokenctl.errors import UsageError, did_you_mean
from tokenctl.model import profile_checks as check
from tokenctl.model import secret_variables
from tokenctl.model.profile import CHECKS, Profile, from_members

PREFIX = "TOKENCTL_"
TARGET = ("scope", "resource", "audience")
"""The settings that a caller asks for within a session."""
OVER_A_PROFILE = (*TARGET, "min_ttl", "store", "cache")
"""The settings that the environment sets over a profile of the config file. No other one: a variable that a workspace
brings must not move an endpoint, a host, a certificate authority or a command."""
CREDENTIALS = ("CLIENT_SECRET", "API_KEY", "ID_TOKEN")
"""What a machine can present. Each can come from a file, which `TOKENCTL_<NAME>_FILE` names."""
OTHERS = ("PROFILE", "CONFIG", "STATE_DIR", "PASSPHRASE", "PASSPHRASE_FILE")
"""Variables that are neither a setting nor a credential."""
NAMES = tuple(
    f"{PREFIX}{name}"
    for name in (*(f"{each}{end}" for each in CREDENTIALS for end in ("", "_FILE")), *OTHERS, *map(str.upper, CHECKS))
)
"""The full names of all variables."""
_NOT_REPLACED = r"\$[A-Z_][A-Z0-9_]*|%[A-Z_][A-Z0-9_]*%|\$\{[A-Za-z_]\w*\}|\$\([A-Za-z_][\w.-]*\)|\$\{\{.*\}\}|\$\[.*\]"
"""A reference to another variable, as the CI systems write them. A value of our own never looks so as a whole."""


def check_values(environ: Mapping[str, str]) -> None:
    """Check that each variable that is set says something; see `check_value`. Raises UsageError."""
    present = set(environ)  # a look-up in `os.environ` is slow, and there are many names
    for name in NAMES:
        if name in present:
            check_value(name, environ[name])


def check_value(name: str, value: str) -> None:
    """Check that a variable's value is neither empty nor a reference to another variable. Raises UsageError.

    The value is what a script's unset variable, or a secret that a job does not get, leaves. To take it as absent would
    ask for another profile, other rights or another place than was meant. The error never quotes a secret.
    """
    if not value.strip():
        raise UsageError(f"{name} is set and empty", hint=f"give it a value, or unset it{_WITHOUT_SECRETS}")
    if value.lstrip().startswith(("$", "%")) and re.fullmatch(_NOT_REPLACED, value.strip()):
        what = "a reference to another variable" if _secret(name) else repr(value.strip()[:80])
        where = f"; if it is the value all the same, put it into a file that {name}_FILE names" if _secret(name) else ""
        raise UsageError(
            f"{name} is {what}, which nothing replaced by a value",
            hint=f"does this job have that variable?{_WITHOUT_SECRETS}{where}",
        )


_WITHOUT_SECRETS = " (a job of a pull request from a fork, or of a branch that is not protected, often gets no secrets)"


def _secret(name: str) -> bool:
    return name in secret_variables.NAMES and not name.endswith("_FILE")


def is_set(environ: Mapping[str, str], name: str) -> bool:
    """Tell whether the credential `TOKENCTL_<name>`, or its `_FILE`, is in the environment, be it empty."""
    return f"{PREFIX}{name}" in environ or f"{PREFIX}{name}_FILE" in environ


def settings(environ: Mapping[str, str], names: Collection[str], except_for: Container[str] = ()) -> dict[str, Any]:
    """Collect these settings of a profile from the environment, and check each.

    `except_for` names the settings that an option has set already. Raises UsageError that names the variable.
    """
    members: dict[str, Any] = {}
    for name in names:
        value = environ.get(f"{PREFIX}{name.upper()}", "").rstrip("\r\n")
        if value and name not in except_for:
            where = f"environment: {PREFIX}{name.upper()}"
            members[name] = parsed(name, value, where)
            CHECKS[name](members[name], where)  # so that a message has the name that was written
    if members:
        from_members("env", members, "environment")
    return members


def parsed(name: str, text: str, where: str) -> Any:
    """Read a text as the config file's value of a setting: a list as words, a table as `K=V` words or JSON.

    `api` and `host` are JSON alone. `where` names the text in a message. The value itself is not checked. Raises UsageError.
    """
    kind = CHECKS[name]
    if kind in (check.uris, check.origins):
        return re.split(r",?\s+", text.strip())
    if kind is check.boolean:
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    if kind is check.port:
        return int(text) if text.isascii() and text.isdigit() else text
    if kind is check.command:
        return _json(text, where) if text.startswith("[") else _words(text, where)
    if kind is check.params and not text.startswith("{"):
        pairs = [each.partition("=") for each in _words(text, where)]
        return {key: value for key, _, value in pairs} if all(equals for _, equals, _ in pairs) else text
    return _json(text, where) if kind in (check.api, check.params, check.shapes) else text


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
        said = getattr(profile, setting)
        same = value == str(said) or (isinstance(said, bool) and parsed(setting, value, name) is said)
        if not ad_hoc and not checked_elsewhere and value and not same:
            others = ", ".join(OVER_A_PROFILE)
            yield f"{name} has no effect: over a profile of the config file the environment only sets {others}"
        return
    if name in NAMES or name == profile.source_variable:
        return
    near = did_you_mean(name, NAMES)
    yield f"{name} is no variable of tokenctl" + (f"; {near}" if near else "")
