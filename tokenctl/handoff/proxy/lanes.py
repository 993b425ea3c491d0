"""Connections that are kept open, without httpcore's search for one.

For each request httpcore's pool looks at all its connections, and again for each of them: with 50 clients that took four
fifths of the proxy's time. A lane is a pool that has one request at a time, so that there is nothing to search. The lane
that was used last is taken next.
"""

import time
from collections import deque
from collections.abc import Callable

import httpcore


class Lanes:
    """Sends each request in a lane of its own. `make` makes a lane; one that is not used for `kept` seconds is closed."""

    def __init__(self, make: Callable[[], httpcore.AsyncConnectionPool], kept: float) -> None:
        self._make = make
        self._kept = kept
        self._free: deque[tuple[httpcore.AsyncConnectionPool, float]] = deque()
        self._taken: set[httpcore.AsyncConnectionPool] = set()

    async def send(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request, and return the answer when its headers are there. Its lane is free again when it is closed."""
        await self._close_unused()
        lane = self._free.pop()[0] if self._free else self._make()
        self._taken.add(lane)
        try:
            answer = await lane.handle_async_request(request)
        except BaseException:
            self.release(lane)
            raise
        return _Answer(answer, self, lane)

    def release(self, lane: httpcore.AsyncConnectionPool) -> None:
        """Let a lane be taken again."""
        if lane in self._taken:
            self._taken.remove(lane)
            self._free.append((lane, time.monotonic()))

    async def close(self) -> None:
        """Close every lane."""
        for lane in [*self._taken, *(lane for lane, _ in self._free)]:
            await lane.aclose()

    async def _close_unused(self) -> None:
        oldest = time.monotonic() - self._kept
        while self._free and self._free[0][1] < oldest:
            lane, _ = self._free.popleft()
            await lane.aclose()


class _Answer(httpcore.Response):
    """An answer; its lane is free when it is closed."""

    def __init__(self, answer: httpcore.Response, lanes: Lanes, lane: httpcore.AsyncConnectionPool) -> None:
        super().__init__(
            answer.status, headers=answer.headers, content=answer.stream, extensions=dict(answer.extensions)
        )
        self._lanes = lanes
        self._lane = lane

    async def aclose(self) -> None:
        """End the answer."""
        try:
            await super().aclose()
        finally:
            self._lanes.release(self._lane)
