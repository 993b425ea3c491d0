"""Private keys in the forms in which CI systems keep them."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.keys import pem as key_text
from tokenctl.adapters.jwt_sign import client_assertion
from tokenctl.config import pem, secret_sources
from tokenctl.config.config_file import Config
from tokenctl.config.environment import choose

EC_KEY = ec.generate_private_key(ec.SECP256R1())
KEY = key_text(EC_KEY)
TRADITIONAL = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
    Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
)
MACHINE = {"TOKENCTL_ISSUER": "https://a.example", "TOKENCTL_CLIENT_ID": "c"}
FORMS = {
    "as it is": KEY,
    "Windows line ends": KEY.replace("\n", "\r\n"),
    "written line ends": KEY.replace("\n", "\\n"),
    "written Windows line ends": KEY.replace("\n", "\\r\\n"),
    "blanks for line ends": " ".join(KEY.split("\n")),
    "without line ends": KEY.replace("\n", ""),
    "indented": "\n" + "".join(f"    {line}\n" for line in KEY.splitlines()),
    "a byte order mark": "\ufeff" + KEY,
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64 in lines": base64.encodebytes(KEY.encode()).decode(),
    "traditional": TRADITIONAL.decode(),
    "with parameters before it": "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    + EC_KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("by_file", [False, True])
def test_a_key_signs_in_every_form_that_ci_systems_keep(tmp_path: Path, form: str, by_file: bool) -> None:
    """From the variable or from its file: it means private_key_jwt, and makes an assertion."""
    path = tmp_path / "key"
    path.write_bytes(FORMS[form].encode())
    environ = {"TOKENCTL_CLIENT_SECRET_FILE": str(path)} if by_file else {"TOKENCTL_CLIENT_SECRET": FORMS[form]}
    found = choose(Config(path=tmp_path, profiles={}), MACHINE | environ)
    assert (found.flow, found.auth_method) == ("client-credentials", "private_key_jwt")
    key = secret_sources.of_client(environ, "CLIENT_SECRET", lines=True)
    assert key is not None and secret_sources.from_key_file(str(path)) == key
    assert client_assertion("c", "https://a.example", key, symmetric=False, now=1, jti="1").count(".") == 2


@pytest.mark.parametrize("form", ["written line ends", "blanks for line ends", "base64"])
def test_a_key_on_one_line_is_no_password(form: str) -> None:
    """Where the profile does not sign, such a key is refused, and not sent as a client secret."""
    with pytest.raises(Exception, match="control character"):
        secret_sources.of_client({"TOKENCTL_CLIENT_SECRET": FORMS[form]}, "CLIENT_SECRET")


@pytest.mark.parametrize(
    "text",
    ["secret", "a\\nb", "-----BEGIN ", "LS0tLS1CRUdJTi", "LS0tLS1CRUdJTiBQ*", '{"private_key": "-----BEGIN X-----"}'],
)
def test_another_text_is_left_alone(text: str) -> None:
    """A secret with a backslash, or one that only begins as a key does."""
    assert pem.lines(text) is None
    assert secret_sources.from_environment({"TOKENCTL_API_KEY": text}, "API_KEY") == text
