"""GitHub Actions."""

from tokenctl.identity.source import Job, Source, member_of
from tokenctl.oauth.wire import Request, safe_url, with_query

URL = "ACTIONS_ID_TOKEN_REQUEST_URL"


def get(job: Job) -> str:
    """Ask the runner for a token."""
    url = safe_url(job.variable(URL), URL)
    bearer = {"Authorization": f"Bearer {job.variable('ACTIONS_ID_TOKEN_REQUEST_TOKEN')}"}
    request = Request(
        url=with_query(url, {"audience": job.audience}), headers=bearer, purpose="reading the job's identity"
    )
    return member_of(job.send(request), "value", "GitHub")


def detect(job: Job) -> bool:
    """Look for the variable with the URL of the token request; the job has it when it has the permission."""
    return job.has(URL)


SOURCE = Source(get=get, detect=detect, looks_for=URL, ticket=(URL, "ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
