"""From what a person types as the address of a server to the server's metadata, under its exact issuer."""

import re
from dataclasses import replace
from urllib.parse import urlsplit

from tokenctl.cli.answers import NONE, Answers, address, address_or_none
from tokenctl.config.environment import override
from tokenctl.errors import Refused, UsageError
from tokenctl.flows.discovery import discover
from tokenctl.model.origins import is_loopback
from tokenctl.model.profile import Profile
from tokenctl.oauth import metadata
from tokenctl.oauth.metadata import Metadata
from tokenctl.oauth.wire import issuer_url, json_object
from tokenctl.runtime import Runtime

_ENDPOINTS = {
    "token_endpoint": "token",
    "authorization_endpoint": "authorization",
    "device_authorization_endpoint": "device authorization",
    "revocation_endpoint": "revocation",
}
_WELL_KNOWN = re.compile(r"/\.well-known/[a-z-]+")


def find_server(runtime: Runtime, profile: Profile, typed: str) -> Metadata:
    """Find the server at the address that a person typed.

    Where the server calls itself by another name than a final slash makes, the person is asked. Raises UsageError, Refused
    or Unreachable when there is no server.
    """
    failed: Refused | None = None
    for issuer in issuers(typed):
        asked = replace(profile, issuer=issuer_url(issuer))
        try:
            return discover(runtime, asked)
        except Refused as error:
            failed = failed or error
        named = _named(runtime, asked, issuer)
        if named is not None and _agreed(runtime, named, issuer):
            return discover(runtime, replace(profile, issuer=named))
        if named is not None:
            raise UsageError("another address is needed then", hint="the server's documentation names its issuer")
    raise failed or UsageError(f"{typed!r:.200} is not the address of a server")


def without_metadata(profile: Profile, typed: str, answers: Answers) -> Profile:
    """Ask for the endpoints of a server that has no metadata. Raises UsageError."""
    found = {"issuer": issuer_url(issuers(typed)[0])}
    for name, question in _ENDPOINTS.items():
        if name == "token_endpoint":
            answer = answers.ask(f"{question} endpoint", read=address)
        else:
            answer = answers.ask(f"{question} endpoint ({NONE} for none)", NONE, address_or_none)
        if answer != NONE:
            found[name] = answer
    return override(profile, found, "answer")


def issuers(typed: str) -> tuple[str, ...]:
    """List the issuers that a person can mean: the address, and the server that it is at.

    People leave out the scheme, write host names in capitals, and copy the address of the metadata or of a page.
    """
    text = typed.strip()
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        local = is_loopback(re.sub(r":[0-9]*\Z", "", re.split("[/?#]", text)[0]).strip("[]"))
        text = f"{'http' if local else 'https'}://{text.lstrip('/')}"
    parts = urlsplit(text)
    origin = f"{parts.scheme}://{parts.netloc.lower()}"
    path = _WELL_KNOWN.sub("", parts.path)
    return tuple(dict.fromkeys((origin + ("" if path == "/" else path), origin)))


def _named(runtime: Runtime, profile: Profile, issuer: str) -> str | None:
    """Read the issuer that a metadata document there names; None when there is none that could be used."""
    for request in metadata.requests(issuer):
        try:
            named = json_object(runtime.send(profile, request).body).get("issuer")
            return issuer_url(str(named)) if named else None
        except (Refused, UsageError, ValueError):
            continue
    return None


def _agreed(runtime: Runtime, named: str, issuer: str) -> bool:
    if named.rstrip("/") == issuer.rstrip("/"):
        runtime.terminal.message(f"the exact issuer is {named}")
        return True
    runtime.terminal.instruction(f"the server at {issuer} says that its issuer is:")
    runtime.terminal.plain_line(named)
    return runtime.terminal.confirm("do you mean that one?")
