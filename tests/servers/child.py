"""A real server as a child process: it reports in JSON, a line each on stdout, and ends when its stdin does."""

import json
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

START_SECONDS = 120.0
END_SECONDS = 30.0
# CI has seen Node.js hang at a start, without a word and deaf to the end of its stdin (nodejs/node#54918 is of the
# kind). So a start is tried again, and has failed only when that does not help; nothing of ours is under test yet.
TRIES = 3

Record = dict[str, Any]


class Child:
    """`hello` is the first line of the server, which tells where it listens; `records` are all the others."""

    def __init__(self, command: Sequence[str], cwd: Path | None = None) -> None:
        self._command, self._cwd = command, cwd
        self.hello: Record = {}
        self.records: list[Record] = []
        self._ended = False
        self._news = threading.Condition()

    def __enter__(self) -> Self:
        for _ in range(TRIES):
            self._start()
            if self.wait(lambda: bool(self.hello)):
                return self
            self.__exit__(None, None, None)
        raise RuntimeError(f"{self._command[:2]} did not start (exit status {self._process.returncode})")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._process.stdout.close()

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    def tell(self, line: str) -> None:
        """Write a line to its stdin."""
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def wait(self, arrived: Callable[[], bool]) -> bool:
        """Wait until what it reported makes this true; False when it has ended, or says nothing for long."""
        with self._news:
            self._news.wait_for(lambda: self._ended or arrived(), START_SECONDS)
            return arrived()

    def _start(self) -> None:
        self._ended = False
        self._process = subprocess.Popen(
            self._command, cwd=self._cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )
        self._reader = threading.Thread(target=self._read, name=f"what {self._command[0]} says", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout
        try:
            for line in self._process.stdout:
                record = json.loads(line)
                with self._news:
                    if self.hello:
                        self.records.append(record)
                    else:
                        self.hello = record
                    self._news.notify_all()
        finally:
            with self._news:
                self._ended = True
                self._news.notify_all()
