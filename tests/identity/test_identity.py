"""A job's identity: every source, against what stands in for its platform, and what happens when there is none."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from tokenctl import identity as identities
from tokenctl.errors import Refused, TokenctlError, Unreachable, UsageError
from tokenctl.identity import SOURCES
from tokenctl.identity.kubernetes import TOKEN_FILE
from tokenctl.identity.source import Job
from tokenctl.model.profile import Profile
from tokenctl.oauth.wire import Request, Response

NOW = 1_800_000_000


def identity(**claims: object) -> str:
    """A job's identity token."""
    return jwt.encode({"sub": "job", "exp": NOW + 300, **claims}, "k" * 32, algorithm="HS256")


TOKEN = identity()


class Platform:
    """A platform's endpoint: remembers what was asked, and answers what it is told to."""

    def __init__(self, document: object = None, *, body: bytes = b"", status: int = 200) -> None:
        self.asked: list[Request] = []
        self._response = Response(
            status=status, received_at=NOW, body=body or json.dumps(document).encode(), content_type="application/json"
        )

    def __call__(self, request: Request) -> Response:
        self.asked.append(request)
        return self._response


def nobody(request: Request) -> Response:
    """A network where nobody is asked."""
    raise AssertionError(f"{request.url} was asked")


def ask(environ: dict[str, str], send: Callable[[Request], Response] = nobody, **members: Any) -> str:
    """Get the identity of a job with this environment."""
    profile = Profile(name="t", issuer="https://as.example", client_id="c", flow="workload", **members)
    return identities.token(Job(profile=profile, environ=environ, send=send), NOW)


@pytest.mark.parametrize("members", [{}, {"source": "github"}])
def test_github(members: dict[str, Any]) -> None:
    """The job's own token asks for one, with the audience in the query, and is sent nowhere but there."""
    platform = Platform({"value": TOKEN})
    environ = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": "https://run.example/id?v=1",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "job-secret",
    }
    assert ask(environ, platform, source_audience="https://api.example/a b", **members) == TOKEN
    (request,) = platform.asked
    assert parse_qs(urlsplit(request.url).query) == {"v": ["1"], "audience": ["https://api.example/a b"]}
    assert request.headers == {"Authorization": "Bearer job-secret"} and "job-secret" not in repr(request)


def test_azure() -> None:
    """A POST with the service connection's id; that the profile must name."""
    platform = Platform({"oidcToken": TOKEN})
    environ = {"SYSTEM_OIDCREQUESTURI": "https://dev.example/oidctoken", "SYSTEM_ACCESSTOKEN": "job-secret"}
    assert ask(environ, platform, service_connection="sc-1") == TOKEN
    (request,) = platform.asked
    assert request.method == "POST" and request.headers["X-TFS-FedAuthRedirect"] == "Suppress"
    assert parse_qs(urlsplit(request.url).query) == {"api-version": ["7.1"], "serviceConnectionId": ["sc-1"]}
    with pytest.raises(UsageError, match="service_connection"):
        ask(environ, platform)


def test_gcp() -> None:
    """The metadata server answers the token itself, to whoever says the right header."""
    platform = Platform(body=TOKEN.encode() + b"\n")
    assert ask({"GCE_METADATA_HOST": "127.0.0.1:1"}, platform) == TOKEN
    (request,) = platform.asked
    assert request.headers == {"Metadata-Flavor": "Google"} and "audience=https%3A%2F%2Fas.example" in request.url
    assert request.direct, "a proxy's own metadata server would answer, with the proxy's identity"
    with pytest.raises(UsageError, match="GCE_METADATA_HOST"):
        ask({"GCE_METADATA_HOST": "as.example/x?"}, platform, source="gcp")


def test_a_home_folder_of_nobody() -> None:
    """A file below the home of a user who does not exist is one that cannot be read."""
    with pytest.raises(UsageError, match="cannot be read from ~nobody-of-that-name/token"):
        ask({}, source="file", source_file="~nobody-of-that-name/token")


def test_gitlab() -> None:
    """The variable that the job's id_tokens names."""
    assert ask({"GITLAB_CI": "true", "TOKENCTL_ID_TOKEN": TOKEN}) == TOKEN
    assert ask({"GITLAB_CI": "true", "MINE": TOKEN}, source_variable="MINE") == TOKEN
    with pytest.raises(UsageError, match="MINE"):
        ask({"GITLAB_CI": "true"}, source="gitlab", source_variable="MINE")


def program(folder: Path, name: str, script: str) -> dict[str, str]:
    """Put a platform's program into PATH."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


def test_circleci(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newer variable first; with an audience of the profile's own, the platform's program."""
    assert ask({"CIRCLE_OIDC_TOKEN": TOKEN}) == TOKEN
    assert ask({"CIRCLE_OIDC_TOKEN": "old", "CIRCLE_OIDC_TOKEN_V2": TOKEN}) == TOKEN
    environ = program(tmp_path, "circleci", f'test "$*" = \'run oidc get --claims {{"aud": "a"}}\' && echo {TOKEN}')
    monkeypatch.setenv("PATH", environ["PATH"])
    assert ask({**environ, "CIRCLE_OIDC_TOKEN": "x"}, source_audience="a") == TOKEN


def test_buildkite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The agent is asked for a token for the issuer."""
    script = f'test "$*" = "oidc request-token --audience https://as.example" && echo {TOKEN}'
    environ = program(tmp_path, "buildkite-agent", script)
    monkeypatch.setenv("PATH", environ["PATH"])
    assert ask({**environ, "BUILDKITE": "true"}) == TOKEN


def test_a_file_is_read_afresh(tmp_path: Path) -> None:
    """A projected token is replaced while the job runs."""
    path = tmp_path / "token"
    path.write_text(identity(jti="1") + "\n")
    first = ask({}, source="file", source_file=str(path))
    path.write_text(identity(jti="2"), encoding="utf-8-sig")
    assert ask({}, source="kubernetes", source_file=str(path)) == identity(jti="2") != first
    with pytest.raises(UsageError, match="absent"):
        ask({}, source="file", source_file=str(tmp_path / "absent"))


def test_a_file_that_cannot_be_looked_for_is_not_there() -> None:
    """The search for the platform goes on, and lists in the end what it looked for."""
    with pytest.raises(UsageError, match="no identity that tokenctl knows"):
        ask({}, source_file="/" + "n" * 5000)


def test_the_source_file_is_no_clusters() -> None:
    """Without source_file it is a configuration that lacks it, and never the cluster's service account."""
    with pytest.raises(UsageError, match="needs source_file"):
        ask({}, source="file")
    if not TOKEN_FILE.exists():
        with pytest.raises(UsageError, match=str(TOKEN_FILE)):
            ask({}, source="kubernetes")


def test_any_variable_and_any_command() -> None:
    """What no platform's name stands for."""
    assert ask({"X": TOKEN}, source="env", source_variable="X") == TOKEN
    assert ask({}, source="command", source_command=("echo", TOKEN)) == TOKEN
    for command in ((), ("false",), ("/nonexistent",)):
        with pytest.raises(UsageError):
            ask({}, source="command", source_command=command)


def test_without_any_sign_the_places_are_named() -> None:
    """Exit 2, and what was looked for, so that a job can be mended."""
    with pytest.raises(UsageError) as caught:
        ask({}, source_file="/nonexistent")
    assert all(
        each in (caught.value.hint or "") for each in ("github", "TOKENCTL_ID_TOKEN", "BUILDKITE", "CIRCLE_OIDC_TOKEN")
    )


PLATFORMS = {
    "GITHUB_ACTIONS": "ACTIONS_ID_TOKEN_REQUEST_URL",
    "GITLAB_CI": "TOKENCTL_ID_TOKEN",
    "CIRCLECI": "CIRCLE_OIDC_TOKEN",
    "TF_BUILD": "SYSTEM_OIDCREQUESTURI",
}


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("machine", [{"GCE_METADATA_HOST": "127.0.0.1:1"}, {}])
def test_a_job_without_an_identity_does_not_take_the_machines(
    tmp_path: Path, platform: str, machine: dict[str, str]
) -> None:
    """A runner in a cluster has an identity too, that any pull request could use: it is 2, with what the job lacks."""
    (tmp_path / "token").write_text(TOKEN)
    environ = {platform: "true", **machine}
    with pytest.raises(UsageError, match=f"{PLATFORMS[platform]}.* is not set") as caught:
        ask(environ, source_file=str(tmp_path / "token"))
    assert "source in the profile" in (caught.value.hint or "")
    assert ask(environ, source="kubernetes", source_file=str(tmp_path / "token")) == TOKEN
    assert ask({**environ, "TOKENCTL_ID_TOKEN": TOKEN}) == TOKEN


@pytest.mark.parametrize(
    ("found", "error"),
    [
        ("", UsageError),
        ("two\nlines", Refused),
        ("ümlaut", Refused),
        ("x" * 300_000, Refused),
        (identity(exp=NOW), Refused),
        (identity(exp=NOW - 1), Refused),
    ],
)
def test_what_is_no_token_goes_nowhere(found: str, error: type[TokenctlError]) -> None:
    """Expired or malformed, it is not presented, and not shown."""
    with pytest.raises(error) as caught:
        ask({"X": found}, source="env", source_variable="X")
    assert not found or found[:12] not in caught.value.message


@pytest.mark.parametrize(
    ("platform", "error"),
    [
        (Platform({}), Refused),
        (Platform({"value": 7}), Refused),
        (Platform(body=b"<html>"), Refused),
        (Platform({"message": "job-secret"}, status=403), Refused),
        (Platform({}, status=503), Unreachable),
    ],
)
def test_a_platform_that_gives_none(platform: Platform, error: type[TokenctlError]) -> None:
    """No permission, nonsense, or overloaded: an error of its kind that holds nothing of the job's secret."""
    environ = {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://run.example/", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "job-secret"}
    with pytest.raises(error) as caught:
        ask(environ, platform)
    assert "job-secret" not in caught.value.message


def test_a_jobs_secret_goes_only_where_it_is_safe() -> None:
    """https, or this machine."""
    environ = {"ACTIONS_ID_TOKEN_REQUEST_URL": "http://run.example/", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "job-secret"}
    with pytest.raises(Refused, match="https"):
        ask(environ)


def test_every_source_of_a_profile_is_there() -> None:
    """The names that a profile may say are those that are implemented."""
    from tokenctl.model.choices import SOURCES as NAMES

    assert set(NAMES) == {"auto", *SOURCES}
