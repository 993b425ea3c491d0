"""The table of the doctor's checks, in the order in which they are shown."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tokenctl.doctor import browser, choice, keyring, network, process, session
from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One row: a name, what it looks at, and the function that looks. `online` tells that it uses the network."""

    name: str
    meaning: str
    look: Callable[[Case], Iterable[Finding]]
    online: bool = False


CHECKS: tuple[Check, ...] = (
    Check(name=choice.NAME, meaning="the config file, and the profile in use", look=choice.look),
    Check(name=keyring.NAME, meaning="the keyring", look=keyring.look),
    Check(name=session.NAME, meaning="the session", look=session.look),
    Check(name=network.NAME, meaning="the way to the server, and its clock", look=network.look, online=True),
    Check(name=browser.NAME, meaning="what a sign-in needs of this machine", look=browser.look),
    Check(name="cache", meaning="the kernel's copy of the access token", look=process.look_at_cache),
    Check(name="worker", meaning="the process that renews", look=process.look_at_worker),
)
