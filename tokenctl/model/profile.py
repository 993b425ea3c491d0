"""The profile: how to get a token. No secrets; it lives in the config file or the environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from tokenctl.errors import UsageError
from tokenctl.model import token_api
from tokenctl.model.session import DEFAULT_MIN_TTL
from tokenctl.model.token_api import TokenApi

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
FLOWS = ("auto", "browser", "device", "client-credentials", "api-key", "workload")
STORES = ("keyring", "session", "file", "memory")
AUTH_METHODS = (
    "none",
    "client_secret_basic",
    "client_secret_basic_raw",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
)
ASSERTION_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
SOURCES = ("auto", "github", "gitlab", "circleci", "buildkite", "azure", "kubernetes", "gcp", "file", "env", "command")
IDENTITY_USES = ("token-exchange", "jwt-bearer", "client-assertion")
ENVIRONMENT_PROFILE = "env"
"""The name of the profile that the environment alone describes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One way to get a token. `min_ttl` is seconds; the endpoints replace the server's metadata."""

    name: str
    issuer: str | None = None
    client_id: str | None = None
    scope: str | None = None
    resource: tuple[str, ...] = ()
    audience: str | None = None
    flow: str = "auto"
    store: str = "keyring"
    keyring_backend: str | None = None
    passphrase_command: tuple[str, ...] = ()
    env: str | None = None
    min_ttl: int = DEFAULT_MIN_TTL
    port: int | None = None
    redirect_uri: str | None = None
    token_endpoint_auth_method: str | None = None
    client_key_file: str | None = None
    client_key_id: str | None = None
    assertion_algorithm: str | None = None
    assertion_audience: str = "issuer"
    source: str = "auto"
    source_audience: str | None = None
    source_file: str | None = None
    source_variable: str | None = None
    source_command: tuple[str, ...] = ()
    service_connection: str | None = None
    identity_use: str = "token-exchange"
    narrow_by: str = "refresh"
    params: tuple[tuple[str, str], ...] = ()
    ca_file: str | None = None
    api: TokenApi | None = None
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    device_authorization_endpoint: str | None = None
    revocation_endpoint: str | None = None
    introspection_endpoint: str | None = None
    jwks_uri: str | None = None

    @property
    def auth_method(self) -> str | None:
        """How the client proves itself, as far as the profile says: a key file means `private_key_jwt`."""
        return self.token_endpoint_auth_method or ("private_key_jwt" if self.client_key_file else None)

    @property
    def max_age(self) -> int | None:
        """How many seconds ago the person may have signed in, where `params` ask for that."""
        asked = dict(self.params).get("max_age")
        return int(asked) if asked else None

    @property
    def endpoints(self) -> dict[str, str]:
        """The endpoints that the profile names itself."""
        named = (each.name for each in fields(self) if each.name.endswith(("_endpoint", "jwks_uri")))
        return {name: value for name in named if (value := getattr(self, name))}


def from_members(name: str, members: Mapping[str, Any], where: str) -> Profile:
    """Make a profile of what a file, the environment or the command line says, each member checked.

    `where` names the place for the message. Raises UsageError that names the key and what was
    expected.
    """
    check_name(name, f"{where}: ")
    known = {each.name for each in fields(Profile)} - {"name"}
    for key in members:
        if key not in known:
            raise UsageError(
                f"{where}: {key!r:.60} is no setting of a profile", hint=f"there are: {', '.join(sorted(known))}"
            )
    profile = Profile(name=name, **{key: _checked(key, value, f"{where}: {key}") for key, value in members.items()})
    if profile.client_key_file and profile.auth_method != "private_key_jwt":
        raise UsageError(f"{where}: client_key_file goes with token_endpoint_auth_method private_key_jwt alone")
    return profile


def check_name(name: str, where: str = "") -> str:
    """Check a profile's name: it becomes part of the keyring entry's and of a folder's name."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{where}{name!r:.80} is no name for a profile",
            hint="use letters, digits, '.', '_' and '-', at most 64, the first a letter or digit",
        )
    return name


def duration(text: object, where: str = "duration") -> int:
    """Read a duration such as `90`, `90s`, `15m`, `2h` or `7d` as seconds. Raises UsageError."""
    match = re.fullmatch(r"(\d{1,9})([smhd]?)", text) if isinstance(text, str) else None
    if type(text) is int and text >= 0:
        return text
    if match is None or not match[0].isascii():
        raise UsageError(f"{where}: {text!r:.40} is no duration", hint="write it as 90, 90s, 15m, 2h or 7d")
    return int(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]


_CHOICES = {
    "flow": FLOWS,
    "store": STORES,
    "token_endpoint_auth_method": AUTH_METHODS,
    "assertion_algorithm": ASSERTION_ALGORITHMS,
    "source": SOURCES,
    "identity_use": IDENTITY_USES,
    "narrow_by": ("refresh", "token-exchange"),
    "assertion_audience": ("issuer", "token_endpoint"),
}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(=.*)?", re.DOTALL)


def _checked(key: str, value: Any, where: str) -> Any:
    match key:
        case "min_ttl":
            return duration(value, where)
        case "port":
            if type(value) is not int or not 1 <= value <= 65535:
                raise UsageError(f"{where} must be a number from 1 to 65535, not {value!r:.40}")
            return value
        case "resource":
            values = [value] if isinstance(value, str) else value
            if not isinstance(values, list | tuple) or not all(isinstance(each, str) for each in values):
                raise UsageError(f"{where} must be a list of strings, not {value!r:.40}")
            for each in values:
                check_resource(each, where)
            return tuple(values)
        case "api":
            return value if isinstance(value, TokenApi) else token_api.from_members(value, where)
        case "passphrase_command" | "source_command":
            words = list(value) if isinstance(value, list | tuple) else []
            if not words or not all(isinstance(each, str) and each and "\0" not in each for each in words):
                raise UsageError(f'{where} must be a list of words, such as ["pass", "show", "tokenctl"]')
            if "/" in words[0] and not words[0].startswith("/"):
                raise UsageError(f"{where}: {words[0]!r:.80} must be an absolute path, or a name to be found in PATH")
            return tuple(words)
        case "params":
            if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value.values()):
                raise UsageError(f'{where} must be a table of strings, such as params = {{ prompt = "login" }}')
            if not re.fullmatch(r"[0-9]{0,9}", value.get("max_age", "")):
                raise UsageError(
                    f"{where}: max_age must be a number of seconds, not {value['max_age']!r:.40}",
                    hint="such as max_age=3600; 0 asks for a new sign-in",
                )
            return tuple(value.items())
    if isinstance(value, list) and key == "scope" and all(isinstance(each, str) for each in value):
        value = " ".join(value)
    if not isinstance(value, str) or not value or not value.isprintable():
        raise UsageError(f"{where} must be text on one line, not {value!r:.40}")
    if key in _CHOICES and value not in _CHOICES[key]:
        raise UsageError(f"{where} must be one of {', '.join(_CHOICES[key])}, not {value!r:.40}")
    if (
        key in ("ca_file", "client_key_file", "source_file")
        and not value.startswith(("/", "~"))
        and value[1:3] not in (":\\", ":/")
    ):
        raise UsageError(
            f"{where} must be an absolute path, not {value!r:.80}: nothing is read from the current directory"
        )
    if key == "source_variable" and not _VARIABLE.fullmatch(value + "="):
        raise UsageError(f"{where} must be the name of an environment variable, not {value!r:.40}")
    if key == "env" and not _VARIABLE.fullmatch(value):
        raise UsageError(f"{where} must be the name of an environment variable, not {value!r:.40}")
    return value


def check_resource(value: str, where: str) -> None:
    """Check a resource indicator: an absolute URI without a fragment (RFC 8707 section 2)."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[!-\"$-~]+", value):
        raise UsageError(
            f"{where}: {value!r:.80} is no absolute URI without a fragment", hint="such as https://api.example.com"
        )
