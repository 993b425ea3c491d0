"""Google Cloud: the machine's metadata server."""

import re
from pathlib import Path

from tokenctl.errors import UsageError
from tokenctl.identity.source import Job, Source, check_reply
from tokenctl.oauth.wire import Request, with_query

METADATA_HOST = "metadata.google.internal"
PRODUCT = Path("/sys/class/dmi/id/product_name")


def get(job: Job) -> str:
    """Ask the metadata server.

    The platform only offers plain http on a link-local address. That is safe, because the token is signed.
    """
    host = job.environ.get("GCE_METADATA_HOST") or METADATA_HOST
    if not re.fullmatch(r"[A-Za-z0-9.-]+(:\d+)?", host):
        raise UsageError("GCE_METADATA_HOST is not a host name")
    path = "/computeMetadata/v1/instance/service-accounts/default/identity"
    url = with_query(f"http://{host}{path}", {"audience": job.audience, "format": "full"})
    response = job.send(
        Request(url=url, headers={"Metadata-Flavor": "Google"}, direct=True, purpose="reading the job's identity")
    )
    check_reply(response, "the metadata server")
    return response.body.decode(errors="replace").strip()


def detect(job: Job) -> bool:
    """Look for the variables of Google's services, or for Google in this machine's product name."""
    if job.has("GCE_METADATA_HOST") or job.has("K_SERVICE"):
        return True
    try:
        return PRODUCT.read_text().strip() in ("Google", "Google Compute Engine")
    except (OSError, ValueError):
        return False


SOURCE = Source(get=get, detect=detect, looks_for="Google's machines", ticket=("GCE_METADATA_HOST",))
