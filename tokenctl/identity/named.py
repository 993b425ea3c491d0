"""Sources that `auto` never chooses: a file, an environment variable or a command that the profile names."""

from pathlib import Path

from tokenctl.errors import UsageError
from tokenctl.identity.source import Job, Source, read_file, run_command


def from_file(job: Job) -> str:
    """Read the file that the profile names."""
    if not job.profile.source_file:
        raise UsageError("the source file needs source_file in the profile: the path of the identity token")
    return read_file(Path(job.profile.source_file))


def from_variable(job: Job) -> str:
    """Read the environment variable that the profile names."""
    return job.variable(job.profile.source_variable or "TOKENCTL_ID_TOKEN")


def from_command(job: Job) -> str:
    """Run the command that the profile names."""
    words = job.profile.source_command
    if not words:
        raise UsageError("source = command needs source_command", hint='such as ["spire-agent", "api", "fetch", "jwt"]')
    return run_command(job, words)


FILE = Source(get=from_file)
ENV = Source(get=from_variable)
COMMAND = Source(get=from_command)
