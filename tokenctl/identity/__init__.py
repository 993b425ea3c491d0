"""The identity token with which a CI platform or a cluster says who this job is: no stored secret anywhere.

One file a platform, and a table. Each source asks anew, because such tokens live for minutes. `auto` takes the
first source whose sign is there.
"""

from collections.abc import Mapping

from tokenctl.errors import Refused, UsageError
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
"""The profile's `source` -> the source, in the order in which `auto` looks for their signs."""


def token(job: Job, now: int) -> str:
    """Get the job's identity token from the profile's source. `now` is epoch seconds.

    Raises UsageError when there is none, Refused when it cannot be used, Unreachable when its issuer cannot be asked.
    """
    name = job.profile.source
    found = SOURCES[_detected(job) if name == "auto" else name].get(job)
    if not found or len(found) > LARGEST or not all("!" <= each <= "~" for each in found):
        raise Refused(f"the identity from {name} is no token")
    expires_at = unverified_claims(found).get("exp")
    if isinstance(expires_at, int | float) and expires_at <= now:
        raise Refused(
            f"the identity token from {name} has expired",
            hint="let the job get a new one; is this machine's clock right?",
        )
    return found


def _detected(job: Job) -> str:
    for name, source in SOURCES.items():
        if source.sign(job):
            return name
    looked = "; ".join(f"{name}: {source.looks_for}" for name, source in SOURCES.items())
    raise UsageError(
        "this job has no identity that tokenctl knows",
        hint=f"looked for {looked}. On GitHub the job needs 'permissions: id-token: write'",
    )
