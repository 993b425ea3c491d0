"""A source of a job's identity token, and what the sources share: variables, files, commands and HTTP replies."""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tokenctl.errors import Refused, UsageError
from tokenctl.model.profile import Profile
from tokenctl.oauth.wire import Request, Response, describe, json_object, overloaded, try_later

PATIENCE = 30
"""Seconds that a command may take to get a token."""
LARGEST = 256 * 1024
"""Bytes of a token in a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The job that asks: its profile, its environment, and how it sends a request."""

    profile: Profile
    environ: Mapping[str, str]
    send: Callable[[Request], Response]

    @property
    def audience(self) -> str:
        """Whom the token is for: what the profile says, else the issuer."""
        return self.profile.source_audience or self.profile.issuer or ""

    def has(self, *names: str) -> bool:
        """Tell whether all these environment variables are set."""
        return all(self.environ.get(name) for name in names)

    def variable(self, name: str) -> str:
        """Read an environment variable. Raises UsageError when it is not set."""
        value = (self.environ.get(name) or "").strip()
        if not value:
            raise UsageError(f"the identity token should be in the variable {name}, and that is not set")
        return value


def nowhere(job: Job) -> bool:
    """Be the sign of a source that is only used by name."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One platform: how to get its token, the sign that the job runs there, and that sign in words."""

    get: Callable[[Job], str]
    """Gets a new token. Raises UsageError, Refused or Unreachable."""
    sign: Callable[[Job], bool] = nowhere
    looks_for: str = "only by name"


def read_file(path: Path) -> str:
    """Read a token from a file, anew each time: such files are replaced while the job runs. Raises UsageError."""
    try:
        path = path.expanduser()
        with path.open("rb") as file:
            return file.read(LARGEST + 1).decode().strip()
    except (OSError, ValueError, RuntimeError) as reason:  # RuntimeError: ~ of nobody
        cause = reason.strerror if isinstance(reason, OSError) else "it is not text"
        raise UsageError(f"the identity token cannot be read from {path}: {cause}") from None


def run_command(job: Job, words: tuple[str, ...]) -> str:
    """Run a command, without a shell, and return what it prints. Raises UsageError."""
    try:
        done = subprocess.run(
            words,
            env=dict(job.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=PATIENCE,
            check=True,
        )
        return done.stdout.decode().strip()
    except subprocess.CalledProcessError as error:
        reason = f"exit status {error.returncode}"
    except subprocess.TimeoutExpired:
        reason = f"no answer within {PATIENCE} s"
    except OSError as error:
        reason = error.strerror or "it cannot be run"
    except ValueError:
        reason = "it printed no text"
    raise UsageError(f"the identity command {words[0]!r:.80} failed: {reason}")


def check_reply(response: Response, who: str) -> None:
    """Check that a platform's reply is a success; `who` names the platform. Raises Refused or Unreachable."""
    if overloaded(response):
        raise try_later(response, who)
    if response.status != 200:
        raise Refused(f"{who} gives this job no identity token ({describe(response)})", hint="may the job ask for one?")


def member_of(response: Response, name: str, who: str) -> str:
    """Read a member of a platform's JSON reply; `who` names the platform. Raises Refused or Unreachable."""
    check_reply(response, who)
    try:
        found = json_object(response.body).get(name)
    except ValueError:
        found = None
    if not isinstance(found, str):
        raise Refused(f"{who} answered without an identity token ({describe(response)})")
    return found
