"""What Python programs ask for: an access token, or a token that stays fresh; see `tokenctl.__init__`.

No function here prints, asks a person, reads stdin, handles signals or ends the process. Messages go to the log
`tokenctl` of Python's `logging`.
"""

from collections.abc import Iterable

from tokenctl.adapters import private_process
from tokenctl.adapters.log_terminal import LogTerminal
from tokenctl.errors import UsageError, explained_on
from tokenctl.handoff.access_token import AccessToken
from tokenctl.handoff.live_token import LiveToken
from tokenctl.model import origin_checks
from tokenctl.model.profile_checks import duration
from tokenctl.model.target import from_members
from tokenctl.runtime import Runtime


@explained_on("python")
def access_token(
    profile: str | None = None,
    *,
    min_ttl: int | str | None = None,
    scope: str | Iterable[str] | None = None,
    resource: str | Iterable[str] | None = None,
    audience: str | None = None,
) -> AccessToken:
    """Return a fresh access token, as `tokenctl token` prints it.

    `profile` is the name of a profile; None means the one that the command line would use. `min_ttl` is how long the
    token has to live at least: seconds, or a text such as "15m". With `scope`, `resource` (RFC 8707) or `audience` (RFC
    8693) it is a token for that target alone; the session does not change.

    Raises TokenctlError: LoginRequired where a person has to sign in, Unreachable where the server cannot be asked, and
    the others of `tokenctl.errors`. For many requests use `TokenAuth`, which asks only when the token ages.
    """
    return live_token(profile, min_ttl, scope, resource, audience).get()


@explained_on("python")
def live_token(
    profile: str | None,
    min_ttl: int | str | None = None,
    scope: str | Iterable[str] | None = None,
    resource: str | Iterable[str] | None = None,
    audience: str | None = None,
) -> LiveToken:
    """Choose the profile, and make its live token. No session is read yet. Raises UsageError."""
    _check_name(profile)
    environ = private_process.environment()
    runtime = Runtime(environ, terminal=LogTerminal(environ))
    chosen = runtime.profile(profile)
    given = {"scope": " ".join(_words(scope, "scope")), "resource": _words(resource, "resource"), "audience": audience}
    target = runtime.asked(chosen) | {name: value for name, value in given.items() if value}
    from_members(target, "argument")  # a mistake is told here, and not by the first request
    return LiveToken(runtime, chosen, target, None if min_ttl is None else duration(min_ttl, "min_ttl"))


@explained_on("python")
def origins_of(live: LiveToken, origins: str | Iterable[str] | None) -> frozenset[str]:
    """Return the origins that may get the token: those that the program names, else the `hosts` of the profile.

    Raises UsageError where there are none.
    """
    named = live.profile.hosts if origins is None else origin_checks.check(_words(origins, "origins"), "origins")
    if not named:
        raise UsageError(
            f"nothing says which server may get the token of {live.profile.name!r}",
            hint=f'name it: origins=["https://api.example.com"], or'
            f" tokenctl profile set {live.profile.name} hosts+=https://api.example.com",
        )
    return frozenset(named)


def _check_name(profile: object) -> None:
    """Check the name of a profile. An empty one is a mistake: the default one could be another account."""
    if profile is not None and (not isinstance(profile, str) or not profile):
        raise UsageError(f"profile must be the name of a profile, or None for the usual one, not {profile!r:.40}")


def _words(value: object, where: str) -> tuple[str, ...]:
    """Return a text, or several, as a tuple of texts; None is none. Raises UsageError with `where` first."""
    if value is None or isinstance(value, str):
        return tuple((value or "").split())
    words = tuple(value) if isinstance(value, Iterable) else (value,)
    texts = tuple(each for each in words if isinstance(each, str))
    if len(texts) < len(words):
        raise UsageError(f"{where} must be a text, or several texts, not {value!r:.40}")
    return texts
