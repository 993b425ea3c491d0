"""The whole life of a session through real proxies: certified server, tinyproxy, microsocks, command line."""

import ssl
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
import trustme

from tests.servers.oidc_provider import OidcProvider
from tests.servers.person import sign_in
from tests.servers.real_proxies import PASSWORDS, USER, microsocks, tinyproxy
from tests.support.commandline import Home, Result
from tests.support.real_parts import available

HERE = "0.0.0.0"
"""An address of this machine that is no loopback address: a request to it can have a proxy."""


@pytest.mark.real
@pytest.mark.parametrize(("scheme", "variable"), [("http", "HTTPS_PROXY"), ("socks5", "ALL_PROXY")])
def test_a_session_lives_behind_a_proxy(home: Home, tmp_path: Path, scheme: str, variable: str) -> None:
    """Every request goes through the proxy, also those of the worker; without its password none does."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    issued = authority.issue_cert(HERE)
    tls = (issued.private_key_pem.bytes().decode(), issued.cert_chain_pems[0].bytes().decode())
    visit = partial(sign_in, context=ssl.create_default_context(cadata=authority.cert_pem.bytes().decode()))
    with (
        available(),
        OidcProvider(host=HERE, tls=tls) as server,
        tinyproxy() if scheme == "http" else microsocks() as port,
    ):
        home.write_config(
            f'[profiles.t]\nissuer = "{server.issuer}"\nclient_id = "native"\nca_file = "{tmp_path / "ca.pem"}"\n'
            'scope = "openid offline_access"\n'
        )
        environ = {variable: f"{scheme}://{USER}:{quote(PASSWORDS[scheme], safe='')}@127.0.0.1:{port}", "NO_PROXY": "x"}

        def run(*words: str) -> Result:
            result = home.run(*words, "-p", "t", "-v", environ=environ)
            assert result.status == 0, result.stderr
            return result

        said = home.login(server.issuer, "-v", visit=visit, environ=environ).stderr
        said += run("refresh").stderr
        # A renewal that the proxy refuses costs nothing: the next one works.
        bare = {variable: f"{scheme}://127.0.0.1:{port}"}
        refused = home.run("refresh", "-p", "t", environ=bare)
        assert refused.status == 2 and f"the proxy 127.0.0.1:{port} asks for a user name" in refused.stderr
        said += run("refresh").stderr + run("revoke").stderr
        asked = len(server.log)
    requests = [line for line in said.splitlines() if urlsplit(server.issuer).netloc in line and ": HTTP " in line]
    assert len(requests) == asked
    assert all(line.endswith(f", through the proxy 127.0.0.1:{port}") for line in requests), requests
    assert PASSWORDS[scheme] not in said
