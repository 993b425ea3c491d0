"""Real proxies: tinyproxy for HTTP, microsocks for SOCKS. Both ask for a user name and a password."""

import contextlib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.commandline import LONG
from tests.support.real_parts import program

USER = "someone"
PASSWORDS = {"http": "pass-word", "socks5": "pa#s@s/w%"}
"""What they ask for, by the scheme. tinyproxy can be given letters and digits only."""


@contextlib.contextmanager
def tinyproxy() -> Iterator[int]:
    """An HTTP proxy of the test's own; yields its port."""
    command = program("tinyproxy")
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="tokenctl-tinyproxy-") as folder:
        settings = Path(folder, "tinyproxy.conf")
        settings.write_text(
            f'Port {port}\nListen 127.0.0.1\nTimeout {LONG:.0f}\nMaxClients 10\nLogFile "{folder}/log"\n'
            f"BasicAuth {USER} {PASSWORDS['http']}\n"
        )
        with _running([command, "-d", "-c", str(settings)], port):
            yield port


@contextlib.contextmanager
def microsocks() -> Iterator[int]:
    """A SOCKS proxy of the test's own; yields its port."""
    command = program("microsocks")
    port = _free_port()
    with _running([command, "-i", "127.0.0.1", "-p", str(port), "-u", USER, "-P", PASSWORDS["socks5"]], port):
        yield port


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def _running(command: Sequence[str], port: int) -> Iterator[None]:
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            end = time.monotonic() + LONG
            while not _listens(port):
                assert process.poll() is None and time.monotonic() < end, f"{command[0]} does not listen"
                time.sleep(0.02)
            yield
        finally:
            process.kill()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), LONG):
        return True
    return False
