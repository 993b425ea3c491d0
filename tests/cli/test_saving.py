"""What a login writes into the config file."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.flows import here
from tokenctl.cli.saving import save
from tokenctl.cli.wanted import Wanted
from tokenctl.errors import UsageError
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime

CONFIG = '[profiles.t]\nissuer = "https://i.example"\nclient_id = "c"\n'


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none", "workload"])
@pytest.mark.parametrize("writable", [True, False])
def test_a_client_with_a_secret_is_remembered(session: Session, tmp_path: Path, method: str, writable: bool) -> None:
    """Where the file can be written; a file that somebody keeps from changes is no failure of the login."""
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    runtime = Runtime(here({}), config_file=str(path))
    wanted = Wanted(profile=runtime.config.profiles["t"])
    if not writable:
        path.write_text("not TOML [[[")
    has_secret = method.startswith("client_secret")
    assert save(runtime, wanted, replace(session, token_endpoint_auth_method=method)) == (has_secret and writable)
    if writable:
        assert (f'token_endpoint_auth_method = "{method}"' in path.read_text()) == has_secret
    else:
        changed = replace(wanted, saved=replace(wanted.profile, scope="api"))
        with pytest.raises(UsageError):
            save(runtime, changed, session)
