"""Finding out what a server offers: its metadata, or what the profile says in its place."""

from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from tokenctl import flows
from tokenctl.errors import Refused, Unreachable, UsageError
from tokenctl.model.choices import LASTING_STORES
from tokenctl.model.profile import Profile
from tokenctl.model.token_api import TokenApi
from tokenctl.oauth import metadata
from tokenctl.oauth.issuers import no_metadata_hint, spelling_hint, without_well_known
from tokenctl.oauth.metadata import Metadata, OtherIssuer
from tokenctl.oauth.wire import JSON, Request, describe, issuer_url, overloaded, safe_url, try_later
from tokenctl.runtime import Runtime

PATIENCE = 5
"""Seconds: when answers were lost for so long, no other address is asked; and what completing may take."""


def discover(runtime: Runtime, profile: Profile) -> Metadata:
    """Get the server's metadata; endpoints that the profile names replace the server's.

    A profile with a `token_endpoint` stands for a server without metadata: nothing is asked. Raises
    UsageError, Refused (wrong or no metadata) or Unreachable.
    """
    if profile.api is not None:
        return _described(profile.api)
    issuer = issuer_of(profile)
    if profile.token_endpoint is not None:
        return metadata.from_members({"issuer": issuer, **profile.endpoints})
    found = _ask(runtime, profile, issuer)
    named = {name: safe_url(url, f"{name} of the profile") for name, url in profile.endpoints.items()}
    return replace(found, **named)  # type: ignore[arg-type]  # the names of endpoints, all of them str


def issuer_of(profile: Profile) -> str:
    """Return the issuer that a profile names. Raises UsageError, with the spelling that was meant where it is known."""
    issuer = profile.issuer
    if issuer is None:
        raise UsageError(
            f"profile {profile.name!r} has no issuer", hint="add --issuer URL, or set issuer in the profile"
        )
    meant = without_well_known(issuer)
    if meant is not None:
        raise UsageError(
            f"issuer {issuer!r:.200} is the address of a metadata document", hint=f"use the issuer: --issuer {meant}"
        )
    try:
        return issuer_url(issuer)
    except UsageError as error:
        error.hint = spelling_hint(issuer) or error.hint
        raise


def _described(api: TokenApi) -> Metadata:
    """Make the record of a token API that is not OAuth: its endpoints are the profile's."""
    parts = urlsplit(safe_url(api.login.url, "the url of the profile's api"))
    renewing = api.refresh or api.login
    return metadata.from_members(
        {
            "issuer": f"{parts.scheme}://{parts.netloc}",  # where the key goes: pinned
            "token_endpoint": renewing.url,
            **({"revocation_endpoint": api.revoke.url} if api.revoke else {}),
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Nothing:
    """What an address answered in the place of metadata, and the error if it means more than that there is none."""

    address: str
    said: str
    error: OtherIssuer | Unreachable | None = None


def _ask(runtime: Runtime, profile: Profile, issuer: str) -> Metadata:
    """Ask each well-known address until one has the metadata, and complete it.

    Raises Unreachable at once when the host does not accept a connection: the other addresses are there too.
    """
    forms, nothing = metadata.requests(issuer), []
    give_up = runtime.since_boot() + PATIENCE
    for number, form in enumerate(forms):
        answer = _answer(runtime, profile, form, issuer)
        if not isinstance(answer, _Nothing):
            return _completed(runtime, profile, answer, form, forms[number + 1 :])
        nothing.append(answer)
        if isinstance(answer.error, Unreachable) and (not answer.error.sent or runtime.since_boot() > give_up):
            raise answer.error
    raise _no_metadata(issuer, nothing)


def _answer(runtime: Runtime, profile: Profile, form: Request, issuer: str) -> JSON | _Nothing:
    address = form.url.removeprefix("/".join(form.url.split("/", 3)[:3]))
    try:
        response = runtime.send(profile, form)
    except Unreachable as error:
        return _Nothing(address=address, said="no answer", error=error)
    except Refused as error:  # a redirect, or a document that is too large
        return _Nothing(address=address, said="a document that is too large" if error.lost else "a redirect elsewhere")
    if overloaded(response):
        return _Nothing(address=address, said=describe(response), error=try_later(response, issuer))
    try:
        return metadata.read(response, issuer)
    except OtherIssuer as error:
        return _Nothing(address=address, said="the metadata of another issuer", error=error)
    except ValueError as reason:
        said = describe(response) if response.status != 200 else f"{describe(response)} ({reason})"
        return _Nothing(address=address, said=said)


def _completed(
    runtime: Runtime, profile: Profile, document: JSON, form: Request, left: tuple[Request, ...]
) -> Metadata:
    """Make the record; where it lacks something that this profile can use, ask for the issuer's other document too.

    OpenID Connect's document and RFC 8414's can differ. The other one may only help: no failure there counts.
    """
    found = metadata.from_members(document)
    others = [each for each in left if metadata.is_openid(each) != metadata.is_openid(form)]
    if all(getattr(found, name) for name in _useful(profile)):
        return found
    with runtime.requests_end_at(runtime.since_boot() + PATIENCE), suppress(Refused, Unreachable):
        for each in others:
            other = _answer(runtime, profile, each, found.issuer)
            if not isinstance(other, _Nothing):
                metadata.from_members(other)
                return metadata.completed(document, other)
    return found


def _useful(profile: Profile) -> set[str]:
    """Say which endpoints a sign-in of the profile can use and the profile does not have itself.

    Where no session is kept, nothing is revoked.
    """
    wanted = {
        "token_endpoint",
        *filter(None, [flows.of(profile.flow).begins_at]),
        *(["revocation_endpoint"] if profile.store in LASTING_STORES else []),
        *(["jwks_uri"] if "openid" in (profile.scope or "").split() else []),
    }
    return wanted - set(profile.endpoints)


def _no_metadata(issuer: str, nothing: list[_Nothing]) -> Refused | Unreachable:
    """Make the error for an issuer without metadata: what each address answered, and what to do."""
    by_answer: dict[str, list[str]] = {}
    for each in nothing:
        by_answer.setdefault(each.said, []).append(each.address)
    answers = "; ".join(f"{said} at {', '.join(addresses)}" for said, addresses in by_answer.items())
    errors = [each.error for each in nothing if each.error is not None]
    for error in sorted(errors, key=lambda each: isinstance(each, Unreachable)):
        if isinstance(error, OtherIssuer):
            return error
        hint = f"{error.hint}; if it stays so, {no_metadata_hint(issuer)}"
        return Unreachable(f"{issuer} gives no metadata now: {answers}", hint=hint, sent=True)
    return Refused(f"{issuer} has no metadata: {answers}", hint=no_metadata_hint(issuer))
