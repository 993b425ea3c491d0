"""What the checks of the doctor look at: one run, the profile that it would use, and the session of that profile."""

from dataclasses import dataclass, field

from tokenctl.errors import TokenctlError
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One question to the doctor. `name` is the profile of `-p`.

    `profile`, `vault` and `session` are None where an earlier step failed; `problem` is the error that `token` would end
    with because of that. `runtime` writes no event.
    """

    runtime: Runtime
    name: str | None
    offline: bool = False
    write_test: bool = False
    profile: Profile | None = None
    vault: Vault | None = field(default=None, repr=False)
    session: Session | None = field(default=None, repr=False)
    problem: TokenctlError | None = None
