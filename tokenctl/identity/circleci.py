"""CircleCI."""

import json

from tokenctl.identity.source import Job, Source, run_command


def get(job: Job) -> str:
    """Read the variable. For another audience than its default, ask CircleCI's own command."""
    if job.profile.source_audience:
        claims = json.dumps({"aud": job.profile.source_audience})
        return run_command(job, ("circleci", "run", "oidc", "get", "--claims", claims))
    return job.environ.get("CIRCLE_OIDC_TOKEN_V2") or job.variable("CIRCLE_OIDC_TOKEN")


def detect(job: Job) -> bool:
    """Look for one of the two variables."""
    return job.has("CIRCLE_OIDC_TOKEN_V2") or job.has("CIRCLE_OIDC_TOKEN")


SOURCE = Source(
    get=get,
    detect=detect,
    looks_for="CIRCLE_OIDC_TOKEN",
    ticket=("CIRCLE_OIDC_TOKEN_V2", "CIRCLE_OIDC_TOKEN"),
    platform="CIRCLECI",
    advice="CircleCI gives none to some jobs, such as those of a pull request from a fork",
)
