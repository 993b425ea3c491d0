"""The home in which the recipes of a page run."""

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.servers.faulty_server import FaultyServer
from tests.support.recipes import Stage


@pytest.fixture(scope="module")
def signed_in_once(
    signing_key: rsa.RSAPrivateKey, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Stage]:
    """A home that has done what the module's page begins with: it says which server may get the token."""
    with FaultyServer(auto_approve=True, signing_key=signing_key) as server:
        stage = Stage(tmp_path_factory.mktemp("home"), server)
        (bind,) = stage.recipe(request.module.TOPIC, request.module.FIRST)
        assert stage.script(bind).status == 0
        yield stage


@pytest.fixture
def stage(signed_in_once: Stage) -> Stage:
    """The same home for each test, and an API that remembers nothing."""
    signed_in_once.seen.clear()
    return signed_in_once
