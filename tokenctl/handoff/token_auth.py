"""`TokenAuth`: an interceptor for httpx that puts a fresh access token into each request to a bound origin."""

from collections.abc import AsyncGenerator, Generator, Iterable
from weakref import WeakSet

import httpx

from tokenctl.adapters.log_terminal import LOG
from tokenctl.broker.current import PASSING
from tokenctl.errors import UsageError
from tokenctl.handoff.access_token import AccessToken
from tokenctl.handoff.python_api import live_token, origins_of
from tokenctl.model import origins as of_model
from tokenctl.oauth.www_authenticate import asks_for_new_token

HELD = 64 * 1024
"""Bytes of a body that is read into memory so that it can be sent again."""


class TokenAuth(httpx.Auth):
    """Signs the requests of `httpx.Client` and `httpx.AsyncClient` with the access token of a profile.

        client = httpx.Client(auth=tokenctl.TokenAuth("work"))

    The token goes only to `origins`, such as `["https://api.example.com"]`; without them, to the `hosts` of the profile.
    Every other request, also after a redirect, has no token. A header Authorization that the program sets stays.

    The token is renewed before it ends (`min_ttl`: seconds, or a text such as "15m"), and once when the server answers
    401; then the request is sent once more, if its body can be sent again. Threads, tasks and several clients can share
    one TokenAuth: they share one renewal, and so do other processes. `profile`, `scope`, `resource` and `audience` are
    those of `access_token`.

    Raises UsageError when it is made and no origin is named. Requests raise TokenctlError, such as LoginRequired.
    """

    def __init__(
        self,
        profile: str | None = None,
        *,
        origins: str | Iterable[str] | None = None,
        min_ttl: int | str | None = None,
        scope: str | Iterable[str] | None = None,
        resource: str | Iterable[str] | None = None,
        audience: str | None = None,
    ) -> None:
        self._live = live_token(profile, min_ttl, scope, resource, audience)
        self._origins = origins_of(self._live, origins)
        self._signed: WeakSet[httpx.Request] = WeakSet()

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with the token, and once more with a renewed one where the server refuses it."""
        if not self._may_sign(request):
            yield request
            return
        if _is_short(request):
            request.read()
        token = self._live.get()
        response = yield self._sign(request, token)
        if not self._is_refused(response, token):
            return
        try:
            other = self._live.instead_of(token)
        except PASSING as error:
            LOG.warning("the token was refused, and could not be renewed: %s", error)
            return
        if other is not None and isinstance(request.stream, httpx.ByteStream):
            response = yield self._sign(request, other)
            if self._is_refused(response, other):
                self._live.refused_too(other)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Do what `sync_auth_flow` does, and leave the event loop free while the token is renewed."""
        if not self._may_sign(request):
            yield request
            return
        if _is_short(request):
            await request.aread()
        token = await self._live.async_get()
        response = yield self._sign(request, token)
        if not self._is_refused(response, token):
            return
        try:
            other = await self._live.async_instead_of(token)
        except PASSING as error:
            LOG.warning("the token was refused, and could not be renewed: %s", error)
            return
        if other is not None and isinstance(request.stream, httpx.ByteStream):
            response = yield self._sign(request, other)
            if self._is_refused(response, other):
                self._live.refused_too(other)

    def _may_sign(self, request: httpx.Request) -> bool:
        """Tell whether the request gets the token: it goes to a bound origin, and has no credentials of the program.

        Raises UsageError where httpx would take the token to another origin: a redirect from port 80 of a host to its
        port 443 keeps Authorization.
        """
        if "Authorization" in request.headers and request not in self._signed:
            return False
        origin = _origin(request)
        if origin not in self._origins:
            request.headers.pop("Authorization", None)  # ours, of a time when the request went to another URL
            return False
        port_443 = origin.replace("http://", "https://")
        if origin.startswith("http://") and origin.count(":") == 1 and port_443 not in self._origins:
            raise UsageError(
                f"a redirect from {origin} to {port_443} would take the token along, and that origin may not get it",
                hint="use another port than 80",
            )
        return True

    def _sign(self, request: httpx.Request, token: AccessToken) -> httpx.Request:
        request.headers["Authorization"] = token.authorization
        self._signed.add(request)
        return request

    def _is_refused(self, response: httpx.Response, token: AccessToken) -> bool:
        """Tell whether the server refused this token, and another one may help. The response can be of a redirect."""
        asked = response.request
        presented = asked.headers.get("Authorization") == token.authorization and _origin(asked) in self._origins
        lines = response.headers.get_list("WWW-Authenticate")
        return response.status_code == 401 and presented and asks_for_new_token(lines)


def _origin(request: httpx.Request) -> str | None:
    """Return the origin that the request goes to; None where there is none, or where URL and `Host` differ."""
    url = request.url
    try:
        origin = of_model.origin(url.scheme, url.raw_host.decode("ascii"), url.port)
        of_host = of_model.origin_of(f"{url.scheme}://{request.headers.get('Host', '')}")
    except ValueError:
        return None
    return origin if origin == of_host and not url.userinfo else None


def _is_short(request: httpx.Request) -> bool:
    """Tell whether the body is not in memory, and is short enough to be held there, to be sent again."""
    length = request.headers.get("Content-Length", "")
    return not isinstance(request.stream, httpx.ByteStream) and length.isdecimal() and int(length) <= HELD
