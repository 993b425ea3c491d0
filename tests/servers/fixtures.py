"""The real parts as pytest fixtures; a test that asks for one is skipped, or in CI fails, where it cannot start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.servers.keepassxc import KeePassXC
from tests.servers.kwallet import KWallet
from tests.servers.oidc_provider import OidcProvider
from tests.servers.password_store import PasswordStore
from tests.servers.secret_service import SecretService
from tests.support.real_parts import available, program

# selenium takes a third of a second to import: only for the tests that ask for a browser.
if TYPE_CHECKING:
    from tests.servers.chromium import Page


@pytest.fixture(scope="session")
def shared_oidc_provider() -> Iterator[OidcProvider]:
    """One server for all the tests of a worker: it takes half a second to start."""
    with available(), OidcProvider() as provider:
        yield provider


@pytest.fixture
def oidc_provider(shared_oidc_provider: OidcProvider) -> OidcProvider:
    """The shared server with an empty log. For other settings: `with available(), OidcProvider(...) as provider`."""
    shared_oidc_provider.forget()
    return shared_oidc_provider


@pytest.fixture
def secret_service() -> Iterator[SecretService]:
    """An empty, unlocked Secret Service of the test's own: it takes a tenth of a second to start."""
    with available(), SecretService() as service:
        yield service


@pytest.fixture
def kwallet() -> Iterator[KWallet]:
    """An empty, open KWallet of the test's own, as a Secret Service: it takes a fifth of a second to start."""
    with available(), KWallet() as wallet:
        yield wallet


@pytest.fixture
def kwallet_own() -> Iterator[KWallet]:
    """An empty, open KWallet of the test's own, through its own interface and the keyring library's backend for it."""
    with available(), KWallet("kwallet") as wallet:
        yield wallet


@pytest.fixture
def keepassxc() -> Iterator[KeePassXC]:
    """A KeePassXC of the test's own with an empty, unlocked database: it takes a second or two to start."""
    with available(), KeePassXC() as keepassxc:
        yield keepassxc


@pytest.fixture
def confirming_keepassxc() -> Iterator[KeePassXC]:
    """A KeePassXC that asks a person whether a program can have an entry, or can delete it."""
    with available(), KeePassXC(confirm=True) as keepassxc:
        yield keepassxc


@pytest.fixture
def password_store() -> Iterator[PasswordStore]:
    """An empty store of `pass`, with the key unlocked: it takes a second to start."""
    with available(), PasswordStore() as store:
        yield store


@pytest.fixture(scope="session")
def chromium_sign_in() -> Callable[..., Page]:
    """`sign_in` of `tests.servers.chromium`."""
    _need_chromium()
    from tests.servers.chromium import sign_in

    return sign_in


@pytest.fixture(scope="session")
def chromium_approve_device() -> Callable[..., Page]:
    """`approve_device` of `tests.servers.chromium`."""
    _need_chromium()
    from tests.servers.chromium import approve_device

    return approve_device


def _need_chromium() -> None:
    with available():
        program("chromium")
        program("chromedriver")
