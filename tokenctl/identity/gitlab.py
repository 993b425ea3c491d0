"""GitLab CI/CD: the job's `id_tokens` name the variable that has the token."""

from tokenctl.identity.source import Job, Source


def get(job: Job) -> str:
    """Read the variable that the job's `id_tokens` name."""
    return job.variable(_variable(job))


def detect(job: Job) -> bool:
    """Look for GitLab's own variable and for the token's variable."""
    return job.has("GITLAB_CI", _variable(job))


def _variable(job: Job) -> str:
    return job.profile.source_variable or "TOKENCTL_ID_TOKEN"


SOURCE = Source(
    get=get,
    detect=detect,
    looks_for="TOKENCTL_ID_TOKEN (or the variable that source_variable names)",
    platform="GITLAB_CI",
    advice="name the variable in the job's id_tokens",
)
