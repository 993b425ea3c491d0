"""How tokens are got: one record a flow. `of` is the table.

Each flow is loaded when it is asked for, so that a fresh token, which needs none of them, does not pay for them.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from tokenctl.errors import UsageError
from tokenctl.model.profile import Profile

if TYPE_CHECKING:
    from tokenctl.flows.flow import Flow


def of(name: str) -> "Flow":
    """Return the flow of that name; `auto` means the one for a person at a browser, until the server is known.

    Raises UsageError for a name that is in a session and not in this table.
    """
    match name:
        case "browser" | "auto":
            from tokenctl.flows.browser import FLOW
        case "device":
            from tokenctl.flows.device import FLOW
        case "client-credentials":
            from tokenctl.flows.client_credentials import FLOW
        case "api-key":
            from tokenctl.flows.api_key import FLOW
        case "workload":
            from tokenctl.flows.workload import FLOW
        case _:
            raise UsageError(f"this tokenctl knows no flow {name!r:.40}", hint="use the tokenctl that signed in")
    return FLOW


def without_person(profile: Profile) -> Profile:
    """Return the profile with a flow that needs no person, where it leaves the choice of the flow open."""
    return replace(profile, flow="client-credentials") if profile.flow == "auto" else profile
