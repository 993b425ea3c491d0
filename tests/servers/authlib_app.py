"""Authlib's authorization server with the JWT bearer grant (RFC 7523) and client credentials, run as a program.

`python -m tests.servers.authlib_app SETTINGS` prints its address as a line and ends with its stdin. The settings name
the issuer, the audience and the public key (a JWK) of the assertions it takes; Authlib checks all three, and the expiry.
The clients `client_secret_basic` and `client_secret_post` have the `secret` of the settings, and may send it in that way
only. Authlib reads a plus sign in a Basic header as a plus sign.
"""

import json
import os
import sys
import threading
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # loopback has no TLS

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientCredentialsGrant, ClientMixin
from authlib.oauth2.rfc7523 import JWTBearerGrant
from flask import Flask, jsonify

settings: dict[str, Any] = {}


class Job(ClientMixin):  # type: ignore[misc]
    """The one client, without a secret."""

    client_id = "job"

    def get_client_id(self) -> str:
        """Its id."""
        return self.client_id

    def get_allowed_scope(self, scope: str | None) -> str:
        """Whatever it wants."""
        return scope or ""

    def check_grant_type(self, grant_type: str) -> bool:
        """The one grant there is."""
        return grant_type == str(JWTBearerGrant.GRANT_TYPE)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """It proves itself by the assertion."""
        return True


class Machine(ClientMixin):  # type: ignore[misc]
    """A client with the secret, and one way to send it, which is its name."""

    def __init__(self, method: str) -> None:
        self.client_id = method

    def get_client_id(self) -> str:
        """Its id."""
        return self.client_id

    def get_allowed_scope(self, scope: str | None) -> str:
        """Whatever it wants."""
        return scope or ""

    def check_grant_type(self, grant_type: str) -> bool:
        """The one grant there is."""
        return grant_type == str(ClientCredentialsGrant.GRANT_TYPE)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """The one way."""
        return method == self.client_id

    def check_client_secret(self, client_secret: str) -> bool:
        """The secret, to the character."""
        return bool(client_secret == settings["secret"])


class Credentials(ClientCredentialsGrant):  # type: ignore[misc]
    """The grant, with both ways to send a secret."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")


class Grant(JWTBearerGrant):  # type: ignore[misc]
    """The grant, with one issuer's key."""

    def resolve_issuer_client(self, issuer: str) -> Job | None:
        """Know the platform by its issuer."""
        return Job() if issuer == settings["issuer"] else None

    def resolve_client_key(self, client: Job, headers: Any, payload: Any) -> Any:
        """The platform's public key."""
        return settings["jwk"]

    def get_audiences(self) -> list[str]:
        """Whom an assertion must be for."""
        return [str(settings["audience"])]

    def authenticate_user(self, subject: str) -> Any:
        """Any job of the platform."""
        return subject

    def has_granted_permission(self, client: Job, user: Any) -> bool:
        """May do it."""
        return True


class Quiet(WSGIRequestHandler):
    """Logs nothing."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def _client(client_id: str) -> ClientMixin | None:
    if client_id in Credentials.TOKEN_ENDPOINT_AUTH_METHODS:
        return Machine(client_id)
    return Job() if "issuer" in settings else None


def main() -> None:
    """Serve until stdin ends."""
    settings.update(json.loads(sys.argv[1]))
    app = Flask(__name__)
    server = AuthorizationServer(app, query_client=_client, save_token=lambda token, request: None)
    server.register_grant(Grant)
    server.register_grant(Credentials)
    address = ""

    @app.route("/token", methods=["POST"])
    def token() -> Any:
        return server.create_token_response()

    @app.route("/.well-known/oauth-authorization-server")
    def metadata() -> Any:
        return jsonify(issuer=address, token_endpoint=f"{address}/token", response_types_supported=[])

    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as http:
        address = f"http://127.0.0.1:{http.server_port}"
        print(json.dumps({"address": address}), flush=True)
        threading.Thread(target=http.serve_forever, daemon=True).start()
        sys.stdin.read()


if __name__ == "__main__":
    main()
