"""How tokens are got: a session begins, goes on, and ends at the server.

Each function here loads its module when it is called, so that a fresh token, which needs none of
them, pays for none. FLOWS is the table of the ways to begin.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tokenctl.profile import Profile
from tokenctl.session import Session

if TYPE_CHECKING:
    from tokenctl.errand import Errand
    from tokenctl.flows.sign_in import Finish, Plan
    from tokenctl.oauth.client_auth import Client
    from tokenctl.oauth.wire import Request
    from tokenctl.runtime import Runtime

FLOWS = {
    "browser": "tokenctl.flows.browser",
    "device": "tokenctl.flows.device",
    "client-credentials": "tokenctl.flows.machine",
    "api-key": "tokenctl.flows.api_key",
    "workload": "tokenctl.flows.workload",
}
"""Name of a flow -> the module whose `run` gets the first token set."""

MACHINE = ("client-credentials", "api-key", "workload")
"""Flows that can begin again without a person."""


def run(name: str, plan: "Plan", finish: "Finish") -> Session:
    """Run one of FLOWS."""
    session: Session = import_module(FLOWS[name]).run(plan, finish)
    return session


def begin(runtime: "Runtime", profile: Profile, **options: Any) -> Session:
    """Begin a session; see `sign_in.sign_in`."""
    session: Session = import_module("tokenctl.flows.sign_in").sign_in(runtime, profile, **options)
    return session


def client(runtime: "Runtime", profile: Profile, session: Session, given: str | None = None) -> "Client":
    """Make the client that the session belongs to; see `renewal.session_client`."""
    found: Client = import_module("tokenctl.flows.renewal").session_client(runtime, profile, session, given)
    return found


def check_renewable(profile: Profile, session: Session, again: bool) -> None:
    """Find out whether there is anything to renew a session with; see `renewal.check`."""
    import_module("tokenctl.flows.renewal").check(profile, session, again=again)


def renewal_request(runtime: "Runtime", errand: "Errand", client: "Client") -> "Request":
    """Build the request that renews a session; see `renewal.request`."""
    request: Request = import_module("tokenctl.flows.renewal").request(
        runtime, errand.profile, errand.session, client, again=errand.again, narrow=errand.narrow
    )
    return request


def succeed(*arguments: Any) -> Session:
    """Make the session's successor of the server's answer; see `renewal.succeed`."""
    successor: Session = import_module("tokenctl.flows.renewal").succeed(*arguments)
    return successor


def exchange(runtime: "Runtime", asked: Profile, session: Session) -> Session:
    """Exchange the session's access token for a narrower one; see `exchange.exchange`."""
    narrower: Session = import_module("tokenctl.flows.exchange").exchange(runtime, asked, session)
    return narrower


def end(runtime: "Runtime", profile: Profile, session: Session) -> bool:
    """End the session at the server; see `sign_out.sign_out`."""
    revoked: bool = import_module("tokenctl.flows.sign_out").sign_out(runtime, profile, session)
    return revoked
