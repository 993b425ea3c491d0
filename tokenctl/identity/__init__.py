"""The identity token that a CI platform or a cluster gives to this job, so that the job needs no stored secret.

Each platform has one file, and an entry in the table. A source gets a new token each time, because such tokens live
for minutes. `auto` uses the first source that detects its platform.
"""

from collections.abc import Mapping

from tokenctl.errors import Refused, UsageError, explained_on
from tokenctl.identity import azure, buildkite, circleci, gcp, github, gitlab, kubernetes, named
from tokenctl.identity.source import LARGEST, Job, Source
from tokenctl.oauth.claims import unverified_claims

SOURCES: Mapping[str, Source] = {
    "github": github.SOURCE,
    "gitlab": gitlab.SOURCE,
    "circleci": circleci.SOURCE,
    "buildkite": buildkite.SOURCE,
    "azure": azure.SOURCE,
    "kubernetes": kubernetes.SOURCE,
    "gcp": gcp.SOURCE,
    "file": named.FILE,
    "env": named.ENV,
    "command": named.COMMAND,
}
"""The profile's `source` -> the source, in the order in which `auto` tries to detect them."""
ID_TOKEN = "TOKENCTL_ID_TOKEN"
"""The variable that can have the identity token itself."""


@explained_on("ci")
def token(job: Job, now: int) -> str:
    """Get the job's identity token from the profile's source. `now` is epoch seconds.

    Raises UsageError when there is no token, Refused when it cannot be used, Unreachable when the platform does not
    answer.
    """
    name = source_name(job)
    found = SOURCES[name].get(job)
    if not found or len(found) > LARGEST or not all("!" <= each <= "~" for each in found):
        raise Refused(f"the identity from {name} is not a token")
    expires_at = unverified_claims(found).get("exp")
    if isinstance(expires_at, int | float) and expires_at <= now:
        raise Refused(
            f"the identity token from {name} has expired",
            hint="let the job get a new one; is this machine's clock right?",
        )
    return found


def source_name(job: Job) -> str:
    """Return the name of the job's source; `auto` is detected. Raises UsageError when there is none."""
    return _detect(job) if job.profile.source == "auto" else job.profile.source


def _detect(job: Job) -> str:
    if job.has(ID_TOKEN) and job.profile.source_variable in (None, ID_TOKEN):
        return "env"  # the environment says which identity is meant, whatever else the machine could give
    for name, source in SOURCES.items():
        if source.detect(job):
            return name
        if source.platform and job.has(source.platform):
            # The machine below, such as a runner in a cluster, has an identity too. It is not this job's.
            raise UsageError(
                f"this job on {name} has no identity: {source.looks_for} is not set",
                hint=f"{source.advice}; or name another source with TOKENCTL_SOURCE, or source in the profile",
            )
    searched = "; ".join(f"{name}: {source.looks_for}" for name, source in SOURCES.items())
    raise UsageError(
        "this job has no identity that tokenctl knows",
        hint=f"looked for {searched}. On GitHub the job needs 'permissions: id-token: write'",
    )
