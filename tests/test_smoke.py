"""The shortest way through the house."""

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.support.commandline import Home


@pytest.mark.quick
def test_a_person_signs_in_once_and_gets_tokens(home: Home, demo_server: FaultyServer) -> None:
    """Login, token, show, refresh and revoke work in a row."""
    login = home.login(demo_server.issuer)
    assert login.status == 0, login.stderr
    token = home.run("token")
    assert (token.status, token.stdout.count("\n"), token.stderr) == (0, 1, "")
    assert home.run("refresh").status == 0
    assert home.run("token").stdout != token.stdout
    assert home.run("revoke").status == 0
    assert home.run("token").status == 4
