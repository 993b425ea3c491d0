"""django-allauth as an identity provider, with its own pages; the glue is a settings file."""

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

SCOPE = "openid email profile"
PORT = 8766
URLS = 'urlpatterns = [path("accounts/", include("allauth.urls")), path("", include("allauth.idp.urls"))]\n'
CLIENTS = f"""
from django.contrib.auth.hashers import make_password
from allauth.idp.oidc.models import Client
loopback = "http://127.0.0.1:{PORT}/callback"
grants = ["authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"]
for name, secret in (("public", None), ("confidential", {SECRET!r})):
    client = Client(id=name, name=name, type="confidential" if secret else "public")
    client.set_redirect_uris([loopback])
    client.set_scopes({SCOPE.split()!r})
    client.set_grant_types(grants if secret else [grant for grant in grants if "credentials" not in grant])
    client.secret = make_password(secret) if secret else ""
    client.save()
"""


def _install(cache: Path) -> str:
    return python_version(python_packages(cache, "allauth", "django-allauth[idp-oidc]", "requests"), "django-allauth")


@contextmanager
def serve(python: Path, folder: Path, seconds: int | None = SECONDS) -> Iterator[Server]:
    """Serve it with that Python; an access token lives some `seconds`, or as long as by default."""
    port = free_port()
    settings = f"""
INSTALLED_APPS += ["allauth", "allauth.account", "allauth.idp.oidc"]
INSTALLED_APPS.remove("django.contrib.admin")
MIDDLEWARE += ["allauth.account.middleware.AccountMiddleware"]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_EMAIL_VERIFICATION = "none"
LOGIN_URL = "/accounts/login/"
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
IDP_OIDC_PRIVATE_KEY = {rsa_key()!r}
IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN = {seconds or 3600}
IDP_OIDC_RATE_LIMITS = False
"""
    setup = [["shell", "-c", CLIENTS]]
    with project(python, folder, port, settings, URLS, setup, "/.well-known/openid-configuration"):
        yield Server(
            issuer=f"http://127.0.0.1:{port}",
            clients={
                "public": Client(client_id="public", scope=SCOPE, port=PORT),
                "confidential": Client(client_id="confidential", secret=SECRET, scope=SCOPE, port=PORT),
                "machine": Client(client_id="confidential", secret=SECRET, scope="profile"),
                "device": Client(client_id="public", scope=SCOPE),
            },
            sign_in=person.sign_in,
            lives=seconds,
        )


def _start(cache: Path, folder: Path) -> AbstractContextManager[Server]:
    return serve(cache / "allauth" / "bin" / "python", folder)


RECIPE = Recipe(name="allauth", install=_install, start=_start)
