"""Worlds in which the server cannot be reached, or is not the one that was meant; and a clock that is wrong."""

import socket

import trustme

from tests.servers.faulty_server import json_reply
from tests.servers.raw_server import copy, raw_server, saying, server_context
from tests.support.flows import always, change_metadata, rewritten
from tests.support.machine import Machine
from tests.support.worlds.files import SHIFTED_CLOCKS
from tests.support.worlds.world import undo, world

PROXY_REFUSES = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
WELL_KNOWN = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


@world(6, "127.0.0.1", "refused", remedy="check the address", mend=None)
def server_is_down(machine: Machine) -> None:
    """Nothing listens there, and the token has expired."""
    move(machine, f"http://127.0.0.1:{free_port()}")


@world(0, "127.0.0.1", "refused", remedy="check the address", mend=None)
def server_is_down_and_the_token_is_fresh(machine: Machine) -> None:
    """Nothing listens there, and the token is still good."""
    move(machine, f"http://127.0.0.1:{free_port()}", left=800)


@world(6, "503", remedy="again", mend=undo)
def server_is_overloaded(machine: Machine) -> None:
    """Every answer is 503, and the token has expired."""
    for path in (*WELL_KNOWN, "/token", "/jwks"):
        machine.server.overrides[path] = always(json_reply({}, 503))
    machine.age()


@world(0, "issuer", remedy="issuer", mend=None)
def metadata_of_another_issuer(machine: Machine) -> None:
    """The metadata names another issuer: a login would be refused, a renewal goes to the endpoint of the login."""
    change_metadata(machine.server, issuer="https://other.invalid")
    machine.age()


@world(6, "login.invalid", remedy="host name", mend=None)
def host_is_unknown(machine: Machine) -> None:
    """The DNS does not know the server's name, and the token has expired."""
    del machine.environ["HTTPS_PROXY"]
    move(machine, "https://login.invalid")


@world(2, "proxy", "user name", remedy="HTTPS_PROXY=http://USER:PASSWORD@", mend=None)
def proxy_refuses(machine: Machine) -> None:
    """The proxy asks for a user name, and the token has expired."""
    port = machine.cleanup.enter_context(raw_server(saying(PROXY_REFUSES)))
    machine.environ["HTTPS_PROXY"] = f"http://127.0.0.1:{port}"
    move(machine, "https://login.invalid")


@world(6, "proxy", "refused", remedy="check HTTPS_PROXY", mend=None)
def proxy_is_gone(machine: Machine) -> None:
    """The variable names a proxy that does not run; it has a password, which nobody may see."""
    move(machine, "https://login.invalid")


@world(2, "proxy", "HTTPS_PROXY", remedy="HTTPS_PROXY", mend=None)
def proxy_is_no_url(machine: Machine) -> None:
    """The variable cannot be understood."""
    machine.environ["HTTPS_PROXY"] = "ftp://person:canary-proxy-password-0123456789@127.0.0.1:9"
    move(machine, "https://login.invalid")


@world(6, "certificate", remedy="ca_file", mend=lambda machine, found: trust(machine))
def certificate_is_not_trusted(machine: Machine) -> None:
    """The server's certificate is of an authority of the company."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(machine.home.folder / "ca.pem")

    def relay(connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", machine.server.port)) as server:
            copy(connection, server)

    port = machine.cleanup.enter_context(raw_server(relay, server_context(authority)))
    machine.server.overrides["/token"] = rewritten(machine.server, id_token=None)
    move(machine, f"https://127.0.0.1:{port}")


def trust(machine: Machine) -> None:
    """Trust the authority of the company."""
    file = machine.home.folder / "ca.pem"
    machine.type(f"tokenctl profile set work ca_file={file}")


@world(
    2,
    "ca_file",
    "nowhere.pem",
    remedy="ca_file",
    mend=lambda machine, found: machine.type("tokenctl profile unset work ca_file"),
)
def ca_file_is_absent(machine: Machine) -> None:
    """The certificates that the profile names are not there, and the token has expired."""
    machine.home.config.write_text(f'{machine.home.config.read_text()}ca_file = "/nowhere.pem"\n')
    machine.age()


@world(5, "clock", remedy="clock", mend=None)
def clock_is_two_hours_ahead(machine: Machine) -> None:
    """Somebody set the clock wrong: the token counts as expired, and so does the ID token of the renewal."""
    machine.environ.update({"PYTHONPATH": SHIFTED_CLOCKS, "WALL_SHIFT": "7200"})


@world(5, "clock", remedy="clock", mend=None)
def clock_is_two_hours_behind(machine: Machine) -> None:
    """Somebody set the clock wrong: nobody knows the token's age, and the ID token of the renewal is of the future."""
    machine.environ.update({"PYTHONPATH": SHIFTED_CLOCKS, "WALL_SHIFT": "-7200"})


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def move(machine: Machine, issuer: str, left: int = -60) -> None:
    """Let the profile and its session be of another server, as if it had been that one from the beginning."""
    there = machine.server.issuer
    machine.edit_config(there, issuer)
    entry = {name: value.replace(there, issuer) for name, value in machine.entry.items() if isinstance(value, str)}
    machine.change_entry(**{name: value for name, value in entry.items() if value != machine.entry[name]})
    machine.age(left)
