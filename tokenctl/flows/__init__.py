"""How tokens are got: a session begins, goes on, and ends at the server.

Each function here loads its module when it is called, so that a fresh token, which needs none of
them, pays for none. FLOWS is the table of the ways to begin.
"""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tokenctl.profile import Profile
from tokenctl.session import Session

if TYPE_CHECKING:
    from tokenctl.flows.sign_in import Finish, Plan
    from tokenctl.runtime import Runtime

FLOWS = {
    "browser": "tokenctl.flows.browser",
    "device": "tokenctl.flows.device",
    "client-credentials": "tokenctl.flows.machine",
}
"""Name of a flow -> the module whose `run` gets the first token set."""

MACHINE = ("client-credentials",)
"""Flows that can begin again without a person."""


def run(name: str, plan: "Plan", finish: "Finish") -> Session:
    """Run one of FLOWS."""
    session: Session = import_module(FLOWS[name]).run(plan, finish)
    return session


def begin(runtime: "Runtime", profile: Profile, **options: Any) -> Session:
    """Begin a session; see `sign_in.sign_in`."""
    session: Session = import_module("tokenctl.flows.sign_in").sign_in(runtime, profile, **options)
    return session


def renew(runtime: "Runtime", profile: Profile, session: Session, keep: Callable[[Session], None]) -> Session:
    """Get the session's successor from the server; see `renewal.renew`."""
    successor: Session = import_module("tokenctl.flows.renewal").renew(runtime, profile, session, keep)
    return successor


def end(runtime: "Runtime", profile: Profile, session: Session) -> bool:
    """End the session at the server; see `sign_out.sign_out`."""
    revoked: bool = import_module("tokenctl.flows.sign_out").sign_out(runtime, profile, session)
    return revoked
