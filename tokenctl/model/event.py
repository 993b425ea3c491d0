"""What happened to a session: one record, for the event log, for `-v`, for a program's log, and for `audit`.

An event has no secret: a token is named by its fingerprint, and a URL has no query.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCHEMA = 1

KINDS: Mapping[str, str] = {
    "login": "a session was stored by a sign-in; `started` just before, `ok` or `failed` after",
    "renewal": "the server gave new tokens; `recovered`: written by the next run, because the first one was killed",
    "refusal": "the server refused a renewal, and the session lives on; `subject`: the answer was another person's",
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


_COMMON: Mapping[str, tuple[type, ...]] = {
    "seq": (int,),
    "at": (int, float),
    "event": (str,),
    "profile": (str,),
    "session": (str, type(None)),
    "generation": (int, type(None)),
    "fingerprint": (str, type(None)),
    "pid": (int,),
    "asked_by": (str, type(None)),
    "result": (str,),
    "boot_id": (str, type(None)),
    "uptime": (int, float, type(None)),
}
"""The members that every event has, in the order of a line, each with its types."""


def document_of(event: Event) -> dict[str, Any]:
    """Return the event's members as one JSON object."""
    return {"schema": SCHEMA, **{name: getattr(event, name) for name in _COMMON}, **event.more}


def dumps(event: Event) -> bytes:
    """Write the event as one line, with its end."""
    return json.dumps(document_of(event), separators=(",", ":")).encode() + b"\n"


def loads(line: bytes) -> Event | None:
    """Read a line of the log; None when it is no whole event, or is one of another schema."""
    try:
        found = _JSON.decode(line.decode())
        if type(found) is not dict or found.pop("schema", None) != SCHEMA:
            return None
        common = {}
        for name, types in _COMMON.items():
            common[name] = value = found.pop(name)
            if type(value) not in types:
                return None
    except (ValueError, RecursionError, KeyError):
        return None
    return Event(**common, more=found)


def _finite(text: str) -> float:
    """Read a number. Raises ValueError for one that is too large, and for `NaN` and `Infinity`, which are no JSON."""
    number = float(text)
    if not abs(number) < float("inf"):
        raise ValueError(text)
    return number


_JSON = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)


def fingerprint(token: str) -> str:
    """Return a token's fingerprint: `sha256:` and the first 8 hex digits of its SHA-256."""
    return f"sha256:{hashlib.sha256(token.encode()).hexdigest()[:8]}"


def sentence(event: Event) -> str:
    """Say in one sentence what happened, for `-v` and for a program's log."""
    what = _SENTENCES.get((event.event, event.result)) or _SENTENCES.get((event.event, "")) or event.event
    said = f"{event.profile}: {what.format_map(_Members(event.more))}"
    return f"{said}, generation {event.generation}" if event.event in ("login", "renewal") else said


class _Members(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "?"


_SENTENCES: Mapping[tuple[str, str], str] = {
    ("login", "started"): "storing a new session",
    ("login", "ok"): "signed in by {flow}",
    ("login", "failed"): "the new session could not be stored",
    ("renewal", "ok"): "renewed after {duration} s",
    ("renewal", "recovered"): "an earlier renewal was cut off after its commit",
    ("refusal", ""): "the server refused to renew ({error})",
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
