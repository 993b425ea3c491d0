"""Glewlwyd, an identity server in C (Debian package), with SQLite; set up by its own administration API.

Its login page is a program in the browser; the person uses the API that this page uses.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from urllib.request import HTTPCookieProcessor, OpenerDirector, ProxyHandler, Request, build_opener

from tests.bench.real_servers.parts import (
    LOGIN,
    PASSWORD,
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

PORT = 8767
SCOPE = "openid read"
SCHEMA = Path("/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3")
ADMIN = {"username": "admin", "password": "password"}
GRANTS = ["code", "refresh_token", "delete_token", "device_authorization", "client_credentials"]


def _install(cache: Path) -> str:
    return debian_packages("glewlwyd", "openssl")


def _configuration(folder: Path, port: int) -> str:
    return f"""
port={port}
bind_address="127.0.0.1"
external_url="http://127.0.0.1:{port}/"
login_url="login.html"
api_prefix="api"
log_mode="console"
log_level="WARNING"
cookie_secure=0
session_expiration=2419200
session_key="GLEWLWYD2_SESSION_ID"
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="/usr/lib/glewlwyd/user"
client_module_path="/usr/lib/glewlwyd/client"
user_auth_scheme_module_path="/usr/lib/glewlwyd/scheme"
plugin_module_path="/usr/lib/glewlwyd/plugin"
static_files_path="/usr/share/glewlwyd/webapp/"
use_secure_connection=false
secure_connection_key_file=""
secure_connection_pem_file=""
hash_algorithm="SHA512"
database = {{ type = "sqlite3" path = "{folder}/glewlwyd.sqlite" }};
"""


class _Visitor:
    """Somebody with cookies, who speaks JSON."""

    def __init__(self, origin: str, login: Mapping[str, str]) -> None:
        self.origin = origin
        self.opener: OpenerDirector = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))
        self.send("POST", "/api/auth/", login)

    def send(self, method: str, path: str, body: object) -> None:
        """Send a document to the API; raises HTTPError where it is refused."""
        headers = {"Content-Type": "application/json"}
        request = Request(self.origin + path, json.dumps(body).encode(), headers, method=method)
        self.opener.open(request, timeout=30).close()


def _set_up(origin: str, folder: Path) -> None:
    run(["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-out", str(folder / "key.pem")])
    public = run(["openssl", "pkey", "-in", str(folder / "key.pem"), "-pubout"])
    admin = _Visitor(origin, ADMIN)
    settings = {
        "iss": f"{origin}/api/oidc",
        "jwt-type": "rsa",
        "jwt-key-size": "256",
        "key": (folder / "key.pem").read_text(),
        "cert": public,
        "access-token-duration": SECONDS,
        "refresh-token-duration": 1209600,
        "code-duration": 600,
        "refresh-token-rolling": True,
        "refresh-token-one-use": "always",
        "allow-non-oidc": True,
        "auth-type-code-enabled": True,
        "auth-type-client-enabled": True,
        "auth-type-refresh-enabled": True,
        "auth-type-device-enabled": True,
        "device-authorization-expiration": 600,
        "device-authorization-interval": 1,
        "pkce-allowed": True,
        "introspection-revocation-allowed": True,
        "introspection-revocation-allow-target-client": True,
        "jwks-show": True,
        "subject-type": "public",
    }
    plugin = {"module": "oidc", "name": "oidc", "display_name": "OIDC", "order_rank": 0, "parameters": settings}
    admin.send("POST", "/api/mod/plugin/", plugin)
    admin.send("POST", "/api/scope/", {"name": "read", "display_name": "read", "password_required": False})
    user = {"username": LOGIN, "password": PASSWORD, "scope": ["g_profile", "openid", "read"], "enabled": True}
    admin.send("POST", "/api/user/", user)
    for name, secret in (("public", None), ("confidential", SECRET)):
        client: dict[str, object] = {
            "client_id": name,
            "name": name,
            "confidential": secret is not None,
            "enabled": True,
            "redirect_uri": [f"http://127.0.0.1:{PORT}/callback"],
            "authorization_type": GRANTS,
            "scope": ["read"] if secret else [],
            "token_endpoint_auth_method": ["client_secret_basic"] if secret else ["none"],
        }
        admin.send("POST", "/api/client/", client | ({"password": secret} if secret else {}))


def _sign_in(url: str) -> None:
    parts = urlsplit(url)
    asked = parse_qs(parts.query)
    visitor = _Visitor(f"{parts.scheme}://{parts.netloc}", {"username": LOGIN, "password": PASSWORD})
    client = asked.get("client_id", ["public"])[0]
    visitor.send("PUT", f"/api/auth/grant/{client}", {"scope": SCOPE})
    with visitor.opener.open(f"{url}&g_continue", timeout=60) as answer:
        answer.read()


@contextmanager
def _start(cache: Path, folder: Path) -> Iterator[Server]:
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    (folder / "glewlwyd.conf").write_text(_configuration(folder, port))
    with closing(sqlite3.connect(folder / "glewlwyd.sqlite")) as database:
        database.executescript(SCHEMA.read_text())
        database.commit()
    command = ["glewlwyd", f"--config-file={folder}/glewlwyd.conf"]
    environ = {"PATH": "/usr/bin:/bin"}
    with started(command, folder, f"{origin}/config", environ=environ):
        _set_up(origin, folder)
        yield Server(
            issuer=f"{origin}/api/oidc",
            clients={
                "public": Client(client_id="public", scope=SCOPE, port=PORT),
                "confidential": Client(client_id="confidential", secret=SECRET, scope=SCOPE, port=PORT),
                "machine": Client(client_id="confidential", secret=SECRET, scope="read"),
                "device": Client(client_id="public", scope=SCOPE),
            },
            sign_in=_sign_in,
            explains=False,
            only_secrets_revoke=True,
        )


RECIPE = Recipe(name="glewlwyd", install=_install, start=_start)
