"""Azure Pipelines."""

from tokenctl.errors import UsageError
from tokenctl.identity.source import Job, Source, member_of
from tokenctl.oauth.wire import Request, safe_url, with_query

URL = "SYSTEM_OIDCREQUESTURI"


def get(job: Job) -> str:
    """Ask Azure for a token of the profile's service connection."""
    url = safe_url(job.variable(URL), URL)
    if not job.profile.service_connection:
        raise UsageError("the source azure needs service_connection in the profile: the id of the service connection")
    query = {"api-version": "7.1", "serviceConnectionId": job.profile.service_connection}
    bearer = {"Authorization": f"Bearer {job.variable('SYSTEM_ACCESSTOKEN')}", "X-TFS-FedAuthRedirect": "Suppress"}
    return member_of(
        job.send(Request(url=with_query(url, query), json="{}", headers=bearer, purpose="reading the job's identity")),
        "oidcToken",
        "Azure",
    )


def detect(job: Job) -> bool:
    """Look for the variable with the URL of the token request."""
    return job.has(URL)


SOURCE = Source(get=get, detect=detect, looks_for=URL, ticket=(URL, "SYSTEM_ACCESSTOKEN"))
