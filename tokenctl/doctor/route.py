"""The servers that a profile uses, and whether `token` needs them now: the issuer's, and that of the token endpoint."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from tokenctl.broker import matching
from tokenctl.doctor.case import Case
from tokenctl.errors import TokenctlError


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A server: its origin as a URL, whether `token` fails when it cannot be reached now, and whether it is the issuer's."""

    url: str
    counts: bool
    of_issuer: bool

    @property
    def host(self) -> str:
        """Host and port, as in the URL."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    def is_of(self, url: str) -> bool:
        """Tell whether a URL is at this server."""
        return origin(url) == self.url


def routes(case: Case) -> list[Route]:
    """List the servers, each origin once. A session is renewed at its token endpoint, and begun with the issuer's help."""
    if case.profile is None:
        return []
    profile, begins = case.profile, begins_now(case)
    first = profile.token_endpoint or (profile.api.login.url if profile.api else profile.issuer)
    renews = case.asks_server and not begins
    wanted = [(first, begins), (case.session.token_endpoint if case.session else None, renews)]
    found: dict[str, bool] = {}
    for url, counts in wanted:
        if url and urlsplit(url).netloc:
            found[origin(url)] = counts or found.get(origin(url), False)
    issuer = origin(profile.issuer or "")
    return [Route(url=url, counts=counts, of_issuer=url == issuer) for url, counts in found.items()]


def begins_now(case: Case) -> bool:
    """Tell whether `token` begins a machine's session now: then it reads the issuer's metadata."""
    if not case.asks_server or case.vault is None:
        return False
    try:
        return case.session is None or not matching.belongs(case.runtime, case.vault, case.session)
    except TokenctlError:
        return False


def renewing_at(case: Case) -> str | None:
    """Return the token endpoint if `token` renews a session there now; None for a token API that is not OAuth."""
    if case.profile is None or case.profile.api is not None or not case.asks_server or begins_now(case):
        return None
    return case.session.token_endpoint if case.session else None


def origin(url: str) -> str:
    """Return scheme, host and port of a URL, as a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
