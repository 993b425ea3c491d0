"""The session: what a login produced, how fresh it is, and its JSON document in the store.

The token members have their names of RFC 6749 section 5.1. The endpoints are those of the login. Times are integer
epoch seconds, UTC. `expires_at` is `expires_in` seconds after the token response was received.
"""

import binascii
import json
from dataclasses import asdict, dataclass, field, fields

from tokenctl.errors import StoreDamaged

VERSION = 1
DEFAULT_MIN_TTL = 60
"""Seconds that an access token must still live; a token with less is renewed first."""
MACHINE_FLOWS = ("client-credentials", "api-key", "workload")
"""Flows that need no person: the machine can sign in again with its own credentials."""
IDENTITY_FLOWS = ("workload",)
"""Machine flows that present the identity which a platform gives to a job."""
CLOCK_STEP = 60
"""Seconds that the clock can be before `obtained_at`; more means that it was set back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One profile's tokens, and the endpoints they belong to."""

    issuer: str
    client_id: str
    flow: str
    token_endpoint: str
    access_token: str = field(repr=False)
    obtained_at: int
    expires_at: int
    seal_key: str = field(repr=False)
    """32 bytes, base64: the key of the redo log, which is outside the keyring."""
    refreshed_at: int | None = None
    """When the last renewal got the access token; None before the first renewal."""
    generation: int = 1
    version: int = VERSION
    token_type: str = "Bearer"
    revocation_endpoint: str | None = None
    introspection_endpoint: str | None = None
    jwks_uri: str | None = None
    id_token_algorithms: tuple[str, ...] = ()
    token_endpoint_auth_method: str = "none"
    refresh_token: str | None = field(default=None, repr=False)
    refresh_token_expires_at: int | None = None
    scope: str | None = None
    resource: tuple[str, ...] = ()
    id_token: str | None = field(default=None, repr=False)
    subject: str | None = None
    account: str | None = None
    boot_id: str | None = None
    booted_at_ms: int | None = None
    """The time of that boot in epoch milliseconds, by the wall clock of `obtained_at`."""
    requested_scope: str | None = None
    """The scope that was asked for; empty when none was, None in a document of a version that did not record it."""
    audience: str | None = None
    """The audience that was asked for."""
    identity: str | None = field(default=None, repr=False)
    """What a machine presented, so that it can be told from another one's; see `flows.identities`."""

    @property
    def by_machine(self) -> bool:
        """Tell whether the machine can sign in again without a person."""
        return self.flow in MACHINE_FLOWS

    def time(self, now: int, boot_id: str | None, uptime_ms: int) -> int:
        """Return the time to use for this session, in epoch seconds: by the uptime in the same boot, else `now`.

        The uptime is right even when the wall clock was set forward or back.
        """
        if boot_id is None or self.booted_at_ms is None or boot_id != self.boot_id:
            return now
        return (self.booted_at_ms + uptime_ms) // 1000

    def remaining(self, now: int) -> int:
        """Seconds that the access token still lives; never negative."""
        return max(0, self.expires_at - now)

    def expired(self, now: int) -> bool:
        """Tell whether the access token has expired, or the clock was set back to before `obtained_at`."""
        return now >= self.expires_at or now < self.obtained_at - CLOCK_STEP

    def fresh(self, now: int, min_ttl: int = DEFAULT_MIN_TTL) -> bool:
        """Tell whether at least `min_ttl` seconds are left, or half of the token's lifetime if that is less."""
        lifetime = self.expires_at - self.obtained_at
        return not self.expired(now) and self.remaining(now) >= min(min_ttl, lifetime // 2)


def dumps(session: Session) -> str:
    """Write the session as the store's JSON document; empty members are left out."""
    return json.dumps({name: value for name, value in asdict(session).items() if value not in (None, ())})


def loads(document: str, where: str = "the store") -> Session:
    """Read a document that `dumps` wrote.

    `where` names the store in a message. Raises StoreDamaged when the text is no such document, or has an unknown
    version. The message never quotes the text, because it has the tokens.
    """
    try:
        found = json.loads(document)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise StoreDamaged(f"the session in {where} is damaged: not a JSON document", hint=_REPAIR)
    if found.get("version") != VERSION:
        raise StoreDamaged(
            f"the session in {where} has version {found.get('version')!r:.20}, and this tokenctl only knows {VERSION}",
            hint="a newer tokenctl may have written it: use that one, or sign in again with 'tokenctl login'",
        )
    members = {each.name: found[each.name] for each in fields(Session) if each.name in found}
    for name, value in members.items():
        if not _has_right_type(name, value):
            raise StoreDamaged(f"the session in {where} is damaged: {name!r} has a wrong value", hint=_REPAIR)
    members |= {name: tuple(members.get(name, ())) for name in _LISTS}
    try:
        return Session(**members)
    except TypeError:
        raise StoreDamaged(f"the session in {where} is damaged: a member is missing", hint=_REPAIR) from None


_REPAIR = "sign in again with 'tokenctl login'; nothing was deleted"


_INTEGERS = {
    "version",
    "generation",
    "obtained_at",
    "expires_at",
    "refreshed_at",
    "refresh_token_expires_at",
    "booted_at_ms",
}
_LISTS = {"resource", "id_token_algorithms"}


def _has_right_type(name: str, value: object) -> bool:
    if name == "seal_key":
        return isinstance(value, str) and _is_key(value)
    if name in _INTEGERS:
        return type(value) is int
    if name in _LISTS:
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    return isinstance(value, str)


def _is_key(text: str) -> bool:
    try:
        return len(binascii.a2b_base64(text, strict_mode=True)) == 32
    except ValueError:
        return False
