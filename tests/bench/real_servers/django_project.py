"""What the two authorization servers for Django share: a project with the shipped login page, and nothing else."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.bench.real_servers.parts import LOGIN, PASSWORD, run, started

SETTINGS = """
SECRET_KEY = "only for this test"
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite", "OPTIONS": {"timeout": 20}}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "urls"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
LOGIN_URL = "/admin/login/"
STATIC_URL = "/static/"
"""
ADMIN = "from django.contrib import admin\nfrom django.urls import include, path\n"
USER = (
    f"from django.contrib.auth import get_user_model as g; "
    f"g().objects.create_superuser({LOGIN!r}, 'alice@example.com', {PASSWORD!r})"
)


def rsa_key() -> str:
    """Make a private key in PEM, for the ID tokens."""
    return run(["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])


@contextmanager
def project(
    python: Path, folder: Path, port: int, settings: str, urls: str, setup: Sequence[Sequence[str]], well_known: str
) -> Iterator[None]:
    """Write the project, make its database, run the commands that register clients, and serve it."""
    (folder / "project_settings.py").write_text(SETTINGS + settings)
    (folder / "urls.py").write_text(ADMIN + urls)
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(folder),
        "DJANGO_SETTINGS_MODULE": "project_settings",
        "PYTHONUTF8": "1",
    }
    django = [str(python), "-m", "django"]
    for words in (["migrate", "-v", "0"], ["shell", "-c", USER], *setup):
        run([*django, *words], cwd=folder, environ=environ)
    serve = [*django, "runserver", "--noreload", f"127.0.0.1:{port}"]
    with started(serve, folder, f"http://127.0.0.1:{port}{well_known}", environ=environ):
        yield
