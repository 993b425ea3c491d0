"""A token API that is not OAuth, described in a profile: values only, without secrets and without code.

For login, refresh and revoke the description has a URL, a method, headers and a body, and JSON Pointers (RFC 6901)
to the values in the answer. A string in the body or in a header can have placeholders such as `{refresh_token}`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tokenctl.errors import UsageError, did_you_mean, explained_on

PLACEHOLDERS = ("api_key", "refresh_token", "access_token", "username", "password")
PLACEHOLDER = re.compile(r"\{(\w+)\}")
CALLS = ("login", "refresh", "revoke")
METHODS = ("POST", "PUT", "PATCH", "DELETE", "GET")
POINTERS = ("access_token", "refresh_token", "expires_in", "expires_at")
_MEMBERS = {"url", "method", "headers", "body", *POINTERS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of the API. `body` is JSON text. The last four members are JSON Pointers into the answer."""

    url: str
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    access_token: str | None = None
    refresh_token: str | None = None
    expires_in: str | None = None
    expires_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenApi:
    """The calls of the API. `username` is the value of the placeholder `{username}`."""

    login: Call
    refresh: Call | None = None
    revoke: Call | None = None
    username: str | None = None

    def is_at(self, server: str) -> bool:
        """Tell whether the login call goes to this server: the same scheme, host and port."""
        return urlsplit(self.login.url)[:2] == urlsplit(server)[:2]


@explained_on("token-apis")
def from_members(members: Any, where: str) -> TokenApi:
    """Make the description from the config file's members, and check each. Raises UsageError that names the key."""
    if not isinstance(members, Mapping):
        raise UsageError(f"{where} must be a table with login, and optionally refresh and revoke")
    for key in members:
        if key not in (*CALLS, "username"):
            raise UsageError(
                f"{where}: {key!r:.60} is unknown",
                hint=did_you_mean(key, (*CALLS, "username")) or f"the members are: {', '.join(CALLS)}, username",
            )
    if "login" not in members:
        raise UsageError(f"{where} has no login", hint=f"write [{where.rpartition(': ')[2]}.login] with url and body")
    username = members.get("username")
    if username is not None and not isinstance(username, str):
        raise UsageError(f"{where}: username must be text")
    calls = {name: _call(members[name], f"{where}.{name}", name) for name in CALLS if name in members}
    return TokenApi(username=username, **calls)


def members_of(api: TokenApi) -> dict[str, Any]:
    """Write the description in the config file's form."""
    members: dict[str, Any] = {"username": api.username} if api.username else {}
    for name in CALLS:
        call: Call | None = getattr(api, name)
        if call is None:
            continue
        members[name] = {"url": call.url}
        if call.method != "POST":
            members[name]["method"] = call.method
        if call.headers:
            members[name]["headers"] = dict(call.headers)
        if call.body is not None:
            members[name]["body"] = json.loads(call.body)
        members[name] |= {each: getattr(call, each) for each in POINTERS if getattr(call, each)}
    return members


def _call(members: Any, where: str, name: str) -> Call:
    if not isinstance(members, Mapping):
        raise UsageError(f"{where} must be a table")
    for key in members:
        if key not in _MEMBERS:
            raise UsageError(
                f"{where}: {key!r:.60} is unknown",
                hint=did_you_mean(key, _MEMBERS) or f"the members are: {', '.join(sorted(_MEMBERS))}",
            )
    url, method = members.get("url"), members.get("method", "POST")
    if not isinstance(url, str) or not url:
        raise UsageError(f"{where}: url is missing")
    if method not in METHODS:
        raise UsageError(f"{where}: method must be one of {', '.join(METHODS)}")
    headers = members.get("headers", {})
    if not isinstance(headers, Mapping) or not all(
        isinstance(each, str) and each.isprintable() for pair in headers.items() for each in pair
    ):
        raise UsageError(f"{where}: headers must be a table of texts")
    body = members.get("body")
    if body is not None and not isinstance(body, Mapping):
        raise UsageError(f"{where}: body must be a table")
    for text in (*headers.values(), *_strings(body)):
        check_placeholders(text, where)
    pointers = {each: members[each] for each in POINTERS if each in members}
    for each, pointer in pointers.items():
        check_pointer(pointer, f"{where}: {each}", each)
    if name != "revoke" and "access_token" not in pointers:
        raise UsageError(
            f"{where}: access_token is missing", hint='write the JSON Pointer to it: access_token = "/access_token"'
        )
    try:
        text = None if body is None else json.dumps(body)
    except (TypeError, ValueError):  # TOML has dates, JSON has none
        raise UsageError(f"{where}: body has a value of a type that JSON does not have") from None
    return Call(url=url, method=method, headers=tuple(headers.items()), body=text, **pointers)


def check_pointer(pointer: object, where: str, member: str = "token") -> None:
    """Check a JSON Pointer (RFC 6901 section 3); `member` is for the example in the message. Raises UsageError."""
    if not isinstance(pointer, str) or not re.fullmatch(r"(/([^~/]|~[01])*)+", pointer):
        raise UsageError(f"{where} must be a JSON Pointer, such as /data/{member}")


def check_placeholders(text: str, where: str) -> None:
    """Check that a text has known placeholders only. Raises UsageError, with the known ones in the hint."""
    for name in PLACEHOLDER.findall(text):
        if name not in PLACEHOLDERS:
            raise UsageError(
                f"{where}: there is no placeholder {'{' + name + '}'!r:.60}",
                hint=f"the placeholders are: {', '.join('{' + each + '}' for each in PLACEHOLDERS)}",
            )


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [text for part in parts for text in _strings(part)]
