"""The server that the clients ask; and every test of this folder starts real clients."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.cloud_api import CloudApi
from tests.servers.faulty_server import FaultyServer


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder: each needs a client, and starts it."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("slow")
            item.add_marker("real")


@pytest.fixture
def cloud(demo_server: FaultyServer, tmp_path: Path) -> Iterator[CloudApi]:
    """The endpoints of a cluster and of three clouds, which check every token."""
    with CloudApi(demo_server, tmp_path) as cloud:
        yield cloud
