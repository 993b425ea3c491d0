"""Configuration files of clients as people have them: one module a client, which is found by its name.

`FILES` are those that `helper install` changes; `None` is a file that is not there. `REFUSED` are those that it must not
change. A refused file whose name begins with "foreign" has another helper, which `--replace` replaces.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec

from tokenctl.handoff.clients import LINES

ORIGIN = "https://registry.example.com:5000"
OTHER = "https://other.example.com"


def files(kind: str = "FILES") -> Iterator[tuple[str, str, bytes | None]]:
    """List the client, the name and the content of every file of a kind."""
    for client in LINES:
        name = f"{__name__}.{client.replace('-', '_')}"
        if find_spec(name) is not None:
            found: Mapping[str, bytes | None] = getattr(import_module(name), kind, {})
            for title, content in found.items():
                yield client, title, content
