"""A thief has the refresh token, at a real server and a real keyring: `audit` names it, and nothing else that looks alike."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

import pytest

from tests.servers import person
from tests.servers.oidc_provider import OidcProvider
from tests.servers.secret_service import SecretService
from tests.support.aging import age_in
from tests.support.attended import attended
from tests.support.audited import anomalies, events, names
from tests.support.commandline import Home
from tests.support.real_parts import available
from tokenctl.model.event import fingerprint

pytestmark = [pytest.mark.real, pytest.mark.slow]

REFUSED = "refresh-token-refused"
DAY = 86400


class Victim:
    """Somebody who is signed in at the server, with a real keyring, from which every program of theirs can read."""

    def __init__(self, folder: Path, service: SecretService, server: OidcProvider) -> None:
        self.home = Home(folder / "home", service.environ, store="keyring")
        self.service, self.server = service, server
        self.sign_in()

    def sign_in(self, *words: str) -> None:
        """Sign in, or sign in again."""
        signed_in = self.home.login(self.server.issuer, *words, client="native", visit=person.sign_in)
        assert signed_in.status == 0, signed_in.stderr

    @property
    def entry(self) -> str:
        """The entry as the keyring's own tool shows it."""
        return self.service.lookup("tokenctl:t", "session") or ""

    def refresh(self, status: int = 0) -> None:
        """Renew, and expect an exit status."""
        result = self.home.run("refresh")
        assert result.status == status, result


def stolen(victim: Victim) -> str:
    """Copy the refresh token out of the keyring."""
    return str(json.loads(victim.entry)["refresh_token"])


def use(victim: Victim, refresh_token: str) -> dict[str, Any]:
    """Present the refresh token somewhere else, by a program of the thief's own; return the server's answer."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": "native"}
    try:
        with build_opener(ProxyHandler({})).open(f"{victim.server.issuer}/token", urlencode(form).encode()) as answer:
            found: dict[str, Any] = json.load(answer)
    except HTTPError as refused:
        with refused:
            found = json.load(refused)
    return found


@pytest.fixture
def victim(tmp_path: Path, secret_service: SecretService, oidc_provider: OidcProvider) -> Victim:
    """Somebody who is signed in."""
    return Victim(tmp_path, secret_service, oidc_provider)


def test_a_thief_who_comes_first_is_named_and_a_person_sees_it_once(victim: Victim) -> None:
    """The next renewal is refused; `audit` says since when; a terminal says it once; a person ends the alarm."""
    began = time.time()
    token = stolen(victim)
    assert "access_token" in use(victim, token)
    assert names(victim.home) == []
    victim.refresh(4)
    (dead,) = events(victim.home, "dead")
    assert (dead["old_fingerprint"], dead["unanswered"]) == (fingerprint(token), 0)

    (found,) = anomalies(victim.home)
    assert (found["name"], found["profile"]) == (REFUSED, "t")
    assert began <= found["at"] <= time.time() and dead.seq in found["evidence"]
    table = victim.home.run("audit")
    assert table.status == 8 and found["sentence"] in " ".join((table.stdout + table.stderr).split())
    assert "revoke" in found["remedy"]

    cron = victim.home.run("show")
    seen = [attended(victim.home, "show").stderr for _ in range(2)]
    assert [each.count(REFUSED) for each in (cron.stderr, *seen)] == [0, 1, 0]
    assert victim.home.run("audit", "acknowledge", REFUSED).status == 0
    assert names(victim.home) == []
    victim.sign_in()
    victim.refresh()
    assert names(victim.home) == [] and REFUSED not in attended(victim.home, "show").stderr


def test_a_thief_who_comes_second_is_named_too(victim: Victim) -> None:
    """The server ends the session when the thief presents the used one, and the good one is refused with it."""
    token = stolen(victim)
    victim.refresh()
    assert use(victim, token)["error"] == "invalid_grant"
    victim.refresh(4)
    assert names(victim.home) == [REFUSED]


def restored(victim: Victim) -> None:
    """Bring the keyring back to an older state, without the mirror, as after a restored backup."""
    older = victim.entry
    victim.refresh()
    victim.service.store("tokenctl:t", "session", older)
    for mirror in (Path(victim.home.environ["TOKENCTL_STATE_DIR"]) / "t").glob("redo.*"):
        mirror.unlink()
    victim.refresh(4)


def signed_out(victim: Victim) -> None:
    """Sign out, and sign in again."""
    assert victim.home.run("revoke").status == 0
    victim.sign_in()
    victim.refresh()


def other_account(victim: Victim) -> None:
    """Sign in as another person, and say so."""
    login = victim.home.login(
        victim.server.issuer, "--switch-account", visit=lambda address: person.sign_in(address, "bob")
    )
    assert login.status == 0, login
    victim.refresh()


@pytest.mark.parametrize("happens", [restored, signed_out, other_account])
def test_what_a_person_does_is_no_theft(victim: Victim, happens: Callable[[Victim], None]) -> None:
    """A restored backup, a sign-out and another account raise no alarm."""
    happens(victim)
    assert names(victim.home) == []


@pytest.fixture
def forgetful(tmp_path: Path, secret_service: SecretService) -> Iterator[Victim]:
    """Somebody who is signed in at a server whose refresh tokens live for a second, and that does not say so."""
    with available(), OidcProvider(refresh_token_ttl=1) as server:
        yield Victim(tmp_path, secret_service, server)


def test_a_refresh_token_that_is_old_is_no_theft(forgetful: Victim) -> None:
    """Nobody knows how long it lives: after a day a refusal is ordinary, and before it is not."""
    time.sleep(2)
    age_in(forgetful.service, -DAY)
    forgetful.refresh(4)
    assert names(forgetful.home) == []
    forgetful.sign_in()
    time.sleep(2)
    forgetful.refresh(4)
    assert names(forgetful.home) == [REFUSED]
