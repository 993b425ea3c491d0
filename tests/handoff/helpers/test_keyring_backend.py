"""The keyring library's backend: whom it answers, and that it stays out of everybody else's way."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import keyring.errors
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.backends.chainer import ChainerBackend

from tests.handoff.conftest import Account
from tests.support.commandline import LONG
from tests.support.ring import Ring
from tokenctl.handoff.helpers.keyring_backend import TokenctlKeyring

BOUND = '[profiles.t]\nhosts = ["https://a.example.com"]\n'
NAMES = st.text() | st.from_regex(r"(https?://)?[a-zA-Z0-9.:@\[\]/\\-]*", fullmatch=True)


class Chain(ChainerBackend):
    """The library's chain, of our backend and one that keeps entries."""

    backends: tuple[KeyringBackend, ...] = ()


@pytest.fixture
def ring() -> TokenctlKeyring:
    """The backend as a program has it."""
    return TokenctlKeyring()  # type: ignore[no-untyped-call]


@pytest.fixture
def chain(ring: TokenctlKeyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Our backend first, and the other one behind it."""
    monkeypatch.setenv("TEST_RING", str(tmp_path / "ring"))
    chain = Chain()  # type: ignore[no-untyped-call]
    chain.backends = (ring, Ring())
    return chain


# -- without a session -------------------------------------------------------------------------------------


def in_a_program(home: Path, code: str) -> str:
    """Run a program that uses the keyring library; return what it prints."""
    words = [sys.executable, "-W", "error", "-c", f"import keyring, sys; {code}"]
    environ = {"HOME": str(home), "PATH": "/nonexistent"}
    return subprocess.run(words, env=environ, capture_output=True, text=True, check=True, timeout=LONG).stdout


def configured(home: Path, content: str) -> None:
    """Write the config file."""
    folder = home / ".config" / "tokenctl"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(content)


def test_the_library_finds_it_where_there_can_be_a_profile(tmp_path: Path) -> None:
    """Elsewhere it is as if it were not installed: the library makes no chain because of it."""
    listed = "print(*keyring.backend.get_all_keyring())"
    assert "tokenctl" not in in_a_program(tmp_path, listed)
    configured(tmp_path, BOUND)
    assert "TokenctlKeyring (priority: 0.1)" in in_a_program(tmp_path, listed)


@pytest.mark.parametrize("service", ["game", "profiles", "https://b.example.com/", "b.example.com:443", "tokenctl:t"])
def test_whoever_asks_for_another_name_loads_next_to_nothing(tmp_path: Path, service: str) -> None:
    """Every program that uses the library has to carry it."""
    configured(tmp_path, BOUND)
    code = f"keyring.get_password({service!r}, 'me'); print(*(each for each in sys.modules if 'tokenctl' in each))"
    loaded = set(in_a_program(tmp_path, code).split())
    assert "tokenctl.handoff.helpers.keyring_backend" in loaded
    assert not loaded & {"tokenctl.runtime", "tokenctl.errors", "tokenctl.config", "tokenctl.storage"}


@pytest.mark.parametrize("content", [None, "", "[profiles.t\n", BOUND])
@given(service=NAMES, username=st.none() | st.text())
@example(service="a", username="\0")
@example(service="\udc80", username=None)
@example(service="tokenctl:t", username="session")
@example(service="https://a.example.com/simple/", username=None)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_name_makes_it_raise(
    ring: TokenctlKeyring, tmp_path: Path, content: str | None, service: str, username: str | None
) -> None:
    """Whatever the config file has: a program that looks for its own entry goes on."""
    if content is not None:
        configured(tmp_path, content)
    assert ring.get_credential(service, username) is None
    assert ring.get_password(service, username or "") is None


@pytest.mark.parametrize("service", [None, 1, b"https://a.example.com"])
def test_what_is_no_text_has_no_entry(ring: TokenctlKeyring, service: object) -> None:
    """As a program that passes such a name finds none elsewhere."""
    assert ring.get_credential(service, None) is None  # type: ignore[arg-type]


def test_it_keeps_nothing(ring: TokenctlKeyring, chain: Any) -> None:
    """A program is told so, and the library's chain goes on to a backend that keeps entries."""
    with pytest.raises(keyring.errors.PasswordSetError, match="keeps no passwords"):
        ring.set_password("https://a.example.com", "oauth2", "secret")
    with pytest.raises(keyring.errors.PasswordDeleteError):
        ring.delete_password("https://a.example.com", "oauth2")
    with pytest.raises(keyring.errors.NoKeyringError):  # what a program expects where there is no other
        ring.set_password("game", "me", "secret")

    chain.set_password("game", "me", "secret")
    assert chain.get_password("game", "me") == "secret"
    chain.delete_password("game", "me")
    assert chain.get_password("game", "me") is None


def test_the_library_asks_it_last() -> None:
    """A person's own entry comes first; the chain asks no backend with 0 or less."""
    others = [each.priority for each in keyring.backend.get_all_keyring() if not isinstance(each, TokenctlKeyring)]
    assert 0 < TokenctlKeyring.priority < min(each for each in others if each > 0)


# -- with a session ------------------------------------------------------------------------------------------


def test_it_gives_the_token_to_bound_origins_alone(account: Account, ring: TokenctlKeyring) -> None:
    """By a URL with or without a path, or by host and port; other hosts, ports, schemes and user names get nothing."""
    host = account.api.origin.removeprefix("http://")
    for service in (account.api.origin, f"{account.api.origin}/", f"{account.api.origin}/simple/?x", host):
        for username in (None, "", "oauth2"):
            credential = ring.get_credential(service, username)
            assert credential is not None
            assert (credential.username, credential.password) == ("oauth2", account.session.access_token)
        assert ring.get_password(service, "oauth2") == account.session.access_token
        assert ring.get_password(service, "me") is None
    for service in (f"https://{host}", f"http://me@{host}", host.replace("127.0.0.1", "localhost"), "127.0.0.1", "t"):
        assert ring.get_credential(service, None) is None
    assert account.refreshes == 0


@given(
    before=st.sampled_from(["", "http://", "HTTP://", "https://", "//", "http://me@", "http:/"]) | st.text(max_size=3),
    after=st.sampled_from(["", "/", "/simple/", "?", "#", ".example.com", "@example.com", "\\@example.com", "0"])
    | st.text(max_size=3),
    username=st.sampled_from([None, "", "oauth2", "me"]),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_name_gets_the_token_for_another_origin(
    account: Account, ring: TokenctlKeyring, before: str, after: str, username: str | None
) -> None:
    """However near it is to the bound one."""
    host = account.api.origin.removeprefix("http://")
    service = f"{before}{host}{after}"
    is_bound = re.fullmatch(rf"(http://)?{re.escape(host)}([/?#].*)?", service, re.IGNORECASE)
    assert ring.get_credential(service, username) is None or (is_bound and username != "me"), service


def test_it_does_not_give_away_what_tokenctl_keeps(account: Account, ring: TokenctlKeyring) -> None:
    """The names of our own entries are answered at once, also where a host is called `tokenctl`."""
    config = Path(os.environ["TOKENCTL_CONFIG"])
    config.write_text(config.read_text().replace("hosts = [", 'hosts = ["https://tokenctl:7", '))
    assert ring.get_credential("https://tokenctl:7", None) is not None
    assert ring.get_credential("tokenctl:7", "session") is None


def test_it_renews_an_old_token(account: Account, ring: TokenctlKeyring) -> None:
    """Nobody notices."""
    account.age()
    password = ring.get_password(account.api.origin, "oauth2")
    assert password not in (None, account.session.access_token) and account.refreshes == 1


def test_it_says_why_there_is_no_token(
    account: Account, ring: TokenctlKeyring, capfd: pytest.CaptureFixture[str]
) -> None:
    """On stderr, once for the URL and not again for the host; the client goes on without a password."""
    account.server.kill_session()
    account.age()
    assert ring.get_credential(f"{account.api.origin}/simple/", None) is None
    out, said = capfd.readouterr()
    assert out == "" and said.startswith("tokenctl: error: ") and "tokenctl login -p t" in said
    assert ring.get_credential(account.api.origin.removeprefix("http://"), None) is None
    assert capfd.readouterr() == ("", "")


def test_a_mistake_of_ours_is_nothing_to_other_programs(
    account: Account, ring: TokenctlKeyring, capfd: pytest.CaptureFixture[str]
) -> None:
    """Their entries have names that are no URLs."""
    Path(os.environ["TOKENCTL_CONFIG"]).write_text("[profiles.t\n")
    assert ring.get_credential("game", "me") is None
    assert capfd.readouterr() == ("", "")
    assert ring.get_credential(account.api.origin, None) is None
    assert "config.toml" in capfd.readouterr().err
