"""Reads requests as h11 does, and refuses what two servers could read in two ways."""

import re
from typing import Any

import h11

LONGEST_HEADER = 64 * 1024
"""Bytes of a request line and headers, all together."""
_END = re.compile(rb"\n\r?\n")
_NOT_STRICT = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)|\n[ \t]")
"""A line that ends with LF or CR alone, or that goes on with the line before (RFC 9112 sections 2.2 and 5.2). What has
come can end between CR and LF."""


class RequestReader(h11.Connection):
    """One connection's requests. `request` is the last one, as it was written."""

    request: h11.Request
    refused_with = 400
    """The status for a request that cannot be read."""

    def __init__(self) -> None:
        super().__init__(h11.SERVER, LONGEST_HEADER)

    def next_event(self) -> Any:
        """Return the next part of a request; see h11. Raises h11.RemoteProtocolError."""
        try:
            if self.their_state is h11.IDLE:
                self._check_head()
            event = super().next_event()
        except h11.RemoteProtocolError as error:
            self.refused_with = error.error_status_hint
            raise
        if isinstance(event, h11.Request):
            self.request = event
        return event

    @property
    def pending(self) -> int:
        """How many bytes have come that are not read yet."""
        return len(self.trailing_data[0])

    def _check_head(self) -> None:
        head = self.trailing_data[0]
        found = _END.search(head)
        end = found.end() if found else len(head)
        if end > LONGEST_HEADER:
            raise h11.RemoteProtocolError("the headers are too long", error_status_hint=431)
        if _NOT_STRICT.search(head, 0, end):
            raise h11.RemoteProtocolError("a line of the headers does not end as it must")
