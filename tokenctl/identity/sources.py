"""Ambient identity: the token with which a CI platform or a cluster says who this job is. No stored secret anywhere.

One function a source; each asks afresh, because such tokens live for minutes. `auto` takes the first source whose
signs are there.
"""

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tokenctl.errors import Refused, UsageError
from tokenctl.model.profile import Profile
from tokenctl.oauth.claims import unverified_claims
from tokenctl.oauth.wire import Request, Response, describe, json_object, overloaded, safe_url, try_later, with_query

PATIENCE = 30
"""Seconds that a command may take to get a token."""
LARGEST = 256 * 1024
"""Bytes of a token in a file."""
KUBERNETES = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
METADATA_HOST = "metadata.google.internal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to look: the job's environment, and how to send a request."""

    profile: Profile
    environ: Mapping[str, str]
    send: Callable[[Request], Response]

    @property
    def audience(self) -> str:
        """Whom the token is for: what the profile says, else the issuer."""
        return self.profile.source_audience or self.profile.issuer or ""


def token(place: Place, now: int) -> str:
    """Get the job's identity token from the profile's source. `now` is epoch seconds.

    Raises UsageError when there is none, Refused when it cannot be used, Unreachable when its issuer cannot be asked.
    """
    name = place.profile.source
    found = SOURCES[_detected(place) if name == "auto" else name].get(place)
    if not found or len(found) > LARGEST or not all("!" <= each <= "~" for each in found):
        raise Refused(f"the identity from {name} is no token")
    expires_at = unverified_claims(found).get("exp")
    if isinstance(expires_at, int | float) and expires_at <= now:
        raise Refused(
            f"the identity token from {name} has expired",
            hint="let the job get a new one; is this machine's clock right?",
        )
    return found


def _detected(place: Place) -> str:
    for name, source in SOURCES.items():
        if source.sign(place):
            return name
    looked = "; ".join(f"{name}: {source.looks_for}" for name, source in SOURCES.items())
    raise UsageError(
        "this job has no identity that tokenctl knows",
        hint=f"looked for {looked}. On GitHub the job needs 'permissions: id-token: write'",
    )


def _variable(place: Place, name: str) -> str:
    value = (place.environ.get(name) or "").strip()
    if not value:
        raise UsageError(f"the identity token should be in the variable {name}, and that is not set")
    return value


def _file(place: Place) -> str:
    if not place.profile.source_file:
        raise UsageError("the source file needs source_file in the profile: the path of the identity token")
    return _read(Path(place.profile.source_file))


def _kubernetes(place: Place) -> str:
    return _read(Path(place.profile.source_file or KUBERNETES))


def _read(path: Path) -> str:
    try:
        path = path.expanduser()
        with path.open("rb") as file:  # afresh each time: such files are replaced while the job runs
            return file.read(LARGEST + 1).decode().strip()
    except (OSError, ValueError, RuntimeError) as reason:  # RuntimeError: ~ of nobody
        cause = reason.strerror if isinstance(reason, OSError) else "it is not text"
        raise UsageError(f"the identity token cannot be read from {path}: {cause}") from None


def _command(place: Place, words: tuple[str, ...]) -> str:
    if not words:
        raise UsageError("source = command needs source_command", hint='such as ["spire-agent", "api", "fetch", "jwt"]')
    try:
        done = subprocess.run(
            words,
            env=dict(place.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=PATIENCE,
            check=True,
        )
        return done.stdout.decode().strip()
    except subprocess.CalledProcessError as error:
        reason = f"exit status {error.returncode}"
    except subprocess.TimeoutExpired:
        reason = f"no answer within {PATIENCE} s"
    except OSError as error:
        reason = error.strerror or "it cannot be run"
    except ValueError:
        reason = "it printed no text"
    raise UsageError(f"the identity command {words[0]!r:.80} failed: {reason}")


def _github(place: Place) -> str:
    url = safe_url(_variable(place, "ACTIONS_ID_TOKEN_REQUEST_URL"), "ACTIONS_ID_TOKEN_REQUEST_URL")
    bearer = {"Authorization": f"Bearer {_variable(place, 'ACTIONS_ID_TOKEN_REQUEST_TOKEN')}"}
    request = Request(url=with_query(url, {"audience": place.audience}), headers=bearer)
    return _member(place.send(request), "value", "GitHub")


def _azure(place: Place) -> str:
    url = safe_url(_variable(place, "SYSTEM_OIDCREQUESTURI"), "SYSTEM_OIDCREQUESTURI")
    if not place.profile.service_connection:
        raise UsageError("the source azure needs service_connection in the profile: the id of the service connection")
    query = {"api-version": "7.1", "serviceConnectionId": place.profile.service_connection}
    bearer = {"Authorization": f"Bearer {_variable(place, 'SYSTEM_ACCESSTOKEN')}", "X-TFS-FedAuthRedirect": "Suppress"}
    return _member(place.send(Request(url=with_query(url, query), json="{}", headers=bearer)), "oidcToken", "Azure")


def _gcp(place: Place) -> str:
    # Plain http to a link-local name, as the platform has it; the answer's signature is what is trusted.
    host = place.environ.get("GCE_METADATA_HOST") or METADATA_HOST
    path = "/computeMetadata/v1/instance/service-accounts/default/identity"
    if not re.fullmatch(r"[A-Za-z0-9.-]+(:\d+)?", host):
        raise UsageError("GCE_METADATA_HOST is no host")
    url = with_query(f"http://{host}{path}", {"audience": place.audience, "format": "full"})
    response = place.send(Request(url=url, headers={"Metadata-Flavor": "Google"}, direct=True))
    _check(response, "the metadata server")
    return response.body.decode(errors="replace").strip()


def _circleci(place: Place) -> str:
    if place.profile.source_audience:
        claims = json.dumps({"aud": place.profile.source_audience})
        return _command(place, ("circleci", "run", "oidc", "get", "--claims", claims))
    return place.environ.get("CIRCLE_OIDC_TOKEN_V2") or _variable(place, "CIRCLE_OIDC_TOKEN")


def _buildkite(place: Place) -> str:
    return _command(place, ("buildkite-agent", "oidc", "request-token", "--audience", place.audience))


def _member(response: Response, name: str, who: str) -> str:
    _check(response, who)
    try:
        found = json_object(response.body).get(name)
    except ValueError:
        found = None
    if not isinstance(found, str):
        raise Refused(f"{who} answered without an identity token ({describe(response)})")
    return found


def _check(response: Response, who: str) -> None:
    if overloaded(response):
        raise try_later(response, who)
    if response.status != 200:
        raise Refused(f"{who} gives this job no identity token ({describe(response)})", hint="may the job ask for one?")


def _set(*names: str) -> Callable[[Place], bool]:
    return lambda place: all(place.environ.get(name) for name in names)


def _on_google(place: Place) -> bool:
    if place.environ.get("GCE_METADATA_HOST") or place.environ.get("K_SERVICE"):
        return True
    try:
        return Path("/sys/class/dmi/id/product_name").read_text().strip() in ("Google", "Google Compute Engine")
    except (OSError, ValueError):
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One platform: how to get its token, and the sign that we are there."""

    get: Callable[[Place], str]
    sign: Callable[[Place], bool] = lambda place: False
    looks_for: str = "only by name"


def _gitlab_variable(place: Place) -> str:
    return place.profile.source_variable or "TOKENCTL_ID_TOKEN"


SOURCES: Mapping[str, Source] = {
    "github": Source(get=_github, sign=_set("ACTIONS_ID_TOKEN_REQUEST_URL"), looks_for="ACTIONS_ID_TOKEN_REQUEST_URL"),
    "gitlab": Source(
        get=lambda place: _variable(place, _gitlab_variable(place)),
        sign=lambda place: bool(place.environ.get("GITLAB_CI")) and bool(place.environ.get(_gitlab_variable(place))),
        looks_for="GITLAB_CI and TOKENCTL_ID_TOKEN (or source_variable)",
    ),
    "circleci": Source(
        get=_circleci,
        sign=lambda place: bool(place.environ.get("CIRCLE_OIDC_TOKEN_V2") or place.environ.get("CIRCLE_OIDC_TOKEN")),
        looks_for="CIRCLE_OIDC_TOKEN",
    ),
    "buildkite": Source(get=_buildkite, sign=_set("BUILDKITE"), looks_for="BUILDKITE"),
    "azure": Source(get=_azure, sign=_set("SYSTEM_OIDCREQUESTURI"), looks_for="SYSTEM_OIDCREQUESTURI"),
    "kubernetes": Source(
        get=_kubernetes,
        sign=lambda place: os.path.exists(place.profile.source_file or KUBERNETES),
        looks_for=str(KUBERNETES),
    ),
    "gcp": Source(get=_gcp, sign=_on_google, looks_for="Google's machines"),
    "file": Source(get=_file),
    "env": Source(get=lambda place: _variable(place, place.profile.source_variable or "TOKENCTL_ID_TOKEN")),
    "command": Source(get=lambda place: _command(place, place.profile.source_command)),
}
