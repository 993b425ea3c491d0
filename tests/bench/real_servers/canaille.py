"""Canaille, a small identity server in Python (Flask, Authlib), with SQLite."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.real_servers import person
from tests.bench.real_servers.parts import (
    LOGIN,
    PASSWORD,
    SECRET,
    Client,
    Recipe,
    Server,
    free_port,
    python_packages,
    python_version,
    run,
    started,
)

PORT = 8765
SCOPE = "openid profile email offline_access"


def _install(cache: Path) -> str:
    return python_version(python_packages(cache, "canaille", "canaille[front,oidc,sqlite,server]"), "canaille")


@contextmanager
def _start(cache: Path, folder: Path) -> Iterator[Server]:
    port = free_port()
    command = str(cache / "canaille" / "bin" / "canaille")
    config = folder / "canaille.toml"
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "CANAILLE_CONFIG": str(config)}
    settings = f"""
SECRET_KEY = "only for this test"
SERVER_NAME = "127.0.0.1:{port}"
PREFERRED_URL_SCHEME = "http"
[CANAILLE]
DATABASE = "sql"
[CANAILLE_SQL]
DATABASE_URI = "sqlite:///{folder}/canaille.sqlite"
"""
    config.write_text(settings)
    run([command, "install"], environ=environ, cwd=folder)
    user = ["--user-name", LOGIN, "--password", PASSWORD, "--family-name", "A", "--emails", "alice@example.com"]
    run([command, "create", "user", *user], environ=environ, cwd=folder)
    for name, secret in (("public", None), ("confidential", SECRET)):
        words = [command, "create", "client", "--client-id", name, "--client-name", name]
        words += ["--redirect-uris", f"http://127.0.0.1:{PORT}/callback", "--response-types", "code"]
        words += ["--client-uri", "https://client.example"]
        words += [word for scope in SCOPE.split() for word in ("--scope", scope)]
        for grant in ("authorization_code", "refresh_token", "client_credentials"):
            words += ["--grant-types", grant]
        words += ["--token-endpoint-auth-method", "client_secret_basic" if secret else "none"]
        words += ["--client-secret", secret] if secret else []
        run(words, environ=environ, cwd=folder)
        # The administrator's page does this by itself: the ID tokens of a client are meant for that client.
        run([command, "set", "client", name, "--audience", name], environ=environ, cwd=folder)
    issuer = f"http://127.0.0.1:{port}"
    well_known = f"{issuer}/.well-known/openid-configuration"
    with started([command, "run", "--bind", f"127.0.0.1:{port}"], folder, well_known, environ=environ):
        yield Server(
            issuer=issuer,
            clients={
                "public": Client(client_id="public", port=PORT, scope=SCOPE),
                "confidential": Client(client_id="confidential", secret=SECRET, port=PORT, scope=SCOPE),
                "machine": Client(client_id="confidential", secret=SECRET, scope="profile"),
            },
            sign_in=person.sign_in,
            only_secrets_revoke=True,
            lives=None,
        )


RECIPE = Recipe(name="canaille", install=_install, start=_start)
