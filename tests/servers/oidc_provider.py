"""The certified authorization server (npm `oidc-provider`, see `oidc-provider/server.mjs`) as a child process."""

import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.servers.child import Child, Record
from tests.support.real_parts import Missing, program

HERE = Path(__file__).parent / "oidc-provider"
CLIENT_SECRET = 's3cr:t%/+ ?&=~"'  # what careless encoding breaks; the library allows printable ASCII only
LONG_SECRET = "0123456789abcdef0123456789abcdef-long"  # an HMAC key wants 256 bits


class OidcProvider:
    """One server on a free loopback port, and a record of every request that clients made to it.

    Public clients: `native`, and `native-rs256`, `-rs512`, `-ps256`, `-es256`, `-eddsa`, named for how their ID
    tokens are signed. Clients of a person with `CLIENT_SECRET`: `confidential-basic`, `confidential-post`. Confidential clients: `machine` (Basic) and `machine-post`, with `CLIENT_SECRET`; `machine-secret-jwt` with
    `LONG_SECRET`; and the `keyed_clients`, each with its algorithm and its public key. With a `platform` (issuer, audience, jwks) the
    public client `job` may exchange that platform's identity tokens.
    `issuer` says where clients reach the server, if something stands before it. `tls` is a key and a certificate, in PEM.
    Access tokens are JWTs for `urn:api`; for the resource `urn:opaque` they are opaque.
    """

    def __init__(
        self,
        *,
        access_token_ttl: int = 900,
        refresh_token_ttl: int = 7 * 24 * 3600,
        device_code_ttl: int = 600,
        default_resource: str | None = "urn:api",
        rotate_refresh_token: bool = True,
        keyed_clients: Sequence[tuple[str, str, dict[str, Any]]] = (),
        platform: dict[str, Any] | None = None,
        issued_token_type: str = "urn:ietf:params:oauth:token-type:access_token",
        port: int = 0,
        issuer: str | None = None,
        host: str = "127.0.0.1",
        tls: tuple[str, str] | None = None,
    ) -> None:
        self._settings = {
            "access_token_ttl": access_token_ttl,
            "refresh_token_ttl": refresh_token_ttl,
            "device_code_ttl": device_code_ttl,
            "default_resource": default_resource,
            "rotate_refresh_token": rotate_refresh_token,
            "client_secret": CLIENT_SECRET,
            "long_secret": LONG_SECRET,
            "keyed_clients": list(keyed_clients),
            **({"platform": platform} if platform else {}),
            "issued_token_type": issued_token_type,
            "port": port,
            "host": host,
            **({"issuer": issuer} if issuer else {}),
            **({"tls": {"key": tls[0], "cert": tls[1]}} if tls else {}),
        }
        self._forgotten = 0

    def __enter__(self) -> Self:
        node = program("node")
        if not (HERE / "node_modules" / "oidc-provider").is_dir():
            raise Missing("npm package oidc-provider not installed in tests/servers/oidc-provider")
        self._child = Child([node, "server.mjs", json.dumps(self._settings)], HERE).__enter__()
        self.issuer = str(self._child.hello["issuer"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.__exit__(kind, error, trace)

    @property
    def log(self) -> list[Record]:
        """Every request answered so far, oldest first: method, path, route, status, client_id, grant_type, error...

        Routes: token, revocation, introspection, device_authorization, discovery, jwks, userinfo. Tokens appear
        only as `refresh_token_sha256` and `token_sha256`.
        """
        mark = {"echo": secrets.token_hex(8)}  # what comes back stands behind everything already answered
        self._child.tell(mark["echo"])
        if not self._child.wait(lambda: mark in self._child.records):
            raise RuntimeError("oidc-provider stopped reporting")
        return [record for record in self._child.records if "echo" not in record][self._forgotten :]

    def forget(self) -> None:
        """Begin the log anew: what was answered so far does not count any more."""
        self._forgotten += len(self.log)

    def count(self, **fields: object) -> int:
        """How many requests had all these values, e.g. `count(grant_type="refresh_token", status=200)`."""
        return sum(all(record.get(key) == value for key, value in fields.items()) for record in self.log)
