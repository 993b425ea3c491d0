"""The ways to sign in that a server offers, for a person who chooses one; and whether a person is there for it."""

from dataclasses import dataclass

from tokenctl.errors import UsageError
from tokenctl.flows.flow import SignIn
from tokenctl.oauth.metadata import Metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way to sign in: its flow, the words for a person, and what the server must offer for it.

    `grant` must be in `grant_types_supported` where the server lists them. `redirects` tells that the browser comes back
    to this machine, `needs_secret` that a client without a secret cannot use it, and `of_person` that a person signs in.
    """

    flow: str
    words: str
    endpoint: str
    grant: str
    redirects: bool = False
    needs_secret: bool = False
    of_person: bool = True


WAYS = (
    Way(
        flow="browser",
        words="in the browser of this machine",
        endpoint="authorization_endpoint",
        grant="authorization_code",
        redirects=True,
    ),
    Way(
        flow="device",
        words="with a short code, in a browser on any device",
        endpoint="device_authorization_endpoint",
        grant="urn:ietf:params:oauth:grant-type:device_code",
    ),
    Way(
        flow="client-credentials",
        words="as a machine, without a person, with the client secret",
        endpoint="token_endpoint",
        grant="client_credentials",
        needs_secret=True,
        of_person=False,
    ),
)


def offered(server: Metadata, *, browser: bool) -> tuple[Way, ...]:
    """List the ways that the server offers, the likeliest first. `browser` tells that one can be opened here."""
    grants = server.grant_types_supported
    found = [
        each for each in WAYS if getattr(server, each.endpoint) and (grants is None or _lists(grants, each, server))
    ]
    return tuple(sorted(found, key=lambda way: (not way.of_person, way.redirects and not browser)))


def _lists(grants: tuple[str, ...], way: Way, server: Metadata) -> bool:
    """Tell whether the server lists the way's grant; an endpoint of the way's own says it, too."""
    return way.grant in grants or way.endpoint != "token_endpoint"


def is_named(flow: str) -> bool:
    """Tell whether a profile's flow names a way; `auto` leaves it open."""
    return flow != "auto"


def of(flow: str) -> Way | None:
    """Return the way of that flow; None when a person cannot choose it."""
    return next((each for each in WAYS if each.flow == flow), None)


def check_person(start: SignIn) -> None:
    """Check that a sign-in by a person was meant where no person may be: in a CI job. Raises UsageError.

    The option `--no-browser`, and the device flow where it was named, say that a person reads the job's log.
    """
    runtime, flow = start.runtime, start.flow
    if flow.by_machine or not runtime.environ.get("CI") or start.no_browser:
        return
    way = of(flow.name)
    named = start.profile.flow == flow.name and way is not None and not way.redirects
    if named or (way is not None and way.redirects and runtime.browser.present):
        return
    raise UsageError(
        f"CI is set, and the {flow.name} flow needs a person to sign in",
        hint="a job signs in by itself with a secret or the identity of its platform: see 'tokenctl help ci';"
        " if a person reads this log, say --no-browser or --flow device",
    )
