"""How a test asks for a demo server with settings of its own."""

from collections.abc import Callable

from tokenctl.demo.http_server import DemoServer

Make = Callable[..., DemoServer]
"""What the fixture `make_server` gives: settings in, a server that runs out."""
