"""The few endpoints that kubectl and the libraries of three clouds ask, as one TLS server on loopback.

Every one wants an access token of the demo's authorization server: as a header, or as a member of a form.
"""

import json
from pathlib import Path
from urllib.parse import parse_qs

from tests.servers.faulty_server import FaultyServer
from tests.servers.loopback import Connection, Listener, Served

TENANT = "00000000-0000-0000-0000-000000000001"
_ENTRA = f"/{TENANT}/oauth2/v2.0/token"
_MEMBERS = {"/google/token": "subject_token", "/": "WebIdentityToken", _ENTRA: "client_assertion"}
"""Path of a token endpoint -> where the token is in the form: Google, AWS, Microsoft Entra."""
_ROLE = "<Arn>arn:aws:sts::1:assumed-role/r/s</Arn><AssumedRoleId>A:s</AssumedRoleId>"
_AWS = (
    '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
    "<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>AKIDEXAMPLE</AccessKeyId>"
    "<SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken>"
    f"<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials><AssumedRoleUser>{_ROLE}</AssumedRoleUser>"
    "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
)


class CloudApi(Served):
    """The server, for a `with` block; `folder` gets the file of its certificate authority.

    `tokens` has the token of every request that had to have one; None where there was none. `refused` has tokens that
    it lets in no more.
    """

    def __init__(self, authority: FaultyServer, folder: Path) -> None:
        self.authority = authority
        self.ca_file = folder / "ca.pem"
        self.tokens: list[str | None] = []
        self.refused: set[str | None] = set()
        api = self

        class Asked(Connection):
            def do_GET(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
                scheme, _, token = self.headers.get("Authorization", "").partition(" ")
                sent = form.get(_MEMBERS.get(self.path, ""), [token if scheme == "Bearer" else None])
                status, body = api.answer(self.path, sent[0])
                self.send_response(status)
                self.send_header("Content-Type", "text/xml" if body.startswith("<") else "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            do_POST = do_GET

        self.listener = Listener(Asked)
        self.listener.use_tls(self.ca_file, "127.0.0.1", "localhost")
        self.port = self.listener.server_port
        self.origin = f"https://127.0.0.1:{self.port}"

    def lets_in(self, token: str | None) -> bool:
        """Remember a token, and tell whether it is good."""
        self.tokens.append(token)
        return token not in self.refused and self.authority.sessions.access_claims(token or "") is not None

    def answer(self, path: str, token: str | None) -> tuple[int, str]:
        """Make the answer of a path, as its status and body."""
        path = path.partition("?")[0]
        if path.endswith("/.well-known/openid-configuration"):
            issuer = f"https://localhost:{self.port}/{TENANT}"
            endpoints = {
                "authorization_endpoint": f"{issuer}/a",
                "token_endpoint": f"https://localhost:{self.port}{_ENTRA}",
            }
            return 200, json.dumps({"issuer": f"{issuer}/v2.0", **endpoints})
        if not self.lets_in(token):
            return 401, json.dumps({"error": "invalid_client", "kind": "Status", "code": 401, "reason": "Unauthorized"})
        if path == "/":
            return 200, _AWS
        kind = "urn:ietf:params:oauth:token-type:access_token"
        return 200, json.dumps(
            {"access_token": "traded", "token_type": "Bearer", "expires_in": 3600, "issued_token_type": kind}
        )
