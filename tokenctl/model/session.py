"""The session: what a login produced, how fresh it is, and the JSON document it is kept as.

The members are named as on the wire (RFC 6749 section 5.1), plus what is pinned at login. Times are
integer epoch seconds, UTC; `expires_at` is counted from when the answer was received.
"""

import binascii
import json
from dataclasses import asdict, dataclass, field, fields

from tokenctl.errors import StoreDamaged

VERSION = 1
DEFAULT_MIN_TTL = 60
"""Seconds an access token must still live to be handed out without asking."""
MACHINE_FLOWS = ("client-credentials", "api-key", "workload")
"""Flows that need no person: their sessions can begin again with the machine's own credentials."""
CLOCK_STEP = 60
"""Seconds the clock may stand before `obtained_at` until we say that it was set back."""


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
    """32 bytes, base64: seals what has to be written outside the keyring."""
    refreshed_at: int | None = None
    """When the access token was got by a renewal; None while it is the sign-in's own."""
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
    """When that boot was, in epoch milliseconds, by the wall clock that the answer was received by."""

    @property
    def by_machine(self) -> bool:
        """Tell whether the session can begin again without a person."""
        return self.flow in MACHINE_FLOWS

    def time(self, now: int, boot_id: str | None, uptime_ms: int) -> int:
        """Tell what `now` is for this session, in epoch seconds: since the same boot, the uptime knows better.

        So a wall clock that was set forward or back makes no token look older or younger than it is.
        """
        if boot_id is None or self.booted_at_ms is None or boot_id != self.boot_id:
            return now
        return (self.booted_at_ms + uptime_ms) // 1000

    def remaining(self, now: int) -> int:
        """Seconds the access token still lives; never negative."""
        return max(0, self.expires_at - now)

    def expired(self, now: int) -> bool:
        """Tell whether the access token is past its life, or the clock was set back before its birth."""
        return now >= self.expires_at or now < self.obtained_at - CLOCK_STEP

    def fresh(self, now: int, min_ttl: int = DEFAULT_MIN_TTL) -> bool:
        """Tell whether at least `min_ttl` seconds are left, or half of the token's own life if that is less."""
        life = self.expires_at - self.obtained_at
        return not self.expired(now) and self.remaining(now) >= min(min_ttl, life // 2)


def dumps(session: Session) -> str:
    """Write the session as the JSON document that a store keeps; empty members are left out."""
    return json.dumps({name: value for name, value in asdict(session).items() if value not in (None, ())})


def loads(document: str, where: str = "the store") -> Session:
    """Read a document that `dumps` wrote.

    Raises StoreDamaged when it is not one, or is of a version that this program does not know. The
    text itself never reaches the message: it holds the tokens.
    """
    try:
        found = json.loads(document)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise StoreDamaged(f"the session in {where} is damaged: not a JSON document", hint=_REPAIR)
    if found.get("version") != VERSION:
        raise StoreDamaged(
            f"the session in {where} has version {found.get('version')!r:.20}, and this tokenctl knows {VERSION}",
            hint="a newer tokenctl may have written it: use that one, or sign in again with 'tokenctl login'",
        )
    members = {each.name: found[each.name] for each in fields(Session) if each.name in found}
    for name, value in members.items():
        if not _fits(name, value):
            raise StoreDamaged(f"the session in {where} is damaged: {name!r} is not what it should be", hint=_REPAIR)
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


def _fits(name: str, value: object) -> bool:
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
