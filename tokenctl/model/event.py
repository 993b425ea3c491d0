"""What happened to a session: one record, for the event log, for `-v`, for a program's log, and for `audit`.

An event has no secret: a token is named by its fingerprint, and a URL has no query.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tokenctl.model.session import Session

SCHEMA = 1

KINDS: Mapping[str, str] = {
    "login": "a session was stored by a sign-in; `started` just before, `ok` or `failed` after",
    "renewal": "the server gave new tokens; `recovered`: written by the next run, because the first one was killed",
    "refusal": "a renewal brought no usable tokens, and the session lives on; `subject`: they were another person's",
    "dead": "the server refused the refresh token: only a new sign-in goes on",
    "unanswered": "the refresh token was presented, and no answer came",
    "change": "the scope, audience, lifetime, subject or signing key of the access token changed with a renewal",
    "endpoint-change": "a login pinned another endpoint than the login before",
    "changed-outside": "the entry in the keyring is not what this tokenctl stored there",
    "keyring-failed": "the keyring did not answer, or did not take a session",
    "lock-wait": "the lock was held for longer than any renewal takes",
    "migration": "the session moved to another store; `started` just before, `ok` or `failed` after",
    "revocation": "somebody signed out: `ok` at the server and here, `local` here alone, `failed` not at all",
    "told": "a person was told of an anomaly",
    "acknowledged": "a person ended the alarm of an anomaly",
}
"""Kind of event -> what it means, with the words of `result` that need an explanation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened to the session of a profile. `session`, `generation` and `fingerprint` are those after it.

    `fingerprint` is the refresh token's, or the access token's where there is no refresh token. Who writes the event
    adds the members from `at` on.
    """

    event: str
    profile: str
    result: str = "ok"
    session: str | None = None
    generation: int | None = None
    fingerprint: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """The members that only this kind of event has."""
    at: float = 0.0
    """Epoch seconds, to the millisecond."""
    seq: int = 0
    """A number that grows by one with each event of the log."""
    pid: int = 0
    asked_by: str | None = None
    """The base name of the program that started tokenctl."""
    boot_id: str | None = None
    uptime: float | None = None
    """Seconds since that boot, by a clock that nobody sets."""

    def __getitem__(self, name: str) -> Any:
        """Return a member that only this kind of event has; None when it is absent."""
        return self.more.get(name)


_NUMBER, _TEXT = (int, float, type(None)), (str, type(None))
_COMMON: Mapping[str, tuple[type, ...]] = {
    "seq": (int,),
    "at": (int, float),
    "event": (str,),
    "profile": (str,),
    "session": _TEXT,
    "generation": (int, type(None)),
    "fingerprint": _TEXT,
    "pid": (int,),
    "asked_by": _TEXT,
    "result": (str,),
    "boot_id": _TEXT,
    "uptime": _NUMBER,
}
"""The members that every event has, in the order of a line, each with its types."""
_NUMBERS = "status duration server_clock lifetime refresh_expires_at obtained_at unanswered tries waited holder"
_TEXTS = (
    "old_fingerprint grant reason target subject error says flow issuer client_id replaces how by operation anomaly"
)
_TYPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(_NUMBERS.split(), _NUMBER),
    **dict.fromkeys(_TEXTS.split(), _TEXT),
    **_COMMON,
}
"""The types of the members that are read: who reads an event need not check them again. Others can be of any type."""
_ANY = (*_TEXT, int, float, bool, list, dict)
_LARGEST = 2**53
"""Every number is smaller: so each reader of JSON reads the same number, and none is too large for arithmetic."""
LONGEST_TEXT = 1000
"""Characters of a member. Servers and programs choose some texts; a line must not grow without end."""


def shortened(event: Event) -> Event:
    """Cut the texts that others chose to `LONGEST_TEXT` characters. Of a list or an object its kind alone stays."""
    return replace(event, more={name: _shortened(value) for name, value in event.more.items()})


def _shortened(value: Any) -> Any:
    if isinstance(value, str):
        return value[:LONGEST_TEXT]
    return value if value is None or isinstance(value, (bool, int, float)) else type(value).__name__


def document_of(event: Event) -> dict[str, Any]:
    """Return the event's members as one JSON object."""
    return {"schema": SCHEMA, **{name: getattr(event, name) for name in _COMMON}, **event.more}


def dumps(event: Event) -> bytes:
    """Write the event as one line, with its end."""
    return json.dumps(document_of(event), separators=(",", ":")).encode() + b"\n"


def loads(line: bytes) -> Event | None:
    """Read a line of the log; None when it is no whole event, or is one of another schema. Never raises."""
    if line[:1] != b"{":  # garbage can be many lines
        return None
    try:
        found = _decode(line.decode())
        if type(found) is not dict or found.pop("schema", None) != SCHEMA:
            return None
        for name, value in found.items():
            kind = type(value)
            if kind not in _TYPES.get(name, _ANY):
                return None
            if (kind is int or kind is float) and not -_LARGEST < value < _LARGEST:
                return None
        common = {name: found.pop(name) for name in _COMMON}
    except (ValueError, RecursionError, KeyError):
        return None
    return Event(**common, more=found)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


_decode = json.JSONDecoder(parse_constant=_refuse).decode


def fingerprint(token: str) -> str:
    """Return a token's fingerprint: `sha256:` and the first 8 hex digits of its SHA-256."""
    return f"sha256:{hashlib.sha256(token.encode()).hexdigest()[:8]}"


def names_of(session: Session) -> dict[str, Any]:
    """Return the members of an event that name a session, as it is after the event."""
    return {
        "session": session.id,
        "generation": session.generation,
        "fingerprint": fingerprint(session.refresh_token or session.access_token),
    }


def sentence(event: Event) -> str:
    """Say in one sentence what happened, for `-v` and for a program's log."""
    known = _SENTENCES.get((event.event, event.result)) or _SENTENCES.get((event.event, ""))
    said = f"{event.profile}: {event.event if known is None else known.format_map(_Members(event.more))}"
    return f"{said}, generation {event.generation}" if event.event in ("login", "renewal") else said


class _Members(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "?"


_SENTENCES: Mapping[tuple[str, str], str] = {
    ("login", "started"): "storing a new session",
    ("login", "ok"): "signed in by {flow}",
    ("login", "failed"): "the new session could not be stored",
    ("renewal", "ok"): "renewed in {duration} s",
    ("renewal", "recovered"): "an earlier renewal was cut off after its commit",
    ("refusal", ""): "a renewal brought no usable tokens ({error})",
    ("refusal", "subject"): "the server answered with the ID token of another person",
    ("dead", ""): "the server refused the refresh token ({error})",
    ("unanswered", ""): "the refresh token was presented {tries} times without an answer",
    ("change", ""): "the {what} of the access token changed from {was} to {now}",
    ("endpoint-change", ""): "the {what} changed from {was} to {now}",
    ("changed-outside", ""): "the entry in the keyring is not what this tokenctl stored there",
    ("keyring-failed", ""): "the keyring failed to {operation} the session ({error})",
    ("lock-wait", ""): "the lock was held for {waited} s by process {holder}",
    ("migration", "started"): "moving the session from {from} to {to}",
    ("migration", "ok"): "moved the session from {from} to {to}",
    ("migration", "failed"): "the session could not be moved from {from} to {to}",
    ("revocation", "ok"): "signed out",
    ("revocation", "local"): "forgot the session here",
    ("revocation", "failed"): "the session could not be revoked",
    ("told", ""): "a person was told of {anomaly}",
    ("acknowledged", ""): "a person ended the alarm of {anomaly}",
}
"""Kind and result of an event (`""`: any other result) -> the sentence, with the event's own members."""
