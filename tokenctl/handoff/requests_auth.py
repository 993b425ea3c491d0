"""`RequestsAuth`: the same for the library requests as `TokenAuth` is for httpx. It is no dependency of tokenctl."""

from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from tokenctl.adapters.log_terminal import LOG
from tokenctl.broker.current import PASSING
from tokenctl.errors import TokenctlError, UsageError
from tokenctl.handoff.access_token import AccessToken
from tokenctl.handoff.python_api import live_token, origins_of
from tokenctl.model import origins as of_model
from tokenctl.oauth.www_authenticate import asks_for_new_token

if TYPE_CHECKING:
    from requests import PreparedRequest, Response


class RequestsAuth:
    """Signs requests of the library requests with the access token of a profile.

        session = requests.Session()
        session.auth = tokenctl.RequestsAuth("work")

    The rules and the parameters are those of `TokenAuth`. Threads and sessions can share one RequestsAuth.

    After a 401 a request is sent once more if its body is text, bytes, or a file that can be read from its start again.

    Raises UsageError when it is made: no origin is named, or requests is not installed. Requests raise TokenctlError,
    such as LoginRequired.
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
        _check_installed()
        self._live = live_token(profile, min_ttl, scope, resource, audience)
        self._origins = origins_of(self._live, origins)

    def __call__(self, request: "PreparedRequest") -> "PreparedRequest":
        """Put the token into a request that goes to a bound origin, and has no credentials of the program."""
        if "Authorization" in request.headers or _origin(request) not in self._origins:
            return request
        signed = _Signed(self._live.get())
        request.headers["Authorization"] = signed.token.authorization
        request.register_hook("response", partial(self._answered, signed))
        return request

    def _answered(self, signed: "_Signed", response: "Response", **kwargs: Any) -> "Response":
        """Look at each response of a request with the token, before requests follows a redirect."""
        self._check_redirect(response)
        if not self._is_refused(response, signed.token):
            return response
        try:
            other = self._live.instead_of(signed.token)
        except PASSING as error:
            LOG.warning("the token was refused, and could not be renewed: %s", error)
            return response
        except TokenctlError:
            response.close()  # nobody else can: the program gets the error
            raise
        if other is None:
            return response
        # An adapter of the program's own can give a response that does not say who can send the request again.
        if not hasattr(response, "connection") or not _is_rewound(response.request):
            self._live.refused_too(other)  # it is not tried now, and the next request may be such a one too
            return response
        signed.token = other
        return self._sent_again(response, other, kwargs)

    def _sent_again(self, response: "Response", token: AccessToken, kwargs: dict[str, Any]) -> "Response":
        """Send the request once more with another token, as the digest authentication of requests does.

        It is the same request, not a copy: if a redirect follows, requests takes the header from it.
        """
        _read_to_end(response)
        _take_cookies(response)
        response.request.headers["Authorization"] = token.authorization
        again: Response = response.connection.send(response.request, **kwargs)
        again.history.append(response)
        self._check_redirect(again)
        if self._is_refused(again, token):
            self._live.refused_too(token)
        return again

    def _check_redirect(self, response: "Response") -> None:
        """Take the token out before a redirect to an origin that may not get it.

        requests does that too, but not from port 80 of a host to its port 443, and a subclass of Session can do less.
        """
        if response.is_redirect and not self._may_follow(response):
            response.request.headers.pop("Authorization", None)

    def _may_follow(self, response: "Response") -> bool:
        from requests.utils import requote_uri

        try:  # as requests makes the URL, which a server can write with spaces and letters that are not ASCII
            target = requote_uri(urljoin(response.url, response.headers["Location"]))
            return of_model.origin_of(target) in self._origins
        except ValueError:
            return False

    def _is_refused(self, response: "Response", token: AccessToken) -> bool:
        """Tell whether the server refused this token, and another one may help."""
        if response.status_code != 401:
            return False
        asked = response.request
        presented = asked.headers.get("Authorization") == token.authorization and _origin(asked) in self._origins
        return presented and asks_for_new_token(_challenges(response))


class _Signed:
    """The token that a request has now."""

    def __init__(self, token: AccessToken) -> None:
        self.token = token


def _origin(request: "PreparedRequest") -> str | None:
    """Return the origin that the request goes to; None where there is none, or where URL and `Host` differ."""
    url = request.url or ""
    scheme, _, rest = url.partition("://")
    host = request.headers.get("Host") or rest
    try:
        origin = of_model.origin_of(url)
        of_host = of_model.origin_of(f"{scheme}://{host.decode() if isinstance(host, bytes) else host}")
    except ValueError:
        return None
    return origin if origin == of_host else None


def _challenges(response: "Response") -> list[str]:
    """Return the lines of `WWW-Authenticate`. requests joins them, and then a mistake in one would hide the next."""
    getlist = getattr(getattr(response.raw, "headers", None), "getlist", None)
    name = "WWW-Authenticate"
    return list(getlist(name)) if getlist else [response.headers[name]] if name in response.headers else []


def _is_rewound(request: "PreparedRequest") -> bool:
    """Tell whether the body can be sent again; a file is set back to where it began."""
    from requests.utils import rewind_body

    if isinstance(request.body, bytes | str | None):
        return True
    try:
        rewind_body(request)
    except (OSError, ValueError):  # not a file, one that has only one direction, or one that is closed
        return False
    return True


def _read_to_end(response: "Response") -> None:
    """Read the rest of a response, so that its connection can be used again; if that fails, it is closed."""
    with suppress(OSError, RuntimeError):  # RequestException is an OSError
        _ = response.content
    response.close()


def _take_cookies(response: "Response") -> None:
    """Let the request have the cookies of this response, if the program has not set the header itself."""
    from requests.cookies import extract_cookies_to_jar

    request = response.request
    if request._cookies is not None:
        extract_cookies_to_jar(request._cookies, request, response.raw)
        request.prepare_cookies(request._cookies)


def _check_installed() -> None:
    """Raise UsageError where requests is not installed."""
    try:
        import requests  # noqa: F401
    except ImportError:
        raise UsageError("RequestsAuth needs the library requests", hint="pip install requests") from None
