"""Buildkite."""

from tokenctl.identity.source import Job, Source, run_command


def get(job: Job) -> str:
    """Ask Buildkite's agent."""
    return run_command(job, ("buildkite-agent", "oidc", "request-token", "--audience", job.audience))


def detect(job: Job) -> bool:
    """Look for Buildkite's own variable."""
    return job.has("BUILDKITE")


SOURCE = Source(
    get=get, detect=detect, looks_for="BUILDKITE", ticket=("BUILDKITE_JOB_ID", "BUILDKITE_AGENT_ACCESS_TOKEN")
)
