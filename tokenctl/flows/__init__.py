"""How tokens are got: a session begins, goes on, and ends at the server.

FLOWS is the table of the ways to begin. Each function here loads its module when it is called, so that a
fresh token, which needs none of them, does not pay for them.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tokenctl.model.profile import Profile
from tokenctl.model.session import Session

if TYPE_CHECKING:
    from tokenctl.broker.errand import Errand
    from tokenctl.flows.sign_in import Finish, Plan
    from tokenctl.oauth.client_auth import Client
    from tokenctl.oauth.wire import Request, Response
    from tokenctl.runtime import Runtime

MACHINE = ("client-credentials", "api-key", "workload")
"""Flows that can begin again without a person."""
TIMEOUT = 300
"""Seconds a person has to sign in."""


def run(name: str, plan: "Plan", finish: "Finish") -> Session:
    """Run the flow of that name, to get the first token set."""
    from tokenctl.flows import api_key, browser, device, machine, workload

    flows = {
        "browser": browser.run,
        "device": device.run,
        "client-credentials": machine.run,
        "api-key": api_key.run,
        "workload": workload.run,
    }
    return flows[name](plan, finish)


def begin(
    runtime: "Runtime",
    profile: Profile,
    *,
    keep: Callable[[Session], Session] = lambda session: session,
    client_secret: str | None = None,
    no_browser: bool = False,
    timeout: int = TIMEOUT,
) -> Session:
    """Begin a session; see `sign_in.sign_in`."""
    from tokenctl.flows.sign_in import sign_in

    return sign_in(runtime, profile, keep=keep, client_secret=client_secret, no_browser=no_browser, timeout=timeout)


def client(runtime: "Runtime", profile: Profile, session: Session, given: str | None = None) -> "Client":
    """Make the client that the session belongs to; see `renewal.session_client`."""
    from tokenctl.flows.renewal import session_client

    return session_client(runtime, profile, session, given)


def check_renewable(profile: Profile, session: Session, again: bool) -> None:
    """Find out whether there is anything to renew a session with; see `renewal.check`."""
    from tokenctl.flows.renewal import check

    check(profile, session, again=again)


def renewal_request(runtime: "Runtime", errand: "Errand", client: "Client") -> "Request":
    """Build the request that renews a session; see `renewal.request`."""
    from tokenctl.flows.renewal import request

    return request(runtime, errand.profile, errand.session, client, again=errand.again, narrow=errand.narrow)


def succeed(
    runtime: "Runtime",
    errand: "Errand",
    response: "Response",
    known: tuple[str, ...],
    commit: Callable[[Session], None],
) -> Session:
    """Make the session's successor of the server's answer; see `renewal.succeed`."""
    from tokenctl.flows import renewal

    return renewal.succeed(runtime, errand, response, known, commit)


def exchange(runtime: "Runtime", asked: Profile, session: Session) -> Session:
    """Exchange the session's access token for a narrower one; see `exchange.exchange`."""
    from tokenctl.flows.exchange import exchange as exchanged  # the package's own name is this function

    return exchanged(runtime, asked, session)


def end(runtime: "Runtime", profile: Profile, session: Session) -> bool:
    """End the session at the server; see `sign_out.sign_out`."""
    from tokenctl.flows.sign_out import sign_out

    return sign_out(runtime, profile, session)
