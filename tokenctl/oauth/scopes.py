"""Scopes in an answer (RFC 6749 section 3.3): how they are written, and whether what was asked for is among them."""

from tokenctl.oauth.wire import JSON

UNLISTED = frozenset(("openid", "offline_access", "profile", "email", "address", "phone"))
"""Scopes that many servers leave out of a token response: they are about the ID token and the refresh token."""
_WIDER = {"read": ("write", "admin"), "write": ("admin",)}
"""GitHub leaves a scope out when a wider one is granted: `read:org` is part of `write:org`."""


def granted(document: JSON) -> str | None:
    """Read the scope of a token response, with spaces between scopes; None when it does not say.

    The standard has spaces. Some servers use commas, Twitch a JSON list, and Bitbucket calls the member `scopes`.
    """
    value = document.get("scope") or document.get("scopes")
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = " ".join(value)
    if not isinstance(value, str) or not value.strip():
        return None
    parts = value.split()
    if all(each.endswith(",") for each in parts[:-1]):  # one part, or "a, b"
        parts = [each for part in parts for each in part.split(",") if each]
    return " ".join(parts)


def not_granted(asked: str | None, answered: str | None) -> tuple[str, ...]:
    """List what was asked for and surely not granted. It is for messages: no right rests on it.

    Some servers answer with another name: Entra with the scope's whole URL, GitHub with a scope that includes it.
    """
    given = [each.casefold() for each in (answered or "").split()]
    wanted = set((asked or "").split()) - UNLISTED
    return tuple(sorted(each for each in wanted if not _is_among(each.casefold(), given)))


def _is_among(scope: str, given: list[str]) -> bool:
    if scope.rpartition("/")[2] == ".default":  # Entra: all that the client was given beforehand
        return bool(given)
    names = {scope, *(f"{wider}:{rest}" for head, _, rest in [scope.partition(":")] for wider in _WIDER.get(head, ()))}
    return any(
        each in names or _is_url_of(each, scope) or _is_url_of(scope, each) or scope.startswith(f"{each}:")
        for each in given
    )


def _is_url_of(url: str, name: str) -> bool:
    """Tell whether a scope is a URL that ends with the other one, such as `https://graph.example/user.read`."""
    return "://" in url and ":" not in name and url.endswith(f"/{name}")
