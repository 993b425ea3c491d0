"""How a test asks for a demo server with settings of its own."""

from collections.abc import Callable

from tests.servers.faulty_server import FaultyServer

Make = Callable[..., FaultyServer]
"""What the fixture `make_server` gives: settings in, a server that runs out."""
