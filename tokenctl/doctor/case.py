"""What the checks of the doctor look at: one run, the profile that it would use, and the session of that profile."""

from dataclasses import dataclass, field, replace
from typing import Literal

from tokenctl import fast_path
from tokenctl.config import environment
from tokenctl.doctor import outlook
from tokenctl.errors import TokenctlError
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults
from tokenctl.storage.vault import Vault

Step = Literal["profile", "state", "reading", "session"]
"""Where `token` would end: it chooses the profile, opens the profile's folder, reads the session, or goes on with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One question to the doctor. `name` is the profile of `-p`.

    `profile`, `vault` and `session` are None where an earlier step failed; `problem` is the error that `token` would end
    with because of that, and `step` tells where. `runtime` changes nothing; see `Runtime.look_only`.
    """

    runtime: Runtime
    name: str | None
    offline: bool = False
    write_test: bool = False
    profile: Profile | None = None
    vault: Vault | None = field(default=None, repr=False)
    session: Session | None = field(default=None, repr=False)
    state: str | None = None
    """The state of the session, as `show` says it; None where it is not known."""
    asks_server: bool = False
    """Whether `token` has to ask the server, to renew the session or to begin one: then the network counts."""
    problem: TokenctlError | None = None
    step: Step | None = None
    copied: bool = False
    """Whether the kernel has a copy of the access token that answers `token` now: then no failure counts yet."""

    @property
    def has_config(self) -> bool:
        """Tell whether the config file could be read, or is absent."""
        return self.profile is not None or "config" in vars(self.runtime)

    def failed_at(self, step: Step) -> TokenctlError | None:
        """Return the problem if `token` would end at this step."""
        return self.problem if self.step == step else None


def case_of(runtime: Runtime, name: str | None, *, offline: bool = False, write_test: bool = False) -> Case:
    """Go the way of `token`, as far as that needs no lock and no request, and keep what is found on it."""
    runtime.look_only()
    copied = runtime.config_file is None and fast_path.would_answer(name or "", runtime.environ)
    case = Case(runtime=runtime, name=name, offline=offline, write_test=write_test, copied=copied)
    step: Step = "profile"
    try:
        profile = environment.choose(runtime.config, runtime.environ, name)
        case, step = replace(case, profile=profile), "state"
        vault = vaults.open(runtime, profile)
        case, step = replace(case, vault=vault), "reading"
        session = vault.newest()
        case, step = replace(case, session=session), "session"
        found = outlook.outlook(runtime, vault, session)
        return replace(
            case,
            state=found.state,
            asks_server=found.asks_server,
            problem=found.problem,
            step=step if found.problem else None,
        )
    except TokenctlError as error:
        return replace(case, problem=error, step=step)
    except Exception as error:  # `token` would end with it too
        return replace(case, problem=TokenctlError(f"unexpected {type(error).__name__}", hint=_DEFECT), step=step)


_DEFECT = "this is a defect of tokenctl: please report it with the output of 'tokenctl doctor --json'"
