"""djangorestframework-simplejwt as a child process, and a record of the requests made to it."""

import json
import sys
import tempfile
from importlib.util import find_spec
from types import TracebackType
from typing import Self

from tests.servers.child import Child
from tests.support.real_parts import Missing

API_KEY = 'key/with "quotes", {braces} and ümlauts'


class SimpleJwt:
    """One server on a free loopback port. See `simplejwt_app`."""

    def __init__(self, *, access_token_ttl: int = 900, refresh_token_ttl: int = 7 * 86400) -> None:
        self._settings = {"access_token_ttl": access_token_ttl, "refresh_token_ttl": refresh_token_ttl}

    def __enter__(self) -> Self:
        if not find_spec("rest_framework_simplejwt"):
            raise Missing("PyPI package djangorestframework-simplejwt not installed")
        self._folder = tempfile.TemporaryDirectory(prefix="tokenctl-jwt-")
        command = [sys.executable, "-m", "tests.servers.simplejwt_app", self._folder.name, json.dumps(self._settings)]
        self._child = Child(command).__enter__()
        self.address = str(self._child.hello["address"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.__exit__(kind, error, trace)
        self._folder.cleanup()

    def count(self, path: str, status: int = 200) -> int:
        """How many requests to a path were answered with this status."""
        return self._child.records.count({"path": path, "status": status})
