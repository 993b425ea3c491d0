"""Better Auth with its OAuth provider (npm). It leaves the pages to the application around it: the person uses its API."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

from tests.bench.real_servers.parts import (
    PASSWORD,
    SECONDS,
    SECRET,
    Client,
    Recipe,
    Server,
    free_port,
    node_packages,
    node_version,
    started,
)

PORT = 8770
EMAIL = "alice@example.com"
SCOPE = "openid profile offline_access"
VERSION = "1.7.5"  # both packages in one version: the newest of each do not fit together


def _install(cache: Path) -> str:
    packages = (f"better-auth@{VERSION}", f"@better-auth/oauth-provider@{VERSION}")
    return node_version(node_packages(cache, "better_auth", "--legacy-peer-deps", *packages), "better-auth")


def _sign_in(url: str, origin: str) -> str:
    """Sign in, open the address, agree where the server leads to its page of consent, and follow it back."""
    opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))

    def post(path: str, body: Mapping[str, object]) -> Mapping[str, str]:
        headers = {"Content-Type": "application/json", "Origin": origin}
        request = Request(f"{origin}/api/auth{path}", json.dumps(body).encode(), headers)
        with opener.open(request, timeout=60) as answer:
            return dict(json.load(answer))

    post("/sign-in/email", {"email": EMAIL, "password": PASSWORD})
    try:
        with opener.open(url, timeout=60) as answer:
            return f"{answer.url} {answer.read(300)!r}"
    except HTTPError as page:  # the page of consent, which is left to the application
        with page:
            asked = urlsplit(page.url or "").query
    agreed = post("/oauth2/consent", {"accept": True, "oauth_query": asked})
    with opener.open(agreed["url"], timeout=60) as answer:
        return f"{answer.url} {answer.read(300)!r}"


@contextmanager
def _start(cache: Path, folder: Path) -> Iterator[Server]:
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    settings = {
        "origin": origin,
        "port": port,
        "seconds": SECONDS,
        "secret": SECRET,
        "email": EMAIL,
        "password": PASSWORD,
        "redirect_uri": f"http://127.0.0.1:{PORT}/callback",
    }
    program = cache / "better_auth" / "server.mjs"  # where its packages are found
    program.write_text(Path(__file__).with_suffix(".mjs").read_text())
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with started(["node", str(program), json.dumps(settings)], folder, f"{origin}/clients", environ=environ):
        with build_opener(ProxyHandler({})).open(f"{origin}/clients", timeout=30) as answer:
            clients = json.load(answer)
        yield Server(
            issuer=f"{origin}/api/auth",
            clients={
                "public": Client(client_id=clients["public"], scope=SCOPE, port=PORT),
                "confidential": Client(client_id=clients["confidential"], secret=SECRET, scope=SCOPE, port=PORT),
                "machine": Client(client_id=clients["confidential"], secret=SECRET, scope=""),
            },
            sign_in=partial(_sign_in, origin=origin),
        )


RECIPE = Recipe(name="better_auth", install=_install, start=_start)
