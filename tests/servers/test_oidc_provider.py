"""The authorization server and the browser do what the other tests rely on."""

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit
from urllib.request import Request, urlopen

import pytest

from tests.servers import person
from tests.servers.chromium import Page
from tests.servers.oidc_provider import CLIENT_SECRET, OidcProvider
from tests.support.real_parts import available

VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"

Answer = tuple[int, dict[str, Any]]


def post(url: str, headers: dict[str, str] | None = None, **form: str) -> Answer:
    """Send a form, and return the status and the JSON that came back."""
    try:
        with urlopen(Request(url, urlencode(form).encode(), headers or {}), timeout=120) as answer:
            return answer.status, json.loads(answer.read() or b"{}")
    except HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def refresh(provider: OidcProvider, refresh_token: str) -> Answer:
    """Present a refresh token."""
    return post(
        f"{provider.issuer}/token",
        client_id="native",
        grant_type="refresh_token",
        refresh_token=refresh_token,
    )


class CallbackPage(BaseHTTPRequestHandler):
    """Stands where the program's own callback page will."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>Back</title><p>Signed in")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def callback_listener() -> Iterator[str]:
    """The redirect URI of a listener on a free port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), CallbackPage) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/callback"
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class Visitor:
    """How a person comes back from an authorization URL: by browser, or by HTTP alone."""

    go: Callable[[str], Page | person.Visit]

    def tokens(self, provider: OidcProvider) -> dict[str, Any]:
        with callback_listener() as redirect_uri:
            request = {
                "client_id": "native",
                "response_type": "code",
                "redirect_uri": redirect_uri,
                "scope": "openid offline_access",
                "prompt": "consent",
                "code_challenge": CHALLENGE,
                "code_challenge_method": "S256",
                "state": "s",
            }
            arrived = self.go(f"{provider.issuer}/auth?{urlencode(request)}")
        assert arrived.url.startswith(redirect_uri) and "Signed in" in arrived.text
        answer = dict(parse_qsl(urlsplit(arrived.url).query))
        assert (answer["state"], answer["iss"]) == ("s", provider.issuer)
        status, tokens = post(
            f"{provider.issuer}/token",
            client_id="native",
            grant_type="authorization_code",
            code=answer["code"],
            redirect_uri=redirect_uri,
            code_verifier=VERIFIER,
        )
        assert status == 200, tokens
        return tokens


def test_the_metadata_names_the_issuer_and_every_endpoint(oidc_provider: OidcProvider) -> None:
    """What discovery relies on is there."""
    with urlopen(f"{oidc_provider.issuer}/.well-known/openid-configuration", timeout=120) as answer:
        metadata = json.load(answer)
    assert metadata["issuer"] == oidc_provider.issuer
    assert metadata["authorization_response_iss_parameter_supported"] is True
    for endpoint in ("authorization", "token", "device_authorization", "revocation", "introspection"):
        assert metadata[f"{endpoint}_endpoint"].startswith(oidc_provider.issuer)
    assert set(metadata["id_token_signing_alg_values_supported"]) == {
        "RS256",
        "RS512",
        "PS256",
        "ES256",
        "EdDSA",
        "Ed25519",
    }
    assert oidc_provider.count(route="discovery") == 1


@pytest.mark.quick
def test_a_machine_gets_a_token_by_basic_and_by_body(oidc_provider: OidcProvider) -> None:
    """A secret full of odd characters is accepted form-encoded in the header, and in the body."""
    basic = base64.b64encode(f"machine:{quote_plus(CLIENT_SECRET)}".encode()).decode()
    url = f"{oidc_provider.issuer}/token"
    status, by_header = post(url, {"Authorization": f"Basic {basic}"}, grant_type="client_credentials")
    assert (status, by_header["expires_in"]) == (200, 900)
    status, by_body = post(
        url,
        client_id="machine-post",
        client_secret=CLIENT_SECRET,
        grant_type="client_credentials",
        scope="api",
    )
    assert (status, by_body["scope"]) == (200, "api")
    assert oidc_provider.count(grant_type="client_credentials", status=200) == 2


def test_a_wrong_secret_is_logged_as_refused(oidc_provider: OidcProvider) -> None:
    """The log says what the server answered, and no more of a request than it should."""
    status, _ = post(
        f"{oidc_provider.issuer}/token",
        client_id="machine-post",
        client_secret="x",
        grant_type="client_credentials",
    )
    assert status == 401
    [record] = oidc_provider.log
    assert (record["status"], record["error"], record["client_id"]) == (401, "invalid_client", "machine-post")
    assert "client_secret" not in record


@pytest.mark.parametrize("client_id", ["native", "native-ps256"])
def test_pkce_is_required(oidc_provider: OidcProvider, client_id: str) -> None:
    """An authorization request without a code challenge comes back as an error."""
    with callback_listener() as redirect_uri:
        request = {
            "client_id": client_id,
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "scope": "openid",
        }
        arrived = person.sign_in(f"{oidc_provider.issuer}/auth?{urlencode(request)}")
    assert "error=invalid_request" in arrived.url and "PKCE" in arrived.url


def test_chromium_signs_in_with_a_code(oidc_provider: OidcProvider, chromium_sign_in: Callable[..., Page]) -> None:
    """A browser walks through login and consent to the callback, and the code buys a refresh token."""
    tokens = Visitor(chromium_sign_in).tokens(oidc_provider)
    assert tokens["access_token"].count(".") == 2 and tokens["refresh_token"] and tokens["id_token"]
    assert oidc_provider.count(grant_type="authorization_code", status=200) == 1


@pytest.mark.parametrize("deny", [False, True])
def test_chromium_answers_a_device(
    oidc_provider: OidcProvider, chromium_approve_device: Callable[..., Page], deny: bool
) -> None:
    """A device waits until a person approves or refuses it in a browser."""
    _, device = post(f"{oidc_provider.issuer}/device/auth", client_id="native", scope="openid offline_access")

    def poll() -> Answer:
        form = {"client_id": "native", "grant_type": DEVICE_CODE, "device_code": device["device_code"]}
        return post(f"{oidc_provider.issuer}/token", **form)

    assert poll()[1]["error"] == "authorization_pending"
    page = chromium_approve_device(device["verification_uri_complete"], deny=deny)
    status, answer = poll()
    if deny:
        assert (status, answer["error"]) == (400, "access_denied")
    else:
        assert "successful" in page.text and status == 200 and answer["refresh_token"]


def test_a_reused_refresh_token_kills_the_session(oidc_provider: OidcProvider) -> None:
    """The old token of a rotated pair is refused, and takes the new one with it."""
    old = Visitor(person.sign_in).tokens(oidc_provider)["refresh_token"]
    status, renewed = refresh(oidc_provider, old)
    assert status == 200 and renewed["refresh_token"] != old
    assert refresh(oidc_provider, old)[1]["error"] == "invalid_grant"
    assert refresh(oidc_provider, renewed["refresh_token"])[1]["error"] == "invalid_grant"
    presented = hashlib.sha256(old.encode()).hexdigest()
    assert oidc_provider.count(grant_type="refresh_token", refresh_token_sha256=presented) == 2
    assert old not in json.dumps(oidc_provider.log)


def test_a_public_client_revokes_its_refresh_token(oidc_provider: OidcProvider) -> None:
    """A revoked refresh token is dead; a JWT access token cannot be revoked."""
    tokens = Visitor(person.sign_in).tokens(oidc_provider)
    url = f"{oidc_provider.issuer}/token/revocation"
    assert post(url, client_id="native", token=tokens["refresh_token"]) == (200, {})
    assert refresh(oidc_provider, tokens["refresh_token"])[1]["error"] == "invalid_grant"
    status, refused = post(url, client_id="native", token=tokens["access_token"])
    assert (status, refused["error"]) == (400, "unsupported_token_type")


def test_the_token_lifetime_is_a_setting() -> None:
    """A server for one test may hand out short-lived tokens."""
    with available(), OidcProvider(access_token_ttl=2) as provider:
        assert Visitor(person.sign_in).tokens(provider)["expires_in"] == 2
