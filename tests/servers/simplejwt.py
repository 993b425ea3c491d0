"""djangorestframework-simplejwt as a child process, and a record of the requests made to it."""

import json
import subprocess
import sys
import tempfile
import threading
from importlib.util import find_spec
from types import TracebackType
from typing import Any, Self

from tests.servers import Missing

API_KEY = 'key/with "quotes", {braces} and ümlauts'
START_SECONDS = 30.0


class SimpleJwt:
    """One server on a free loopback port. See `simplejwt_app`."""

    def __init__(self, *, access_token_ttl: int = 900, refresh_token_ttl: int = 7 * 86400) -> None:
        self._settings = {"access_token_ttl": access_token_ttl, "refresh_token_ttl": refresh_token_ttl}
        self.address = ""
        self._log: list[dict[str, Any]] = []
        self._news = threading.Condition()

    def __enter__(self) -> Self:
        if not find_spec("rest_framework_simplejwt"):
            raise Missing("PyPI package djangorestframework-simplejwt not installed")
        self._folder = tempfile.TemporaryDirectory(prefix="tokenctl-jwt-")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.servers.simplejwt_app", self._folder.name, json.dumps(self._settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        with self._news:
            started = self._news.wait_for(lambda: bool(self.address), START_SECONDS)
        if not started:
            self.__exit__(None, None, None)
            raise RuntimeError("the simplejwt server did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._process.stdout.close()
        self._folder.cleanup()

    def count(self, path: str, status: int = 200) -> int:
        """How many requests to a path were answered with this status."""
        with self._news:
            return sum((each["path"], each["status"]) == (path, status) for each in self._log)

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            record = json.loads(line)
            with self._news:
                self.address = record.get("address", self.address)
                if "path" in record:
                    self._log.append(record)
                self._news.notify_all()
