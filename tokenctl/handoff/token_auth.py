"""`TokenAuth`: an interceptor for httpx that puts a fresh access token into each request to a bound origin."""

from collections.abc import AsyncGenerator, Generator, Iterable

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
        client.get("https://api.example.com/orders")

    The arguments:
        profile: the name of a profile; None means the one that the command line would use.
        origins: the servers that may get the token, such as `["https://api.example.com"]`; None means the `hosts` of
            the profile. Scheme, host and port must be equal. Every other request, also after a redirect, has no token.
            Plain http is for this machine alone.
        min_ttl: how long the token has to live at least when it is sent: seconds, or a text such as "15m".
        scope, resource, audience: ask for a token for that target alone, as in `tokenctl.access_token`.

    A header Authorization that the program sets stays as it is.

    The token is held in memory and renewed before it ends. Threads, tasks, event loops and several clients can share one
    TokenAuth: they share one renewal, and so do other processes. An event loop goes on meanwhile (asyncio, trio).

    When the server answers 401, the token is renewed once, or the one that somebody else has renewed is used, and the
    request is sent once more. The answer 401 is returned as it is:

    - if its header WWW-Authenticate asks for another scheme than Bearer, for a wider scope or for a new sign-in
    - if the body cannot be sent again: one that is not in memory (a file, a generator), unless its Content-Length is
      known and 64 KiB at most. The next request has the renewed token.
    - if the second answer is 401 too. For the next minute no 401 causes another renewal then.
    - if the token cannot be renewed now. A warning in the log `tokenctl` says why.

    An event hook of the client that raises an error for 401 comes before TokenAuth, which then renews nothing: call
    `raise_for_status` on the answer instead.

    Raises UsageError when it is made: there is no such profile, or no origin is named. A request raises TokenctlError:
    LoginRequired where a person has to sign in, Unreachable where the authorization server cannot be asked, and so on.
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

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._live.profile.name!r}, origins={sorted(self._origins)})"

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with the token, and once more with a renewed one where the server refuses it."""
        if not self._may_sign(request):
            yield request
            return
        if isinstance(request.stream, httpx.SyncByteStream) and _is_short(request):
            request.read()
        token = self._live.get()
        response = yield _signed(request, token)
        if not self._is_refused(response, token):
            return
        try:
            other = self._live.instead_of(token)
        except PASSING as error:
            LOG.warning("the token was refused, and could not be renewed: %s", error)
            return
        again = self._again(response, other)
        if other is not None and again is not None:
            response = yield again
            self._note(response, other)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Do what `sync_auth_flow` does, and leave the event loop free while the token is renewed."""
        if not self._may_sign(request):
            yield request
            return
        if isinstance(request.stream, httpx.AsyncByteStream) and _is_short(request):
            await request.aread()
        token = await self._live.async_get()
        response = yield _signed(request, token)
        if not self._is_refused(response, token):
            return
        try:
            other = await self._live.async_instead_of(token)
        except PASSING as error:
            LOG.warning("the token was refused, and could not be renewed: %s", error)
            return
        again = self._again(response, other)
        if other is not None and again is not None:
            response = yield again
            self._note(response, other)

    def _may_sign(self, request: httpx.Request) -> bool:
        """Tell whether the request gets the token: it goes to a bound origin, and has no credentials of the program.

        Raises UsageError where httpx would take the token to another origin in a redirect.
        """
        if "Authorization" in request.headers and not _is_ours(request):
            return False
        origin = _origin(request)
        if origin not in self._origins:
            request.headers.pop("Authorization", None)  # ours, of a time when the request went to another URL
            return False
        follows = _followed_with_token(request.url)
        if follows is not None and follows not in self._origins:
            raise UsageError(
                f"a redirect from {origin} to {follows} would take the token along, and that origin may not get it",
                hint="use another port than 80",
            )
        return True

    def _is_refused(self, response: httpx.Response, token: AccessToken) -> bool:
        """Tell whether the server refused this token, and another one may help. The response can be of a redirect."""
        asked = response.request
        presented = asked.headers.get("Authorization") == token.authorization and _origin(asked) in self._origins
        lines = response.headers.get_list("WWW-Authenticate")
        return response.status_code == 401 and presented and asks_for_new_token(lines)

    def _again(self, response: httpx.Response, token: AccessToken | None) -> httpx.Request | None:
        """Return the request that was refused, signed with another token; None where it cannot be sent again.

        After a redirect it is the redirected request: the first one was not refused, and a POST can have had its effect.
        """
        if token is None:
            return None
        if not isinstance(response.request.stream, httpx.ByteStream):
            self._live.refused_too(token)  # it is not tried now, and the next request may be such a one too
            return None
        return _signed(response.request, token)

    def _note(self, response: httpx.Response, token: AccessToken) -> None:
        """Note whether the second answer is a refusal too."""
        if self._is_refused(response, token):
            self._live.refused_too(token)


_SIGNED_WITH = "tokenctl.signed_with"
"""The name of a request's extension: the access token that we put into it. Redirected requests inherit it."""


def _signed(request: httpx.Request, token: AccessToken) -> httpx.Request:
    request.headers["Authorization"] = token.authorization
    request.extensions[_SIGNED_WITH] = token
    return request


def _is_ours(request: httpx.Request) -> bool:
    """Tell whether the header Authorization is one that a TokenAuth has set: the program sends the request again."""
    token = request.extensions.get(_SIGNED_WITH)
    return isinstance(token, AccessToken) and request.headers.get("Authorization") == token.authorization


def _followed_with_token(url: httpx.URL) -> str | None:
    """Return the other origin that httpx takes Authorization to in a redirect: from port 80 of a host to its port 443."""
    if url.scheme != "http" or url.port not in (None, 80):
        return None
    return of_model.origin("https", url.raw_host.decode("ascii"), None)


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
