"""Google's library for Python gets its subject token from the helper, at a token endpoint that checks it."""

import json
import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.handoff.conftest import Account
from tests.servers.cloud_api import CloudApi
from tests.support.commandline import COMMAND, LONG
from tests.support.real_parts import available, library

HELPER = (*COMMAND, "helper", "gcp", "-p", "t")
VARIABLE = "GOOGLE_EXTERNAL_ACCOUNT_"
TYPE = "urn:ietf:params:oauth:token-type:"


@pytest.fixture
def trade(account: Account, cloud: CloudApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Let new credentials of the library trade a subject token of a type, and return the token that they get."""
    with available():
        pluggable, requests = library("google.auth.pluggable"), library("google.auth.transport.requests")
    monkeypatch.setenv(f"{VARIABLE}ALLOW_EXECUTABLES", "1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(cloud.ca_file))

    def trade(kind: str) -> str:
        executable = {
            "command": shlex.join(HELPER),
            "timeout_millis": 120000,
            "output_file": str(tmp_path / "output"),
        }
        credentials: Any = pluggable.Credentials.from_info(
            {
                "type": "external_account",
                "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/o",
                "subject_token_type": f"{TYPE}{kind}",
                "token_url": f"{cloud.origin}/google/token",
                "credential_source": {"executable": executable},
            }
        )
        credentials.refresh(requests.Request())
        assert not (tmp_path / "output").exists()
        return str(credentials.token)

    return trade


def test_it_trades_a_good_token(account: Account, cloud: CloudApi, trade: Callable[[str], str]) -> None:
    """It is the session's; one that has ended is renewed before."""
    assert trade("jwt") == "traded"
    assert cloud.tokens == [account.session.access_token] and account.refreshes == 0
    account.age()
    assert trade("id_token") == "traded"
    assert len({*cloud.tokens}) == 2 and account.refreshes == 1


def test_it_shows_why_there_is_no_token(account: Account, cloud: CloudApi, trade: Callable[[str], str]) -> None:
    """The reason comes out of JSON, in the library's own error."""
    account.server.kill_session()
    account.age()
    with pytest.raises(Exception, match=r"return code 4.*run .*tokenctl login -p t"):
        trade("jwt")
    assert cloud.tokens == []


def test_nothing_is_written_to_stderr(account: Account) -> None:
    """The library reads stderr as a part of the answer: not with a warning, and not where the config file cannot be read."""
    environ = os.environ | {f"{VARIABLE}TOKEN_TYPE": f"{TYPE}jwt", "TOKENCTL_SCOPES": "no setting"}
    config = Path(os.environ["TOKENCTL_CONFIG"])
    for content in (config.read_text(), "["):
        config.write_text(content)
        for words in (("-p", "t"), ("-p", "nobody"), ("--config", "none.toml")):
            helper = [*COMMAND, "helper", "gcp", *words]
            done = subprocess.run(helper, capture_output=True, env=environ, timeout=LONG)
            document = json.loads(done.stdout)
            assert (done.stderr, document["version"], document["success"]) == (b"", 1, done.returncode == 0)
