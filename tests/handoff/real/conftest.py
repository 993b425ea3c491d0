"""The server that the clients ask."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.cloud_api import CloudApi
from tests.servers.faulty_server import FaultyServer


@pytest.fixture
def cloud(demo_server: FaultyServer, tmp_path: Path) -> Iterator[CloudApi]:
    """The endpoints of a cluster and of three clouds, which check every token."""
    with CloudApi(demo_server, tmp_path) as cloud:
        yield cloud
