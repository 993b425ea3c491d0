"""A job with its platform's identity, in each of the three ways, at servers that check its signature, audience and expiry."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.servers.child import Child
from tests.servers.faulty_server import Override, Reply, json_reply
from tests.servers.oidc_provider import OidcProvider
from tests.support.aging import age
from tests.support.commandline import Home, Result
from tests.support.demo_server import Make
from tests.support.job_identity import AUDIENCE, JWK, PLATFORM, identity, platform
from tests.support.real_parts import Missing, available
from tokenctl.model.choices import SOURCES

pytestmark = pytest.mark.real


@contextmanager
def authlib() -> Iterator[str]:
    """Authlib's server; its address."""
    if not (find_spec("authlib") and find_spec("flask")):
        raise Missing("PyPI packages authlib and flask not installed")
    settings = {"issuer": PLATFORM, "audience": AUDIENCE, "jwk": JWK}
    with Child([sys.executable, "-W", "ignore", "-m", "tests.servers.authlib_app", json.dumps(settings)]) as child:
        yield str(child.hello["address"])


def exec_with(home: Home, issuer: str, token: str, **environ: str) -> Result:
    """Run a job that has nothing but its environment, and print its access token."""
    return home.run(
        *("exec", "--", "printenv", "ACCESS_TOKEN"),
        environ={
            "TOKENCTL_ISSUER": issuer,
            "TOKENCTL_CLIENT_ID": "job",
            "TOKENCTL_FLOW": "workload",
            "TOKENCTL_SOURCE": "env",
            "TOKENCTL_ID_TOKEN": token,
            **environ,
        },
    )


@pytest.fixture
def job(tmp_path: Path) -> Home:
    """A HOME without anything in it."""
    home = Home(tmp_path / "home", store="keyring")
    (home.folder / "passphrase").unlink()
    return home


WRONG: list[dict[str, Any]] = [{"aud": "https://other.example"}, {"iss": "https://evil.example"}, {"exp": 1}]


def test_token_exchange(job: Home) -> None:
    """RFC 8693: the identity is exchanged, nothing is written; a wrong one is 5, without any of it in the message."""
    with available(), OidcProvider(platform=platform()) as provider:
        before = job.snapshot()
        result = exec_with(job, provider.issuer, identity())
        assert result.status == 0 and result.stdout.count(".") == 2, result.stderr
        assert job.snapshot() == before == {}
        for changes in WRONG:
            token = identity(**changes)
            refused = exec_with(job, provider.issuer, token)
            assert refused.status == 125 and refused.stderr.count("tokenctl: error: ") == 1
            assert token[40:80] not in refused.stderr
        forged = jwt.encode(jwt.decode(identity(), options={"verify_signature": False}), "k" * 32, algorithm="HS256")
        assert exec_with(job, provider.issuer, forged).status == 125
        assert provider.count(route="token", status=200) == 1


@pytest.mark.quick
@pytest.mark.parametrize("kind", ["refresh_token", "jwt", "id_token"])
def test_another_kind_of_token_than_asked_for_is_refused(job: Home, kind: str) -> None:
    """What stands in the place of an access token is not handed out, and the error names both kinds."""
    kind = f"urn:ietf:params:oauth:token-type:{kind}"
    with available(), OidcProvider(platform=platform(), issued_token_type=kind) as provider:
        result = exec_with(job, provider.issuer, identity())
        assert (result.status, result.stdout) == (125, "") and result.stderr.count("tokenctl: error: ") == 1
        assert kind in result.stderr and "urn:ietf:params:oauth:token-type:access_token" in result.stderr


def test_jwt_bearer(job: Home) -> None:
    """RFC 7523 section 2.1 at Authlib's server: the identity is the grant."""
    with available(), authlib() as issuer:
        result = exec_with(job, issuer, identity(), TOKENCTL_IDENTITY_USE="jwt-bearer")
        assert result.status == 0 and result.stdout.strip(), result.stderr
        for changes in WRONG:
            assert exec_with(job, issuer, identity(**changes), TOKENCTL_IDENTITY_USE="jwt-bearer").status == 125


def test_as_the_clients_assertion(job: Home) -> None:
    """RFC 7523 section 2.2: a platform that speaks as the client proves it at the certified server."""
    with available(), OidcProvider(keyed_clients=[("job", "RS256", JWK)]) as provider:

        def mine(**changes: object) -> str:
            return identity(**{"iss": "job", "sub": "job", "aud": provider.issuer, **changes})

        use = {"TOKENCTL_IDENTITY_USE": "client-assertion"}
        result = exec_with(job, provider.issuer, mine(), **use)
        assert result.status == 0 and result.stdout.count(".") == 2, result.stderr
        for changes in ({"aud": AUDIENCE}, {"sub": "another"}, {"exp": 1}):
            assert exec_with(job, provider.issuer, mine(**changes), **use).status == 125
        assert provider.count(grant_type="client_credentials", status=200) == 1


def test_a_job_that_keeps_its_session_renews_by_its_identity(home: Home, tmp_path: Path) -> None:
    """With a store, the session is kept; when the token is used up the identity is read afresh and presented again."""
    token = tmp_path / "identity"
    with available(), OidcProvider(platform=platform()) as provider:
        home.write_config(
            f'[profiles.t]\nissuer = "{provider.issuer}"\nclient_id = "job"\nflow = "workload"\n'
            f'source = "file"\nsource_file = "{token}"\n'
        )
        token.write_text(identity(jti="1"))
        login = home.run("login")
        assert login.status == 0, login.stderr
        first = home.run("token").stdout
        token.write_text(identity(jti="2"))
        age(home)
        results = home.race(8, "token", "--min-ttl", "0")
        assert {each.status for each in results} == {0} and first not in {each.stdout for each in results}
        token.unlink()
        age(home)
        lost = home.run("token")
        assert lost.status == 2 and str(token) in lost.stderr
        token.write_text(identity(jti="3"))
        assert home.run("token").status == 0


def _programs(folder: Path, token: str) -> str:
    """Put the platforms' own programs into a folder, each of which prints the identity."""
    for name in ("circleci", "buildkite-agent", "spire-agent"):
        (folder / name).write_text(f"#!/bin/sh\necho {token}\n")
        (folder / name).chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def _endpoints(token: str) -> dict[str, Override]:
    """The platforms' own endpoints, each of which gives the identity."""
    metadata = "/computeMetadata/v1/instance/service-accounts/default/identity"
    return {
        "/github": lambda _: json_reply({"value": token}),
        "/azure": lambda _: json_reply({"oidcToken": token}),
        metadata: lambda _: Reply(status=200, body=token.encode()),
    }


def _job_of(source: str, address: str, folder: Path, token: str) -> tuple[dict[str, str], str]:
    """What a job of that platform has in its environment, and what its profile says beside the source."""
    (folder / "identity").write_text(token + "\n")
    match source:
        case "github":
            return {"ACTIONS_ID_TOKEN_REQUEST_URL": f"{address}/github", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "job"}, ""
        case "azure":
            environ = {"SYSTEM_OIDCREQUESTURI": f"{address}/azure", "SYSTEM_ACCESSTOKEN": "job"}
            return environ, 'service_connection = "sc"\n'
        case "gcp":
            return {"GCE_METADATA_HOST": address.removeprefix("http://")}, ""
        case "gitlab":
            return {"GITLAB_CI": "true", "TOKENCTL_ID_TOKEN": token}, ""
        case "circleci":
            return {}, f'source_audience = "{AUDIENCE}"\n'
        case "kubernetes" | "file":
            return {}, f'source_file = "{folder}/identity"\n'
        case "env":
            return {"MINE": token}, 'source_variable = "MINE"\n'
        case "command":
            return {}, 'source_command = ["spire-agent", "api", "fetch", "jwt"]\n'
    return {}, ""


@pytest.mark.parametrize("source", [each for each in SOURCES if each != "auto"])
def test_every_source_ends_in_a_token(home: Home, make_server: Make, tmp_path: Path, source: str) -> None:
    """Each platform's identity, got in the platform's own way, is taken by a server that checks it; an expired one is not."""
    runner = make_server()
    home.environ.pop("TOKENCTL_STORE")
    with available(), OidcProvider(platform=platform()) as provider:
        for changes, status in (({}, 0), ({"exp": 1}, 125)):
            token = identity(**changes)
            runner.overrides = _endpoints(token)
            environ, more = _job_of(source, runner.issuer, tmp_path, token)
            home.write_config(
                f'[profiles.t]\nissuer = "{provider.issuer}"\nclient_id = "job"\nflow = "workload"\nstore = "memory"\n'
                f'source = "{source}"\n{more}'
            )
            environ |= {"PATH": _programs(tmp_path, token)}
            result = home.run("exec", "-p", "t", "--", "printenv", "ACCESS_TOKEN", environ=environ)
            assert (result.status, result.stdout.count(".")) == (status, 0 if status else 2), result.stderr
            assert token[40:80] not in result.stderr
        assert provider.count(route="token", status=200) == 1
