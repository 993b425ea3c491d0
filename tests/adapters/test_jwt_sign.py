"""Client assertions: what they claim, which keys make them, and that a certified server takes each of them once."""

import base64
import json
from itertools import product
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import get_default_algorithms

from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.servers.oidc_provider import LONG_SECRET, OidcProvider
from tests.support.commandline import Home
from tests.support.keys import pem
from tests.support.real_parts import available
from tokenctl.adapters.jwt_sign import LIFETIME, client_assertion
from tokenctl.errors import UsageError

NOW = 1_800_000_000
KEYS: dict[str, Any] = {
    "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}

OTHER_NAME = {"PS256": "RS256", "Ed25519": "EdDSA"}
"""Algorithm -> the one whose key it takes."""


def pem_of_an_unknown_curve() -> str:
    """Write a key of secp160r1 (1.3.132.0.8), which the library does not know, by renaming the curve of another."""
    der = ec.generate_private_key(ec.SECP224R1()).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    renamed = der.replace(bytes.fromhex("2b81040021"), bytes.fromhex("2b81040008"))
    assert renamed != der
    return f"-----BEGIN PRIVATE KEY-----\n{base64.encodebytes(renamed).decode()}-----END PRIVATE KEY-----\n"


def jwk(algorithm: str) -> dict[str, Any]:
    """The public key, as it is registered at the server."""
    name = OTHER_NAME.get(algorithm, algorithm)
    found = get_default_algorithms()[name].to_jwk(KEYS[name].public_key())
    return dict(json.loads(found)) | {"kid": "one", "use": "sig", "alg": algorithm}


@pytest.mark.parametrize("algorithm", KEYS)
def test_an_assertion_says_who_for_whom_and_how_long(algorithm: str) -> None:
    """RFC 7523 section 3: iss and sub are the client, aud the server, a minute of life, an id of its own, and the key's name."""
    key = KEYS[algorithm]
    made = client_assertion("c", "https://as.example", pem(key), symmetric=False, now=NOW, jti="x", key_id="one")
    assert jwt.get_unverified_header(made) == {"alg": algorithm, "kid": "one", "typ": "JWT"}
    options: Any = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(made, key.public_key(), algorithms=[algorithm], audience="https://as.example", options=options)
    assert claims == {
        "iss": "c", "sub": "c", "aud": "https://as.example", "iat": NOW, "exp": NOW + LIFETIME, "jti": "x",
    }  # fmt: skip
    assert LIFETIME <= 300


def test_the_new_name_of_an_algorithm_can_be_asked_for() -> None:
    """`assertion_algorithm = "Ed25519"` (RFC 9864) makes the same signature under the new name."""
    key = KEYS["EdDSA"]
    made, usual = (
        client_assertion("c", "a", pem(key), symmetric=False, now=NOW, jti="x", key_id="one", algorithm=name)
        for name in ("Ed25519", "EdDSA")
    )
    assert jwt.get_unverified_header(made) == {"alg": "Ed25519", "kid": "one", "typ": "JWT"}
    assert made.split(".")[1] == usual.split(".")[1]
    body, _, signature = made.rpartition(".")
    key.public_key().verify(base64.urlsafe_b64decode(signature + "=="), body.encode())


@pytest.mark.parametrize(
    ("key", "symmetric", "algorithm"),
    [
        ("", False, None),
        ("not a key", False, None),
        (pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)), False, None),
        (pem(KEYS["ES256"]), False, "RS256"),
        (pem(KEYS["ES256"]), False, "Ed25519"),
        (pem(ec.generate_private_key(ec.SECP256K1())), False, None),
        (pem_of_an_unknown_curve(), False, None),
        ("short", True, None),
    ],
)
def test_a_key_that_cannot_sign_is_a_usage_error(key: str, symmetric: bool, algorithm: str | None) -> None:
    """The message says what is wanted, and nothing of the key."""
    with pytest.raises(UsageError) as caught:
        client_assertion("c", "a", key, symmetric=symmetric, now=NOW, jti="x", algorithm=algorithm)
    assert caught.value.hint and (not key or key not in caught.value.message + caught.value.hint)


PROFILE = """
[profiles.{name}]
issuer = "{issuer}"
client_id = "{name}"
flow = "client-credentials"
token_endpoint_auth_method = "{method}"
{more}
"""


@pytest.mark.real
@pytest.mark.parametrize(
    ("algorithm", "source"),
    [*product(("RS256", "PS256", "ES256", "EdDSA"), ("file", "keyring", "variable")), ("Ed25519", "file")],
)
def test_a_certified_server_takes_it(home: Home, tmp_path: Path, algorithm: str, source: str) -> None:
    """Login and renewal with a private key, from a file, a variable or the store; the key itself goes nowhere else."""
    key = pem(KEYS[OTHER_NAME.get(algorithm, algorithm)])
    (tmp_path / "key.pem").write_text(key)
    (tmp_path / "key.pem").chmod(0o600)
    more = f'assertion_algorithm = "{algorithm}"\nclient_key_id = "one"\n'
    words: tuple[str, ...] = ("--client-secret-stdin",)
    if source == "file":
        more, words = more + f'client_key_file = "{tmp_path}/key.pem"\n', ()
    if source == "variable":
        home.environ["TOKENCTL_CLIENT_SECRET"] = key
        words = ()
    with available(), OidcProvider(keyed_clients=[("keyed", algorithm, jwk(algorithm))]) as provider:
        home.write_config(PROFILE.format(name="keyed", issuer=provider.issuer, method="private_key_jwt", more=more))
        login = home.run("login", *words, stdin=key)
        assert login.status == 0, login.stderr
        first = home.run("token").stdout
        for _ in range(2):  # each time with a new assertion: the server refuses one that it has seen
            refresh = home.run("refresh")
            assert refresh.status == 0, refresh.stderr
        assert home.run("token").stdout != first
        assert provider.count(grant_type="client_credentials", status=200) == 3
        body = base64.b64encode(key.encode()).decode()
        assert not [
            name
            for name, content in home.snapshot().items()
            if key[40:80].encode() in content or body.encode() in content
        ]


@pytest.mark.real
def test_a_client_secret_that_only_signs(home: Home, oidc_provider: OidcProvider) -> None:
    """client_secret_jwt: the secret makes an HMAC and is never sent."""
    more = 'assertion_audience = "token_endpoint"'
    home.write_config(
        PROFILE.format(name="machine-secret-jwt", issuer=oidc_provider.issuer, method="client_secret_jwt", more=more)
    )
    login = home.run("login", "--client-secret-stdin", stdin=LONG_SECRET + "\n")
    assert login.status == 0, login.stderr
    assert home.run("refresh").status == 0
    assert oidc_provider.count(grant_type="client_credentials", status=200) == 2


@pytest.mark.real
def test_a_key_file_that_others_may_read_is_told(home: Home, tmp_path: Path, oidc_provider: OidcProvider) -> None:
    """A warning, and an absent or empty file is an error that names it."""
    (tmp_path / "key.pem").write_text(pem(KEYS["ES256"]))
    (tmp_path / "key.pem").chmod(0o644)
    more = f'client_key_file = "{tmp_path}/key.pem"'
    home.write_config(PROFILE.format(name="k", issuer=oidc_provider.issuer, method="private_key_jwt", more=more))
    result = home.run("login")
    assert result.status == 5 and "other users can read" in result.stderr
    (tmp_path / "key.pem").write_text("")
    assert home.run("login").status == 2
    (tmp_path / "key.pem").unlink()
    missing = home.run("login")
    assert missing.status == 2 and "key.pem cannot be read" in missing.stderr


def test_an_assertion_that_a_server_repeats_is_not_shown(home: Home, demo_server: FaultyServer) -> None:
    """It would be good for a minute: no error quotes it, at whichever endpoint the client proves itself."""
    seen: dict[str, str] = {}

    def echo(request: Received) -> Reply:
        seen[request.path] = request.form["client_assertion"]
        return json_reply({"error": "invalid_request", "error_description": seen[request.path]}, 400)

    def tokens(request: Received) -> Reply:
        return json_reply({"access_token": "opaque", "token_type": "Bearer", "expires_in": 900, "refresh_token": "r"})

    def metadata(request: Received) -> Reply:
        usual = demo_server.answer(request).document
        par = {"pushed_authorization_request_endpoint": f"{demo_server.issuer}/par"}
        return json_reply(usual | par | {"require_pushed_authorization_requests": True})

    demo_server.overrides["/.well-known/openid-configuration"] = metadata
    endpoints = ("/token", "/revoke", "/introspect", "/device_authorization", "/par")
    home.write_config(PROFILE.format(name="t", issuer=demo_server.issuer, method="client_secret_jwt", more=""))
    environ = {"TOKENCTL_CLIENT_SECRET": LONG_SECRET}
    demo_server.overrides["/token"] = tokens
    assert home.run("login", "-p", "t", environ=environ).status == 0
    demo_server.overrides.update(dict.fromkeys(endpoints, echo))
    for words in (
        ("refresh", "-p", "t"),
        ("show", "-p", "t", "--introspect"),
        ("revoke", "-p", "t"),
        ("login", "-p", "t", "--flow", "device"),
        ("login", "-p", "t", "--flow", "browser", "--no-browser"),
    ):
        result = home.run(*words, "-v", environ=environ)
        shown = result.stdout + result.stderr
        assert not [made for made in seen.values() if made in shown or made.rpartition(".")[2] in shown], (
            words,
            result,
        )
    assert set(seen) == set(endpoints)
