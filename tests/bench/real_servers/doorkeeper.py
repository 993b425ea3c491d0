"""Doorkeeper with doorkeeper-openid_connect (Debian packages), the authorization server of many Rails applications."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.real_servers import person
from tests.bench.real_servers.parts import (
    SECONDS,
    SECRET,
    Client,
    Recipe,
    Server,
    debian_packages,
    free_port,
    run,
    started,
)

PORT = 8769
SCOPE = "openid read"
PACKAGES = ("ruby-doorkeeper", "ruby-doorkeeper-openid-connect", "ruby-railties", "ruby-sqlite3", "puma", "openssl")


def _install(cache: Path) -> str:
    return debian_packages(*PACKAGES)


@contextmanager
def _start(cache: Path, folder: Path) -> Iterator[Server]:
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    key = folder / "key.pem"
    run(["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-out", str(key)])
    settings = {
        "folder": str(folder),
        "origin": origin,
        "key": str(key),
        "seconds": SECONDS,
        "redirect_uri": f"http://127.0.0.1:{PORT}/callback",
        "clients": {"public": None, "confidential": SECRET},
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "RAILS_ENV": "production",
        "DATABASE_URL": f"sqlite3:{folder}/db.sqlite?timeout=20000",
        "SETTINGS": str(folder / "settings.json"),
    }
    command = ["puma", "--bind", f"tcp://127.0.0.1:{port}", str(Path(__file__).with_suffix(".ru"))]
    with started(command, folder, f"{origin}/.well-known/openid-configuration", environ=environ):
        yield Server(
            issuer=origin,
            clients={
                "public": Client(client_id="public", scope=SCOPE, port=PORT),
                "confidential": Client(client_id="confidential", secret=SECRET, scope=SCOPE, port=PORT),
                "machine": Client(client_id="confidential", secret=SECRET, scope="read"),
            },
            sign_in=person.sign_in,
        )


RECIPE = Recipe(name="doorkeeper", install=_install, start=_start)
