"""The libraries of AWS and Azure read the token from a file: of `write-file`, and of `exec --token-file`."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.handoff.conftest import Account
from tests.servers.cloud_api import TENANT, CloudApi
from tests.support.commandline import COMMAND, LONG
from tests.support.real_parts import available, library


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A library of a cloud: how a program gets a token by it, and the variable that names the file."""

    library: str
    program: str
    variable: str
    environ: Mapping[str, str]


AWS = Reader(
    library="botocore.session",
    program="""
import botocore.session
print(botocore.session.Session().get_credentials().get_frozen_credentials().access_key)
""",
    variable="AWS_WEB_IDENTITY_TOKEN_FILE",
    environ={
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r",
        "AWS_ROLE_SESSION_NAME": "tokenctl",
        "AWS_ENDPOINT_URL_STS": "https://localhost:{port}",
        "AWS_CA_BUNDLE": "{ca_file}",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nowhere",
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
    },
)
AZURE = Reader(
    library="azure.identity",
    program="""
from azure.identity import WorkloadIdentityCredential
print(WorkloadIdentityCredential(disable_instance_discovery=True).get_token("https://vault.azure.net/.default").token)
""",
    variable="AZURE_FEDERATED_TOKEN_FILE",
    environ={
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_ID": "00000000-0000-0000-0000-000000000002",
        "AZURE_AUTHORITY_HOST": "https://localhost:{port}",
        "REQUESTS_CA_BUNDLE": "{ca_file}",
    },
)


@pytest.mark.parametrize("reader", [AWS, AZURE], ids=lambda reader: reader.variable)
def test_the_library_trades_the_token_of_the_file(
    account: Account, cloud: CloudApi, reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new one after each `write-file`; with `exec --token-file` it needs no other step."""
    with available():
        library(reader.library)
    for name, value in reader.environ.items():
        monkeypatch.setenv(name, value.format(port=cloud.port, ca_file=cloud.ca_file))
    file = tmp_path / "token"
    program = (sys.executable, "-c", reader.program)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(words, capture_output=True, text=True, timeout=LONG, check=False)

    def trades(*words: str) -> str:
        """Let the library trade a token, and return the one that it sent."""
        cloud.tokens.clear()
        done = run(*words, *program)
        assert done.stdout in ("AKIDEXAMPLE\n", "traded\n"), done.stderr
        return set(cloud.tokens).pop() or ""

    kept = ("exec", "--token-file", "--env", f"{reader.variable}={{token_file}}", "--")
    assert trades(*COMMAND, *kept) == account.session.access_token
    monkeypatch.setenv(reader.variable, str(file))
    assert run(*COMMAND, "write-file", str(file)).returncode == 0
    assert trades() == account.session.access_token
    account.age()
    assert run(*COMMAND, "write-file", str(file)).returncode == 0
    assert trades() == file.read_text() != account.session.access_token
