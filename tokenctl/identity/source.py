"""The record of an identity token source, and what the sources share: variables, files, commands, HTTP responses."""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tokenctl.errors import Refused, UsageError
from tokenctl.model.profile import Profile
from tokenctl.model.secret_variables import without_secrets
from tokenctl.oauth.wire import Request, Response, describe, json_object, overloaded, try_later

COMMAND_TIMEOUT = 30
"""Seconds for a command that gets a token."""
LARGEST = 256 * 1024
"""Bytes of a token, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The job that needs a token: its profile, its environment, and the function that sends a request."""

    profile: Profile
    environ: Mapping[str, str]
    send: Callable[[Request], Response]

    @property
    def audience(self) -> str:
        """The audience of the token: the profile's `source_audience`, else the issuer."""
        return self.profile.source_audience or self.profile.issuer or ""

    def has(self, *names: str) -> bool:
        """Tell whether all these environment variables are set."""
        return all(self.environ.get(name) for name in names)

    def variable(self, name: str) -> str:
        """Read an environment variable. Raises UsageError when it is not set."""
        value = (self.environ.get(name) or "").strip()
        if not value:
            raise UsageError(f"the variable {name} should have the identity token, and it is not set")
        return value


def never(job: Job) -> bool:
    """Return False, for a source that `auto` never chooses."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One platform: how to get a token from it, and how to detect it."""

    get: Callable[[Job], str]
    """Gets a new token. Raises UsageError, Refused or Unreachable."""
    detect: Callable[[Job], bool] = never
    """Tells whether the job runs on the platform."""
    looks_for: str = "only by name"
    """What `detect` looks for, in words for a hint."""
    ticket: tuple[str, ...] | None = None
    """Variables that differ between jobs, for a source whose token costs a request; None: `get` is cheap enough."""
    platform: str | None = None
    """The variable that a CI system sets in each of its jobs, also in those to which it gives no identity."""
    advice: str = ""
    """What a job without an identity needs, in words for a hint."""


def read_file(path: Path) -> str:
    """Read a token from a file. Read it each time, because the platform replaces it. Raises UsageError."""
    try:
        path = path.expanduser()
        with path.open("rb") as file:
            return file.read(LARGEST + 1).decode("utf-8-sig").strip()
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: ~ of an unknown user
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"the identity token cannot be read from {path}: {reason}") from None


def run_command(job: Job, words: tuple[str, ...]) -> str:
    """Run a command without a shell and without our secrets, and return its output. Raises UsageError."""
    try:
        done = subprocess.run(
            words,
            env=without_secrets(job.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=COMMAND_TIMEOUT,
            check=True,
        )
        return done.stdout.decode().strip()
    except subprocess.CalledProcessError as error:
        reason = f"exit status {error.returncode}"
    except subprocess.TimeoutExpired:
        reason = f"no answer within {COMMAND_TIMEOUT} s"
    except OSError as error:
        reason = error.strerror or "it cannot be run"
    except ValueError:
        reason = "its output is not text"
    raise UsageError(f"the identity command {words[0]!r:.80} failed: {reason}")


def check_reply(response: Response, who: str) -> None:
    """Check that a platform's response is a success; `who` names the platform. Raises Refused or Unreachable."""
    if overloaded(response):
        raise try_later(response, who)
    if response.status != 200:
        raise Refused(
            f"{who} gives this job no identity token ({describe(response)})",
            hint="does the job have the permission to ask for one?",
        )


def member_of(response: Response, name: str, who: str) -> str:
    """Read a member of a platform's JSON response; `who` names the platform. Raises Refused or Unreachable."""
    check_reply(response, who)
    try:
        found = json_object(response.body).get(name)
    except ValueError:
        found = None
    if not isinstance(found, str):
        raise Refused(f"{who} answered without an identity token ({describe(response)})")
    return found
