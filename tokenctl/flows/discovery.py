"""Finding out what a server offers: its metadata, or what the profile says in its place."""

from dataclasses import replace
from urllib.parse import urlsplit

from tokenctl.errors import Refused, UsageError
from tokenctl.model.profile import Profile
from tokenctl.model.token_api import TokenApi
from tokenctl.oauth import metadata
from tokenctl.oauth.metadata import Metadata
from tokenctl.oauth.wire import describe, issuer_url, overloaded, safe_url, try_later
from tokenctl.runtime import Runtime


def discover(runtime: Runtime, profile: Profile) -> Metadata:
    """Get the server's metadata; endpoints that the profile names replace the server's.

    A profile with a `token_endpoint` stands for a server without metadata: nothing is asked. Raises
    UsageError, Refused (wrong or no metadata) or Unreachable.
    """
    if profile.api is not None:
        return _described(profile.api)
    if profile.issuer is None:
        raise UsageError(
            f"profile {profile.name!r} has no issuer", hint="add --issuer URL, or set issuer in the profile"
        )
    issuer = issuer_url(profile.issuer)
    if profile.token_endpoint is not None:
        return metadata.from_members({"issuer": issuer, **profile.endpoints})
    found = _ask(runtime, profile, issuer)
    named = {name: safe_url(url, f"{name} of the profile") for name, url in profile.endpoints.items()}
    return replace(found, **named)  # type: ignore[arg-type]  # the names of endpoints, all of them str


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


def _ask(runtime: Runtime, profile: Profile, issuer: str) -> Metadata:
    answers = []
    for request in metadata.requests(issuer):
        response = runtime.send(profile, request)
        if overloaded(response):
            raise try_later(response, issuer)
        try:
            return metadata.parse(response, issuer)
        except ValueError as reason:
            answers.append(f"{request.url} answers {describe(response)} ({reason})")
    raise Refused(
        f"{issuer} has no metadata: {'; '.join(answers)}",
        hint="check the issuer; for a server without metadata set token_endpoint and the others in the profile",
    )
