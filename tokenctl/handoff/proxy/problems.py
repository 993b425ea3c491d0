"""The answers that the proxy itself gives: problem documents (RFC 9457). They hold no secret."""

import json
from dataclasses import dataclass
from http import HTTPStatus

from tokenctl.broker.current import PASSING
from tokenctl.errors import LoginRequired, TokenctlError
from tokenctl.handoff.proxy.headers import CLOSE
from tokenctl.handoff.proxy.rules import Refusal

_CHALLENGES = [(b"WWW-Authenticate", scheme + b' realm="tokenctl proxy"') for scheme in (b"Bearer", b"Basic")]
"""How a client can present the secret. git, and curl with --anyauth, send a password only where Basic is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An answer; `detail` is for a person. The connection is closed after it."""

    status: int
    detail: str

    @property
    def title(self) -> str:
        """What the status means."""
        return HTTPStatus(self.status).phrase

    @property
    def body(self) -> bytes:
        """The JSON document. Without `type` it is `about:blank`: the title says what the status says."""
        return json.dumps({"title": self.title, "status": self.status, "detail": self.detail}).encode()

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers of the answer."""
        return [
            (b"Content-Type", b"application/problem+json"),
            (b"Content-Length", b"%d" % len(self.body)),
            *(_CHALLENGES if self.status == 401 else []),
            CLOSE,
        ]


class Failed(Exception):
    """There is no answer of the upstream; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def of_refusal(refusal: Refusal) -> Problem:
    """Make the answer to a request that breaks a rule."""
    return Problem(status=refusal.status, detail=refusal.reason)


def no_token(error: TokenctlError) -> Problem:
    """Make the answer when there is no token: 503 where it can be there later, such as after a login."""
    return Problem(status=503 if isinstance(error, (LoginRequired, *PASSING)) else 502, detail=_text(error))


def no_answer(error: TokenctlError) -> Problem:
    """Make the answer when the upstream gave none."""
    return Problem(status=502, detail=_text(error))


def _text(error: TokenctlError) -> str:
    return f"{error.message}; {error.hint}" if error.hint else error.message
