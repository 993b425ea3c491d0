"""One request: refuse it, or send it on with the access token and pass the answer back. An ASGI application."""

import asyncio
import time
from typing import Any

import h11
import httpcore

from tokenctl.broker.current import PASSING
from tokenctl.errors import TokenctlError
from tokenctl.handoff.access_token import AccessToken
from tokenctl.handoff.live_token import LiveToken
from tokenctl.handoff.proxy import problems
from tokenctl.handoff.proxy.body import Body, ClientLeft, Receive
from tokenctl.handoff.proxy.problems import Problem
from tokenctl.handoff.proxy.rules import Gate, to_client, to_upstream
from tokenctl.handoff.proxy.upstream import Upstream
from tokenctl.oauth.www_authenticate import asks_for_new_token
from tokenctl.runtime import Runtime

LEFT_OVER = 1.0
"""Seconds in which the rest of a refused request is read and dropped, so that its client can read the answer."""
_LONGEST_PATH = 200


class Application:
    """Answers every request that the server hands to it."""

    def __init__(self, runtime: Runtime, live: LiveToken, gate: Gate, upstream: Upstream) -> None:
        self._terminal = runtime.terminal
        self._live = live
        self._gate = gate
        self._upstream = upstream

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Any) -> None:
        """Answer one request."""
        connection = scope["state"]["connection"]
        request: h11.Request = connection.request
        exchange = Exchange(request, Body(receive), send)
        started = time.monotonic()
        connection.begin(asyncio.current_task())
        try:
            await self._answer(exchange)
        except ClientLeft:
            pass
        except Exception as error:
            self._terminal.warning(f"the proxy failed on a request: {type(error).__name__}")
            await exchange.refuse(Problem(status=500, detail="the proxy failed on this request"))
        finally:
            if self._terminal.verbose:
                spent = (time.monotonic() - started) * 1000
                path = request.target.partition(b"?")[0].decode("ascii", "replace")[:_LONGEST_PATH]
                self._terminal.detail(f"{request.method.decode()} {path} {exchange.status or '-'} {spent:.0f} ms")
            connection.end(whole=exchange.ended)

    async def _answer(self, exchange: "Exchange") -> None:
        request = exchange.request
        refusal = self._gate.refusal(request.method, request.target, request.http_version, exchange.headers)
        if refusal is not None:
            await exchange.refuse(problems.of_refusal(refusal))
            return
        try:
            token = await self._live.async_get()
        except TokenctlError as error:
            await exchange.refuse(problems.no_token(error))
            return
        try:
            answer = await self._sent(exchange, token)
        except TokenctlError as error:
            await exchange.refuse(problems.no_answer(error))
            return
        if answer.status == 401 and _is_refused(answer):
            try:
                other = await self._live.async_instead_of(token)
            except PASSING:
                other = None
            except TokenctlError as error:
                await answer.aclose()
                await exchange.refuse(problems.no_token(error))
                return
            if other is not None and exchange.body.repeatable:
                await answer.aclose()
                try:
                    answer = await self._sent(exchange, other)
                except TokenctlError as error:
                    await exchange.refuse(problems.no_answer(error))
                    return
                if answer.status == 401 and _is_refused(answer):
                    self._live.refused_too(other)
        await exchange.pass_on(answer)

    async def _sent(self, exchange: "Exchange", token: AccessToken) -> httpcore.Response:
        headers = to_upstream(
            exchange.headers,
            host=self._upstream.host,
            authorization=token.authorization.encode("ascii"),
            secret=self._gate.secret,
        )
        request = exchange.request
        content = exchange.body if exchange.has_body else None
        return await self._upstream.send(request.method, request.target, headers, content)


class Exchange:
    """A request, and how far its answer is."""

    def __init__(self, request: h11.Request, body: Body, send: Any) -> None:
        self.request = request
        self.headers = request.headers.raw_items()
        self.body = body
        self._send = send
        self.status: int | None = None
        """The status of the answer, when it was sent."""
        self.ended = False
        """Whether the answer was sent whole."""

    @property
    def has_body(self) -> bool:
        """Tell whether the request has a body, which can be empty (RFC 9112 section 6.3)."""
        return any(name.lower() in (b"transfer-encoding", b"content-length") for name, _ in self.headers)

    async def refuse(self, problem: Problem) -> None:
        """Send an answer of the proxy's own, and close the connection."""
        if self.status is not None:
            return
        self.status = problem.status
        await self._send({"type": "http.response.start", "status": problem.status, "headers": problem.headers()})
        await self._send({"type": "http.response.body", "body": problem.body, "more_body": True})
        if self.has_body:
            await self._drop_the_rest()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        self.ended = True

    async def _drop_the_rest(self) -> None:
        """Read what the client still sends, for a short time: a connection closed before could lose the answer."""
        try:
            async with asyncio.timeout(LEFT_OVER):
                while not self.body.complete:
                    await self.body.read()
        except (TimeoutError, ClientLeft):
            pass

    async def pass_on(self, answer: httpcore.Response) -> None:
        """Send the upstream's answer to the client."""
        try:
            if not 200 <= answer.status < 600:
                await self.refuse(Problem(status=502, detail=f"the upstream answered with status {answer.status}"))
                return
            headers = to_client(answer.headers)
            if self.has_body and not self.body.complete:
                headers.append((b"Connection", b"close"))
            self.status = answer.status
            await self._send({"type": "http.response.start", "status": answer.status, "headers": headers})
            async for part in answer.aiter_stream():
                await self._send({"type": "http.response.body", "body": part, "more_body": True})
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            self.ended = True
        except (httpcore.NetworkError, httpcore.ProtocolError):
            pass
        finally:
            await answer.aclose()


def _is_refused(answer: httpcore.Response) -> bool:
    lines = [value.decode("latin-1") for name, value in answer.headers if name.lower() == b"www-authenticate"]
    return asks_for_new_token(lines)
