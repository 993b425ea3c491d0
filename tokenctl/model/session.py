"""The session: what a login produced, how fresh it is, and its JSON document in the store.

The token members have their names of RFC 6749 section 5.1. The endpoints are those of the login. Times are integer
epoch seconds, UTC. The life of the access token is counted from `obtained_at`, when its request was sent: an answer can
come late, such as on a laptop that slept meanwhile.

A document of version 1 is read too: it has no `id` and names no state directory. `dumps` always writes VERSION. A
document can have members that this version does not know: a later one can write them. They are kept.
"""

import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from tokenctl.errors import StoreDamaged

VERSION = 2
DEFAULT_MIN_TTL = 60
"""Seconds that an access token must still live; a token with less is renewed first."""
MACHINE_FLOWS = ("client-credentials", "api-key", "workload")
"""Flows that need no person: the machine can sign in again with its own credentials."""
DEFAULT_LIFETIME = 300
"""Seconds that an access token counts as valid when nobody says how long it lives, and it can be renewed."""
IDENTITY_FLOWS = ("workload",)
"""Machine flows that present the identity which a platform gives to a job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One profile's tokens, and the endpoints they belong to."""

    id: str
    """16 hex digits, random: the names of the redo log and the journal have it. A later login of the account keeps it."""
    issuer: str
    client_id: str
    flow: str
    token_endpoint: str
    access_token: str = field(repr=False)
    obtained_at: int
    expires_at: int | None = None
    """None: nobody knows when the access token ends, and nothing can renew it. It lives until it is refused."""
    seal_key: str = field(repr=False)
    """32 bytes, base64: the key of the redo log, which is outside the keyring."""
    refreshed_at: int | None = None
    """When the last renewal got the access token; None before the first renewal."""
    generation: int = 1
    version: int = field(default=VERSION, compare=False)
    """The version of the document that was read."""
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
    """The time of that boot in epoch milliseconds, by the wall clock, read at `obtained_at`."""

    superseded_at: int | None = None
    """When the server gave a narrower token for the refresh token. It may have ended the access token then."""
    older_access_tokens: str | None = None
    """`kept` or `ended`: what becomes of an access token when the server gives another one for the refresh token.

    None: not known.
    """
    requested_scope: str | None = None
    """The scope that was asked for; empty when none was, None in a document of a version that did not record it."""
    audience: str | None = None
    """The audience that was asked for."""
    identity: str | None = field(default=None, repr=False)
    """What a machine presented, so that it can be told from another one's; see `flows.identities`."""
    state_id: str | None = None
    """The state directory that renews this session. Two directories have two locks, so only one of them can."""
    state_path: str | None = None
    state_machine: str | None = None
    """The machine of `state_path`, where it can be looked at."""
    unknown: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)
    """The members of the stored document that this version does not know."""

    @property
    def by_machine(self) -> bool:
        """Tell whether the machine can sign in again without a person."""
        return self.flow in MACHINE_FLOWS

    def time(self, now: int, boot_id: str | None, uptime_ms: int) -> int:
        """Return the time to judge the access token by, in epoch seconds: the later one of two clocks.

        `now` is the wall clock; the other one is the uptime, in the same boot. Each of them can be wrong: somebody
        sets the wall clock, and a virtual machine that is restored from a snapshot has an old uptime. So the token is
        expired when either clock says so. A clock before `obtained_at` says nothing about the token's age: then the
        time is `expires_at` at least.
        """
        by_uptime = self.time_by_uptime(now, boot_id, uptime_ms)
        latest = max(now, by_uptime)
        if self.expires_at is None or min(now, by_uptime) >= self.obtained_at:
            return latest
        return max(latest, self.expires_at)

    def time_by_uptime(self, now: int, boot_id: str | None, uptime_ms: int) -> int:
        """Return the time in epoch seconds as the uptime tells it since the token came; `now` after another boot."""
        if boot_id is not None and self.booted_at_ms is not None and boot_id == self.boot_id:
            return (self.booted_at_ms + uptime_ms) // 1000
        return now

    @property
    def lifetime(self) -> int | None:
        """Seconds that the access token lives in all; None when nobody knows."""
        return None if self.expires_at is None else max(0, self.expires_at - self.obtained_at)

    def remaining(self, now: int) -> int | None:
        """Seconds that the access token still lives, never negative; None when nobody knows."""
        if self.expires_at is None:
            return None
        return 0 if self.expired(now) else self.expires_at - now

    def expired(self, now: int) -> bool:
        """Tell whether the access token has expired, or the clock was set back to before `obtained_at`."""
        return self.expires_at is not None and (now >= self.expires_at or now < self.obtained_at)

    def fresh(self, now: int, min_ttl: int = DEFAULT_MIN_TTL) -> bool:
        """Tell whether at least `min_ttl` seconds are left, or half of the token's lifetime if that is less.

        A token that the server may have ended is not fresh.
        """
        if self.superseded_at is not None:
            return False
        until = self.fresh_until(min_ttl)
        return until is None or (not self.expired(now) and now <= until)

    def fresh_until(self, min_ttl: int) -> int | None:
        """Return the last second in which at least `min_ttl` seconds are left; None when nobody knows."""
        if self.expires_at is None or self.lifetime is None:
            return None
        return self.expires_at - max(1, min(min_ttl, self.lifetime // 2))


def dumps(session: Session) -> str:
    """Write the session as the store's JSON document; empty members are left out, unknown ones are kept."""
    members = {name: value for name in _MEMBERS if (value := getattr(session, name)) not in (None, ())}
    return json.dumps({**session.unknown, **members, "version": VERSION})


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
    if found.get("version") not in (1, VERSION) or type(found["version"]) is not int:
        raise StoreDamaged(
            f"the session in {where} has version {found.get('version')!r:.20}, and this tokenctl only knows {VERSION}",
            hint="a newer tokenctl may have written it: use that one, or sign in again with 'tokenctl login'",
        )
    members = {name: found.pop(name) for name in _MEMBERS if name in found}
    for name, value in members.items():
        if not _has_right_type(name, value):
            raise StoreDamaged(f"the session in {where} is damaged: {name!r} has a wrong value", hint=_REPAIR)
    if members["version"] == 1 and "seal_key" in members:
        members["id"] = first_id(members["seal_key"])
    members |= {name: tuple(members.get(name, ())) for name in _LISTS}
    try:
        return Session(**members, unknown=found)
    except TypeError:
        raise StoreDamaged(f"the session in {where} is damaged: a member is missing", hint=_REPAIR) from None


def first_id(seal_key: str) -> str:
    """Make the id of a session of version 1, whose redo log has it as the id of its login."""
    import hashlib  # a session of version 2 does not need it

    return hashlib.sha256(b"tokenctl redo log" + binascii.a2b_base64(seal_key)).hexdigest()[:16]


_REPAIR = "sign in again with 'tokenctl login'; nothing was deleted"


_INTEGERS = {
    "version",
    "generation",
    "obtained_at",
    "expires_at",
    "refreshed_at",
    "refresh_token_expires_at",
    "booted_at_ms",
    "superseded_at",
}
_LISTS = {"resource", "id_token_algorithms"}
_MEMBERS = tuple(each.name for each in fields(Session) if each.name != "unknown")


def _has_right_type(name: str, value: object) -> bool:
    if name == "seal_key":
        return isinstance(value, str) and _is_key(value)
    if name == "id":
        return isinstance(value, str) and len(value) == 16 and set(value) <= set("0123456789abcdef")
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
