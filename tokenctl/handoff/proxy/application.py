"""One request: refuse it, or send it on with the access token and pass the answer back. An ASGI application."""

import asyncio
import time
from typing import Any

import httpcore

from tokenctl.broker.current import PASSING
from tokenctl.errors import TokenctlError
from tokenctl.handoff.access_token import AccessToken
from tokenctl.handoff.live_token import LiveToken
from tokenctl.handoff.proxy import problems
from tokenctl.handoff.proxy.body import ClientLeft
from tokenctl.handoff.proxy.exchange import Exchange
from tokenctl.handoff.proxy.headers import to_upstream
from tokenctl.handoff.proxy.problems import Failed, Problem
from tokenctl.handoff.proxy.rules import Gate
from tokenctl.handoff.proxy.sending import finish
from tokenctl.handoff.proxy.upstream import Upstream
from tokenctl.oauth.www_authenticate import asks_for_new_token
from tokenctl.runtime import Runtime


class Application:
    """Answers every request that the server hands to it."""

    def __init__(self, runtime: Runtime, live: LiveToken, gate: Gate, upstream: Upstream) -> None:
        self._terminal = runtime.terminal
        self._live = live
        self._gate = gate
        self._upstream = upstream

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        connection = scope["state"]["connection"]
        exchange = Exchange(connection, receive, send)
        started = time.monotonic()
        connection.begin(asyncio.current_task())
        try:
            await self._answer(exchange, too_many=connection.too_many)
        except ClientLeft:
            pass
        except Exception as error:
            self._terminal.warning(f"the proxy failed on a request: {type(error).__name__}")
            await exchange.refuse(Problem(status=500, detail="the proxy failed on this request"))
        finally:
            connection.end(whole=exchange.ended)
            if self._terminal.verbose:
                self._terminal.detail(f"{exchange} {(time.monotonic() - started) * 1000:.0f} ms")

    async def _answer(self, exchange: Exchange, *, too_many: bool) -> None:
        if too_many:
            await exchange.refuse(Problem(status=503, detail="too many connections"))
            return
        request = exchange.request
        refusal = self._gate.refusal(request.method, request.target, request.http_version, exchange.headers)
        if refusal is not None:
            await exchange.refuse(problems.of_refusal(refusal))
            return
        try:
            answer = await self._from_upstream(exchange)
        except Failed as failed:
            await exchange.refuse(failed.problem)
            return
        await exchange.pass_on(answer)

    async def _from_upstream(self, exchange: Exchange) -> httpcore.Response:
        """Return the answer to the request, which is sent again with another token if the upstream refuses this one."""
        token = await self._token()
        answer = await self._sent(exchange, token)
        if not _refuses_token(answer):
            return answer
        try:
            other = await self._another_token(token)
            if other is None:
                return answer
            if not exchange.body.repeatable:
                self._live.refused_too(other)  # it is not tried now, and the next request may be such a one too
                return answer
        except BaseException:
            await finish(answer)
            raise
        await finish(answer)
        answer = await self._sent(exchange, other)
        if _refuses_token(answer):
            self._live.refused_too(other)
        return answer

    async def _token(self) -> AccessToken:
        try:
            return await self._live.async_get()
        except TokenctlError as error:
            raise Failed(problems.no_token(error)) from None

    async def _another_token(self, refused: AccessToken) -> AccessToken | None:
        """Return another token than the refused one; None when there is none, so that the client gets the refusal."""
        try:
            return await self._live.async_instead_of(refused)
        except PASSING as error:
            self._terminal.detail(f"the token was refused, and could not be renewed: {error}")
            return None
        except TokenctlError as error:
            raise Failed(problems.no_token(error)) from None

    async def _sent(self, exchange: Exchange, token: AccessToken) -> httpcore.Response:
        headers = to_upstream(
            exchange.headers,
            host=self._upstream.host,
            authorization=token.authorization.encode(),
            secret_header=self._gate.secret_header,
        )
        request = exchange.request
        content = exchange.body if exchange.has_body else None
        try:
            return await self._upstream.send(request.method, request.target, headers, content, exchange.sending)
        except TokenctlError as error:
            raise Failed(problems.no_answer(error)) from None


def _refuses_token(answer: httpcore.Response) -> bool:
    if answer.status != 401:
        return False
    lines = [value.decode("latin-1") for name, value in answer.headers if name.lower() == b"www-authenticate"]
    return asks_for_new_token(lines)
