"""The table of the doctor's checks, in the order in which they are shown.

A new check is a row here, and a row in the first table of the help page `troubleshooting`. It looks at the case alone, whose
`runtime` changes nothing, and uses `trouble.finding_of` for an error that `token` would meet too.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tokenctl.doctor import (
    anomalies,
    browser,
    choice,
    helpers,
    installations,
    journal,
    keyring,
    lock,
    mirror,
    network,
    process,
    session,
    state,
    variables,
    version,
)
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
    Check(name=version.NAME, meaning="the version, and the Python that runs it", look=version.look),
    Check(name=installations.NAME, meaning="other tokenctl commands on PATH", look=installations.look),
    Check(name=choice.NAME, meaning="the config file, and the profile in use", look=choice.look),
    Check(name=variables.NAME, meaning="the environment variables that take part", look=variables.look),
    Check(name=state.NAME, meaning="the state directory", look=state.look),
    Check(name=keyring.NAME, meaning="the keyring", look=keyring.look),
    Check(name=session.NAME, meaning="the session", look=session.look),
    Check(name=mirror.NAME, meaning="whether keyring and redo log agree", look=mirror.look),
    Check(name=journal.NAME, meaning="what is known of the refresh token", look=journal.look),
    Check(name=lock.NAME, meaning="the lock of the profile", look=lock.look),
    Check(name=network.NAME, meaning="the way to the server, and its clock", look=network.look, online=True),
    Check(name=browser.NAME, meaning="what a sign-in needs of this machine", look=browser.look),
    Check(name=process.CACHE, meaning="the kernel's copy of the access token", look=process.look_at_cache),
    Check(name=process.WORKER, meaning="the process that renews", look=process.look_at_worker),
    Check(name=helpers.NAME, meaning="the helpers that are installed", look=helpers.look),
    Check(name=anomalies.NAME, meaning="the anomalies of the event log", look=anomalies.look),
)
