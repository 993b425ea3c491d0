"""Requests through real proxies: tinyproxy and microsocks."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme

from tests.servers.raw_server import tls_server
from tests.servers.real_proxies import PASSWORDS, USER, microsocks, tinyproxy
from tests.support.commandline import LONG
from tests.support.real_parts import available
from tokenctl.adapters.transport import Transport
from tokenctl.errors import Unreachable, UsageError
from tokenctl.oauth.wire import Request, Response

pytestmark = [pytest.mark.real, pytest.mark.slow]
HERE = "0.0.0.0"
"""An address of this machine that is no loopback address: a request to it can have a proxy."""


@pytest.fixture(scope="module", params=["http", "socks5"])
def proxy(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a real proxy, with the place of the credentials left open."""
    scheme: str = request.param
    with available(), tinyproxy() if scheme == "http" else microsocks() as port:
        yield scheme + "://{}@127.0.0.1:" + str(port)


def through(proxy: str, credentials: str, port: int, ca_file: str | None = None) -> Response:
    """Send a secret through the proxy to a server of this machine."""
    request = Request(url=f"https://{HERE}:{port}/", headers={"Authorization": "Bearer secret"})
    return Transport(ca_file, total=LONG, environ={"ALL_PROXY": proxy.format(credentials)}).send(request)


def test_a_request_goes_through_a_real_proxy(proxy: str, tmp_path: Path) -> None:
    """With a password that has characters which mean something in a URL, encoded and not."""
    right = PASSWORDS[proxy.partition(":")[0]]
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with tls_server(authority, HERE, HERE) as port:
        for password in (right, quote(right, safe="")):
            response = through(proxy, f"{USER}:{password}", port, str(tmp_path / "ca.pem"))
            assert (response.status, response.body) == (200, b"{}")
            assert response.proxy == proxy.partition("@")[2]


@pytest.mark.parametrize("credentials", [f"{USER}:wrong", "nobody:"])
def test_a_real_proxy_that_does_not_let_us_in_is_named(proxy: str, credentials: str) -> None:
    """It is a matter of the configuration: exit 2."""
    with pytest.raises(
        UsageError, match=r"^the proxy 127\.0\.0\.1:[0-9]+ does not accept the user name and password"
    ) as told:
        through(proxy, credentials, 1)
    assert "wrong" not in f"{told.value.message} {told.value.hint}"


def test_a_real_proxy_that_gets_no_password_is_named(proxy: str) -> None:
    """And the hint says how to give one."""
    with pytest.raises(UsageError, match="asks for a user name and a password") as told:
        through(proxy.replace("{}@", ""), "", 1)
    assert told.value.hint is not None and "USER:PASSWORD" in told.value.hint


def test_a_real_proxy_that_cannot_reach_the_server_is_named(proxy: str) -> None:
    """Nobody listens there; nothing was sent, and the proxy's password is not told."""
    right = PASSWORDS[proxy.partition(":")[0]]
    with contextlib.closing(socket.create_server((HERE, 0))) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(
        Unreachable, match=rf"^the proxy 127\.0\.0\.1:[0-9]+ does not connect to {HERE}:{port}: "
    ) as told:
        through(proxy, f"{USER}:{right}", port)
    assert not told.value.sent and right not in f"{told.value.message} {told.value.hint}"
