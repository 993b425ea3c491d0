"""No program that tokenctl starts, or that one of its libraries starts, gets one of its secrets in the environment."""

import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.support.commandline import Home
from tests.support.fetch import fetch
from tests.support.paths import ROOT

NAMES = ("CLIENT_SECRET", "API_KEY", "PASSPHRASE", "ID_TOKEN")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Variables that name a file with a secret each."""
    for name in NAMES:
        (tmp_path / f"canary-{name}").write_text(f"canary-{name}")
        (tmp_path / f"canary-{name}").chmod(0o600)
    return {f"TOKENCTL_{name}_FILE": str(tmp_path / f"canary-{name}") for name in NAMES}


@pytest.fixture
def recorder(tmp_path: Path) -> Path:
    """A program that writes its environment down, and then its words."""
    path = tmp_path / "recorder"
    path.write_text(f'#!/bin/sh\nenv >> "{tmp_path}/record"\nprintf "%s\\n" "$@" >> "{tmp_path}/words"\necho secret\n')
    path.chmod(0o755)
    return path


def expect_no_secret(recorder: Path, environ: Mapping[str, str]) -> None:
    """Expect that the program ran, with an environment that has none of these secrets."""
    record = recorder.with_name("record").read_text()
    assert "HOME=" in record and "KEPT=yes" in record
    assert [name for name in environ if f"{name}=" in record] == []
    assert "canary" not in record


@pytest.mark.parametrize("suffix", ["", "_FILE"])
def test_the_passphrase_command(home: Home, demo_server: FaultyServer, recorder: Path, suffix: str) -> None:
    """It is asked for one secret, and gets no other."""
    home.environ.pop("TOKENCTL_PASSPHRASE_FILE")
    home.write_config(
        f'[profiles.t]\nissuer = "{demo_server.issuer}"\nclient_id = "tokenctl-demo-ci"\nstore = "file"\nscope = "api"\n'
        f'flow = "client-credentials"\npassphrase_command = ["{recorder}"]\n'
    )
    secret = recorder.with_name("canary")
    secret.write_text("demo-ci-secret")
    secret.chmod(0o600)
    environ = {f"TOKENCTL_CLIENT_SECRET{suffix}": str(secret) if suffix else "demo-ci-secret"}
    result = home.run("token", "-p", "t", environ={**environ, "KEPT": "yes"})
    assert result.status == 0, result.stderr
    recorder.with_name("record").write_text("")
    assert home.run("token", "-p", "t", environ={**environ, "KEPT": "yes"}).status == 0
    expect_no_secret(recorder, environ)


def passphrase(home: Home, files: Mapping[str, str], suffix: str) -> dict[str, str]:
    """The passphrase, from the variable or from its file; both at once would be an error."""
    home.environ.pop("TOKENCTL_PASSPHRASE_FILE")
    name = f"TOKENCTL_PASSPHRASE{suffix}"
    return {name: files[name] if suffix else "canary-passphrase"}


@pytest.mark.parametrize("suffix", ["", "_FILE"])
def test_the_source_command(
    home: Home, recorder: Path, demo_server: FaultyServer, files: dict[str, str], suffix: str
) -> None:
    """It prints a job's identity, and gets no other secret of the job."""
    home.write_config(
        f'[profiles.t]\nissuer = "{demo_server.issuer}"\nclient_id = "tokenctl-demo-ci"\nflow = "workload"\n'
        f'store = "memory"\nsource = "command"\nsource_command = ["{recorder}"]\n'
    )
    environ = passphrase(home, files, suffix)
    assert "canary" not in home.run("token", "-p", "t", environ={**environ, "KEPT": "yes"}).stderr
    expect_no_secret(recorder, environ)


@pytest.mark.parametrize("suffix", ["", "_FILE"])
def test_the_browser(home: Home, demo_server: FaultyServer, recorder: Path, files: dict[str, str], suffix: str) -> None:
    """It gets the address alone, and runs for days."""
    words = ("login", "-p", "t", "--issuer", demo_server.issuer, "--client-id", "tokenctl-demo")
    environ = passphrase(home, files, suffix)
    with home.start(*words, environ={**environ, "BROWSER": f"{recorder} %s", "KEPT": "yes"}) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("http"):
                threading.Thread(target=fetch, args=(line.strip(),), daemon=True).start()
    assert process.returncode == 0
    expect_no_secret(recorder, environ)


@pytest.mark.slow
def test_the_programs_of_a_keyring(tmp_path: Path, demo_server: FaultyServer, recorder: Path) -> None:
    """A backend such as that of pass starts programs, which inherit what the process has."""
    environ = {"TEST_RING": str(tmp_path / "ring.json"), "PYTHONPATH": str(ROOT), "TEST_PROGRAM": str(recorder)}
    home = Home(tmp_path / "home", environ, store="keyring")
    home.write_config(
        f'[profiles.t]\nissuer = "{demo_server.issuer}"\nclient_id = "tokenctl-demo"\n'
        'scope = "openid offline_access"\nkeyring_backend = "tests.support.ring.Helped"\n'
    )
    secrets = {"TOKENCTL_PASSPHRASE": "canary-passphrase"}  # another one would be a machine's
    assert home.login(demo_server.issuer).status == 0
    for words in (("token",), ("exec", "--", "true"), ("refresh",), ("show",), ("revoke", "--local")):
        recorder.with_name("record").unlink()
        result = home.run(*words, environ={**secrets, "KEPT": "yes"})
        assert result.status == 0, result.stderr
        expect_no_secret(recorder, secrets)
