"""The questions of `tokenctl login --flow api-key` at a terminal: how to call a token API that is not OAuth."""

from collections.abc import Callable
from functools import partial
from typing import Any

from tokenctl.config import environment
from tokenctl.errors import UsageError
from tokenctl.model.profile import Profile, from_members
from tokenctl.model.token_api import check_pointer
from tokenctl.oauth.wire import safe_url
from tokenctl.runtime import Runtime

NONE = "-"
"""The answer for "there is none"."""


def ask_for_profile(runtime: Runtime, name: str, members: dict[str, Any]) -> Profile:
    """Make a profile from a person's answers, each checked at once. Raises UsageError when nobody can be asked."""
    if not runtime.terminal.attended:
        raise UsageError(
            f"there is no profile {name!r} yet, and nobody can be asked how its token API is called",
            hint=f"write [profiles.{name}.api.login] into {runtime.config.path}: the README has an example",
        )
    profile = from_members(name, members, "option")  # before the questions, so that no answer is lost
    runtime.terminal.instruction("how is the token API called? an empty answer means the value in brackets")
    return environment.override(profile, {"api": _ask_for_api(runtime.terminal.ask)}, "answer")


def _ask_for_api(ask: Callable[..., str]) -> dict[str, Any]:
    url = ask("the address that takes the API key", check=_address)
    login = {"url": url, "body": {ask("the field for the key", "api_key"): "{api_key}"}}
    access = login["access_token"] = ask("where the access token is in the answer", "/access_token", check=_pointer)
    pointer = ask("where the refresh token is (- if there is none)", "/refresh_token", check=_or_none(_pointer))
    if pointer == NONE:
        return {"login": login}
    login["refresh_token"] = pointer
    url = ask("the address that takes the refresh token", check=_address)
    body = {ask("its field", "refresh_token"): "{refresh_token}"}
    refresh = {"url": url, "body": body}
    refresh["access_token"] = ask("where the access token is in that answer", access, check=_pointer)
    new = ask("where the new refresh token is (- if it stays the same)", pointer, check=_or_none(_pointer))
    if new != NONE:
        refresh["refresh_token"] = new
    api = {"login": login, "refresh": refresh}
    revoke = ask("the address that revokes it (- if there is none)", NONE, check=_or_none(_address))
    return api if revoke == NONE else api | {"revoke": {"url": revoke, "body": body}}


_address = partial(safe_url, name="this")
_pointer = partial(check_pointer, where="this")


def _or_none(check: Callable[[str], object]) -> Callable[[str], object]:
    return lambda answer: answer == NONE or check(answer)
