"""django-oauth-toolkit (oauthlib) with its own pages; the glue is a settings file.

Its metadata names no device authorization endpoint, so that no device signs in there without a setting.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.bench.real_servers import person
from tests.bench.real_servers.django_project import project, rsa_key
from tests.bench.real_servers.parts import (
    SECONDS,
    SECRET,
    Client,
    Recipe,
    Server,
    free_port,
    python_packages,
    python_version,
)

SCOPE = "openid read"


def _install(cache: Path) -> str:
    return python_version(python_packages(cache, "oauth_toolkit", "django-oauth-toolkit"), "django-oauth-toolkit")


def _client(client_id: str, kind: str, grant: str, secret: str | None, redirect: str) -> list[str]:
    words = ["createapplication", kind, grant, "--client-id", client_id, "--name", client_id, "--user", "1"]
    words += ["--redirect-uris", redirect, "--algorithm", "RS256"]
    return words + ([f"--client-secret={secret}"] if secret else [])


@contextmanager
def serve(python: Path, folder: Path, seconds: int | None = SECONDS) -> Iterator[Server]:
    """Serve it with that Python; an access token lives some `seconds`, or as long as by default."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    settings = f"""
INSTALLED_APPS += ["oauth2_provider"]
OAUTH2_PROVIDER = {{
    "OIDC_ENABLED": True,
    "OIDC_RSA_PRIVATE_KEY": {rsa_key()!r},
    "SCOPES": {{"openid": "Who you are", "read": "Read", "write": "Write"}},
    "ACCESS_TOKEN_EXPIRE_SECONDS": {seconds or 36000},
}}
"""
    urls = 'urlpatterns = [path("admin/", admin.site.urls), path("o/", include("oauth2_provider.urls"))]\n'
    loopback = "http://127.0.0.1/callback"
    setup = [
        _client("public", "public", "authorization-code", None, loopback),
        _client("confidential", "confidential", "authorization-code", SECRET, loopback),
        _client("machine", "confidential", "client-credentials", SECRET, ""),
    ]
    with project(python, folder, port, settings, urls, setup, "/o/.well-known/openid-configuration"):
        yield Server(
            issuer=f"{origin}/o",
            clients={
                "public": Client(client_id="public", scope=SCOPE),
                "confidential": Client(client_id="confidential", secret=SECRET, scope=SCOPE),
                "machine": Client(client_id="machine", secret=SECRET, scope="read"),
            },
            sign_in=person.sign_in,
            lives=seconds,
        )


def _start(cache: Path, folder: Path) -> AbstractContextManager[Server]:
    return serve(cache / "oauth_toolkit" / "bin" / "python", folder)


RECIPE = Recipe(name="oauth_toolkit", install=_install, start=_start)
