"""The main job, end to end, with the real parts: oidc-provider, gnome-keyring, headless Chromium."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers import person
from tests.servers.chromium import Page
from tests.servers.oidc_provider import CLIENT_SECRET, OidcProvider
from tests.servers.secret_service import SecretService
from tests.support.aging import age_in
from tests.support.commandline import Home
from tests.support.paths import ROOT
from tests.support.real_parts import available

pytestmark = pytest.mark.real

Visit = Callable[[str], object]


@pytest.fixture
def keyring_home(tmp_path: Path, secret_service: SecretService) -> Home:
    """A HOME whose keyring is the real Secret Service."""
    return Home(tmp_path / "home", secret_service.environ, store="keyring")


def test_the_whole_life_with_a_real_browser(
    keyring_home: Home,
    oidc_provider: OidcProvider,
    secret_service: SecretService,
    chromium_sign_in: Callable[..., Page],
) -> None:
    """Sign in through Chromium, use the token, refresh, revoke; then everything is dead, here and at the server."""
    pages: list[Page] = []
    login = keyring_home.login(
        oidc_provider.issuer, client="native", visit=lambda url: pages.append(chromium_sign_in(url))
    )
    assert login.status == 0, login.stderr
    assert "kept in the Secret Service keyring" in login.stderr

    first = keyring_home.run("token", "-p", "t").stdout
    assert first.count(".") == 2
    assert keyring_home.run("exec", "-p", "t", "--", "sh", "-c", 'test -n "$ACCESS_TOKEN"').status == 0
    assert keyring_home.run("show", "-p", "t").status == 0

    kept = json.loads(secret_service.lookup("tokenctl:t", "session") or "{}")
    assert kept["access_token"] == first.strip() and kept["refresh_token"] and kept["version"] == 2
    for secret in (kept["access_token"], kept["refresh_token"], kept["id_token"], kept["seal_key"]):
        assert not [name for name, content in keyring_home.snapshot().items() if secret.encode() in content]

    assert keyring_home.run("refresh", "-p", "t").status == 0
    assert keyring_home.run("token", "-p", "t").stdout != first
    assert oidc_provider.count(grant_type="refresh_token", status=200) == 1

    newest = json.loads(secret_service.lookup("tokenctl:t", "session") or "{}")
    revoke = keyring_home.run("revoke", "-p", "t")
    assert revoke.status == 0, revoke.stderr
    assert secret_service.lookup("tokenctl:t", "session") is None
    assert keyring_home.run("token", "-p", "t").status == 4
    # The server really forgot it: the same record, put back by hand, is refused.
    secret_service.store("tokenctl:t", "session", json.dumps(newest | {"expires_at": newest["obtained_at"]}))
    assert keyring_home.run("token", "-p", "t").status == 4
    assert oidc_provider.count(grant_type="refresh_token", error="invalid_grant") == 1

    assert [page.title for page in pages] == ["You are signed in - tokenctl"]
    assert "code=" not in pages[0].url


def test_the_browser_opens_by_itself(keyring_home: Home, oidc_provider: OidcProvider, tmp_path: Path) -> None:
    """With a browser at hand it is opened on the address, and a browser that talks on stdout disturbs nothing."""
    import sys

    opener = tmp_path / "browser"
    root = ROOT
    opener.write_text(f'#!/bin/sh\necho noise\ncd "{root}" && exec "{sys.executable}" -m tests.servers.person "$1"\n')
    opener.chmod(0o755)
    result = keyring_home.run(
        *(
            "login",
            "-p",
            "t",
            "--issuer",
            oidc_provider.issuer,
            "--client-id",
            "native",
            "--scope",
            "openid offline_access",
        ),
        environ={"BROWSER": f"{opener} %s"},
    )
    assert (result.status, result.stdout) == (0, "")
    assert "your browser opens" in result.stderr


def test_by_device_code_in_a_real_browser(
    keyring_home: Home, oidc_provider: OidcProvider, chromium_approve_device: Callable[..., Page]
) -> None:
    """Without a browser the device flow is taken by itself, and approved in Chromium on the other screen."""
    options = ("--issuer", oidc_provider.issuer, "--client-id", "native", "--scope", "openid offline_access")
    with keyring_home.start("login", "-p", "t", *options) as process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if line.startswith("http") and "user_code=" in line:
                threading.Thread(target=chromium_approve_device, args=(line.strip(),), daemon=True).start()
    assert process.returncode == 0, "".join(said)
    assert keyring_home.run("token", "-p", "t").stdout.count(".") == 2
    assert keyring_home.run("refresh", "-p", "t").status == 0


@pytest.mark.parametrize("client", ["machine", "machine-post"])
def test_a_machine_in_its_own_name(
    keyring_home: Home, oidc_provider: OidcProvider, secret_service: SecretService, client: str
) -> None:
    """Client credentials, whose secret has every odd character, begin a session and renew it without a person."""
    options: tuple[str, ...] = ("--issuer", oidc_provider.issuer, "--client-id", client)
    options += ("--flow", "client-credentials")
    if client == "machine-post":
        keyring_home.write_config(
            f'[profiles.ci]\nissuer = "{oidc_provider.issuer}"\nclient_id = "{client}"\nflow = "client-credentials"\n'
            'token_endpoint_auth_method = "client_secret_post"\n'
        )
        options = ()
    login = keyring_home.run("login", "-p", "ci", *options, "--client-secret-stdin", stdin=CLIENT_SECRET + "\n")
    assert login.status == 0, login.stderr
    assert secret_service.lookup("tokenctl:ci", "secret") == CLIENT_SECRET
    first = keyring_home.run("token", "-p", "ci").stdout
    assert keyring_home.run("refresh", "-p", "ci").status == 0
    assert keyring_home.run("token", "-p", "ci").stdout != first
    revoke = keyring_home.run("revoke", "-p", "ci")
    assert revoke.status == 0 and "stays valid" in revoke.stderr
    assert secret_service.lookup("tokenctl:ci", "secret") is None


@pytest.mark.quick
def test_a_machine_without_any_file(tmp_path: Path, oidc_provider: OidcProvider) -> None:
    """The environment alone is enough for a machine, and nothing is kept or written."""
    home = Home(tmp_path / "home", store="keyring")
    environ = {
        "TOKENCTL_ISSUER": oidc_provider.issuer,
        "TOKENCTL_CLIENT_ID": "machine",
        "TOKENCTL_CLIENT_SECRET": CLIENT_SECRET,
    }
    before = home.snapshot()
    result = home.run(
        "exec", "--", "sh", "-c", 'test -n "$ACCESS_TOKEN" && test -z "$TOKENCTL_CLIENT_SECRET"', environ=environ
    )
    assert result.status == 0, result.stderr
    assert home.snapshot() == before


@pytest.mark.parametrize("algorithm", ["rs512", "ps256", "es256", "eddsa"])
def test_id_tokens_of_other_algorithms(keyring_home: Home, oidc_provider: OidcProvider, algorithm: str) -> None:
    """ID tokens are verified with whatever algorithm the metadata lists."""
    login = keyring_home.login(oidc_provider.issuer, client=f"native-{algorithm}", visit=person.sign_in)
    assert login.status == 0, login.stderr
    assert "alice" in keyring_home.run("show").stdout


def test_a_person_who_refuses(keyring_home: Home, oidc_provider: OidcProvider, secret_service: SecretService) -> None:
    """A sign-in that the person refuses ends with 5, and nothing is stored."""
    before = keyring_home.snapshot()
    login = keyring_home.login(oidc_provider.issuer, client="native", visit=lambda url: person.sign_in(url, deny=True))
    assert login.status == 5 and "access_denied" in login.stderr
    assert secret_service.lookup("tokenctl:t", "session") is None
    assert keyring_home.snapshot() == before


def test_twenty_processes_refresh_once(tmp_path: Path, secret_service: SecretService) -> None:
    """Twenty processes that meet an expired session make one refresh, and all print the same token."""
    home = Home(tmp_path / "home", secret_service.environ, store="keyring")
    with available(), OidcProvider() as provider:
        assert home.login(provider.issuer, client="native", visit=person.sign_in).status == 0
        age_in(secret_service)
        results = home.race(20, "token", "-p", "t")
        assert [result.stderr for result in results if result.status] == []
        assert len({result.stdout for result in results}) == 1
        assert provider.count(grant_type="refresh_token") == 1
        assert home.run("refresh").status == 0  # the session is alive: no reuse was detected


def test_a_locked_keyring_never_looks_like_logged_out(
    keyring_home: Home, oidc_provider: OidcProvider, secret_service: SecretService
) -> None:
    """Locked and unavailable are 3, not 4, and say what they are; unlocked again, the session is there."""
    assert keyring_home.login(oidc_provider.issuer, client="native", visit=person.sign_in).status == 0
    secret_service.lock()
    locked = keyring_home.run("token")
    assert (locked.status, locked.stdout) == (3, "") and "locked" in locked.stderr
    secret_service.kill()
    gone = keyring_home.run("token")
    assert (gone.status, gone.stdout) == (3, "") and "cannot be used" in gone.stderr
    secret_service.restart()
    assert keyring_home.run("token").status == 0
