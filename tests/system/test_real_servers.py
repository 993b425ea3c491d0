"""The whole life at authorization servers that other people wrote; `python -m tests.bench.real_servers` has more of them."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.real_servers import allauth, oauth_toolkit
from tests.bench.real_servers.life import live
from tests.bench.real_servers.parts import Server

pytestmark = [pytest.mark.real, pytest.mark.slow]

Serve = Callable[[Path, Path, int | None], AbstractContextManager[Server]]


@pytest.mark.parametrize(
    ("serve", "kinds"), [(allauth.serve, ("confidential", "device")), (oauth_toolkit.serve, ("confidential",))]
)
def test_the_whole_life_with_nothing_but_issuer_client_and_secret(
    serve: Serve, kinds: tuple[str, ...], tmp_path: Path
) -> None:
    """Login, token, renewal by two at once, second login, revoke: each works, and none warns, without any setting."""
    (tmp_path / "server").mkdir()
    with serve(Path(sys.executable), tmp_path / "server", None) as server:
        chosen = replace(server, clients={kind: server.clients[kind] for kind in kinds})
        assert live("server", chosen, tmp_path).failed == []
