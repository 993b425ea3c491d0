"""The profile: how to get a token. It has no secrets, and comes from the config file or the environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from tokenctl.errors import UsageError, did_you_mean
from tokenctl.model import profile_checks as check
from tokenctl.model.choices import (
    ASSERTION_ALGORITHMS,
    AUTH_METHODS,
    FLOWS,
    IDENTITY_USES,
    SOURCES,
    STORES,
)
from tokenctl.model.profile_checks import one_of, setting
from tokenctl.model.session import DEFAULT_MIN_TTL, IDENTITY_FLOWS, MACHINE_FLOWS

if TYPE_CHECKING:
    from tokenctl.model.token_api import TokenApi

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
ENVIRONMENT_PROFILE = "env"
"""The name of the profile that only environment variables describe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One way to get a token. `min_ttl` is seconds. An endpoint here replaces the one in the server's metadata."""

    name: str
    issuer: str | None = setting(check.text, None)
    client_id: str | None = setting(check.text, None)
    scope: str | None = setting(check.scope, None)
    resource: tuple[str, ...] = setting(check.uris, ())
    audience: str | None = setting(check.text, None)
    hosts: tuple[str, ...] = setting(check.origins, ())
    """The origins that may get the token: from an HTTP client, the proxy, a helper. The API that a `resource` names is no
    such origin by itself."""
    host: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = setting(check.shapes, ())
    """The origins that want the token in another shape; see `shape`."""
    flow: str = setting(one_of(FLOWS), "auto")
    store: str = setting(one_of(STORES), "keyring")
    keyring_backend: str | None = setting(check.text, None)
    passphrase_command: tuple[str, ...] = setting(check.command, ())
    env: str | None = setting(check.variable_template, None)
    min_ttl: int = setting(check.duration, DEFAULT_MIN_TTL)
    cache: bool = setting(check.boolean, True)
    """Whether the kernel's keyring may have a copy of the access token, so that the next `token` is fast."""
    audit: str = setting(one_of(("on", "off")), "on")
    """Whether the event log has what happens to the session."""
    port: int | None = setting(check.port, None)
    redirect_uri: str | None = setting(check.text, None)
    token_endpoint_auth_method: str | None = setting(one_of(AUTH_METHODS), None)
    client_key_file: str | None = setting(check.absolute_path, None)
    client_key_id: str | None = setting(check.text, None)
    assertion_algorithm: str | None = setting(one_of(ASSERTION_ALGORITHMS), None)
    assertion_audience: str = setting(one_of(("issuer", "token_endpoint")), "issuer")
    source: str = setting(one_of(SOURCES), "auto")
    source_audience: str | None = setting(check.text, None)
    source_file: str | None = setting(check.absolute_path, None)
    source_variable: str | None = setting(check.variable, None)
    source_command: tuple[str, ...] = setting(check.command, ())
    service_connection: str | None = setting(check.text, None)
    identity_use: str = setting(one_of(IDENTITY_USES), "token-exchange")
    narrow_by: str = setting(one_of(("refresh", "token-exchange")), "refresh")
    renewal_ends_access_token: bool | None = setting(check.boolean, None)
    """Whether a renewal ends the access token that was given before; None: not known."""
    params: tuple[tuple[str, str], ...] = setting(check.params, ())
    ca_file: str | None = setting(check.absolute_path, None)
    api: "TokenApi | None" = setting(check.api, None)
    authorization_endpoint: str | None = setting(check.text, None)
    token_endpoint: str | None = setting(check.text, None)
    device_authorization_endpoint: str | None = setting(check.text, None)
    revocation_endpoint: str | None = setting(check.text, None)
    introspection_endpoint: str | None = setting(check.text, None)
    jwks_uri: str | None = setting(check.text, None)

    @property
    def by_machine(self) -> bool:
        """Tell whether the profile's flow needs no person to sign in."""
        return self.flow in MACHINE_FLOWS

    def accepts_flow(self, flow: str) -> bool:
        """Tell whether a session that this flow began is what the profile asks for. `auto` leaves the flow open.

        The flows of a person are ways to the same session; a machine's flow is not another one's.
        """
        return self.flow in (flow, "auto") or not (self.by_machine or flow in MACHINE_FLOWS)

    def reads_variable(self, name: str) -> bool:
        """Tell whether a job's identity comes from this environment variable, or could (`auto`)."""
        reads = self.flow in IDENTITY_FLOWS and self.source in ("auto", "gitlab", "env")
        return reads and self.source_variable in (None, name)

    @property
    def login_hint(self) -> str:
        """The hint that tells a person how to sign in to this profile."""
        return f"run 'tokenctl login -p {self.name}'"

    @property
    def auth_method(self) -> str | None:
        """The client authentication method; a key file means `private_key_jwt`, None means the server's default."""
        return self.token_endpoint_auth_method or ("private_key_jwt" if self.client_key_file else None)

    @property
    def max_age(self) -> int | None:
        """The `max_age` of `params`: how many seconds ago the person can have signed in; None without one."""
        max_age = dict(self.params).get("max_age")
        return int(max_age) if max_age else None

    def shape(self, origin: str) -> dict[str, str]:
        """Return how an origin wants the token: `username` and `prefix`, as `profile_checks.SHAPE` explains them."""
        return check.SHAPE | dict(dict(self.host).get(origin, ()))

    @property
    def endpoints(self) -> dict[str, str]:
        """The endpoints that the profile has."""
        named = (each.name for each in fields(self) if each.name.endswith(("_endpoint", "jwks_uri")))
        return {name: value for name in named if (value := getattr(self, name))}


CHECKS: Mapping[str, check.Check[Any]] = {
    each.name: each.metadata["check"] for each in fields(Profile) if each.metadata
}
"""The settings of a profile (every field except `name`), each with its check."""

_SECRETS = ("client_secret", "api_key", "password", "access_token", "refresh_token", "id_token", "passphrase")


def from_members(name: str, members: Mapping[str, Any], where: str) -> Profile:
    """Make a profile from the members in a file, the environment or the command line, and check each.

    `where` names that source for a message. Raises UsageError that names the key and the expected value.
    """
    check_name(name, f"{where}: ")
    for key in members:
        check_key(key, f"{where}: ")
    profile = Profile(name=name, **{key: CHECKS[key](value, f"{where}: {key}") for key, value in members.items()})
    if profile.client_key_file and profile.auth_method != "private_key_jwt":
        raise UsageError(f"{where}: client_key_file needs token_endpoint_auth_method private_key_jwt")
    return profile


def members_of(profile: Profile) -> dict[str, Any]:
    """List the settings that differ from the defaults, in the config file's form. `from_members` reads them."""
    default = Profile(name=profile.name)
    found = {name: getattr(profile, name) for name in CHECKS}
    members = {name: value for name, value in found.items() if value != getattr(default, name)}
    for name, value in members.items():
        if name == "api":
            members[name] = check.api_members(value)
        elif name == "params":
            members[name] = dict(value)
        elif name == "host":
            members[name] = {origin: dict(shape) for origin, shape in value}
        elif isinstance(value, tuple):
            members[name] = list(value)
    return members


def check_key(key: str, where: str = "") -> None:
    """Check the name of a setting. Raises UsageError, with the nearest name in the hint."""
    if key in CHECKS:
        return
    if key.lower().replace("-", "_") in _SECRETS:
        hint = "a secret is never in the config file: 'tokenctl login' asks for it and keeps it in the keyring"
    else:
        hint = did_you_mean(key, CHECKS) or "run 'tokenctl help config' for the settings"
    raise UsageError(f"{where}{key!r:.60} is not a setting of a profile", hint=hint)


def check_name(name: str, where: str = "") -> str:
    """Check a profile's name, which is part of the keyring entry's name and of a folder's name. Raises UsageError."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{where}{name!r:.80} is not a valid profile name",
            hint="use at most 64 letters, digits, '.', '_' and '-'; the first must be a letter or digit",
        )
    return name
