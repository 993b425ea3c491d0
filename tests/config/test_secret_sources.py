"""Secrets of machines from the environment and the files that it names."""

from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.support.commandline import Home


@pytest.mark.quick
@pytest.mark.parametrize("flow", ["api-key", "client-credentials"])
@pytest.mark.parametrize("text", ["canary\nlines", "canary\r\nlines\r\n", "canary\x1b[2J", "canary\x85"])
def test_a_secret_with_a_control_character_is_2_wherever_it_comes_from(
    tmp_path: Path, demo_server: FaultyServer, flow: str, text: str
) -> None:
    """From the variable, from the file it names or from stdin: one clear error without the secret, and nothing is sent."""
    home = Home(tmp_path / "home")
    api = '[profiles.t.api.login]\nurl = "{0}"\nbody = {{ k = "{{api_key}}" }}\naccess_token = "/t"\n'
    client = 'client_id = "tokenctl-demo-ci"\nissuer = "{0}"\n'
    members = (api if flow == "api-key" else client).format(demo_server.issuer)
    home.write_config(f'[profiles.t]\nflow = "{flow}"\n{members}')
    name, option = {
        "api-key": ("TOKENCTL_API_KEY", "--api-key-stdin"),
        "client-credentials": ("TOKENCTL_CLIENT_SECRET", "--client-secret-stdin"),
    }[flow]
    (tmp_path / "secret").write_bytes(text.encode())
    (tmp_path / "secret").chmod(0o600)
    file = {f"{name}_FILE": str(tmp_path / "secret")}
    for words, environ, stdin in (
        (("login",), {name: text}, None),
        (("login",), file, None),
        (("token",), {name: text}, None),
        (("token",), file, None),
        (("login", option), {}, text),
    ):
        result = home.run(*words, environ=environ, stdin=stdin)
        assert result.status == 2 and result.stderr.count("tokenctl: error: ") == 1, result
        assert "canary" not in result.stderr
    assert demo_server.requests == []


def test_a_files_last_line_end_is_not_part_of_the_secret(tmp_path: Path, demo_server: FaultyServer) -> None:
    """As editors write it, on Windows too."""
    home = Home(tmp_path / "home", store="keyring")
    environ = {
        "TOKENCTL_ISSUER": demo_server.issuer,
        "TOKENCTL_CLIENT_ID": "tokenctl-demo-ci",
        "TOKENCTL_CLIENT_SECRET_FILE": str(tmp_path / "secret"),
    }
    for end in ("", "\n", "\r\n"):
        (tmp_path / "secret").write_bytes(f"demo-ci-secret{end}".encode())
        assert home.run("token", environ=environ).status == 0
