"""The questions of `tokenctl login --flow api-key` at a terminal: how to call a token API that is not OAuth."""

from typing import Any

from tokenctl.cli.answers import NONE, Answers, address, address_or_none
from tokenctl.config import environment
from tokenctl.errors import UsageError
from tokenctl.model.profile import Profile, from_members
from tokenctl.model.token_api import check_pointer
from tokenctl.runtime import Runtime


def ask_for_profile(runtime: Runtime, name: str, members: dict[str, Any], answers: Answers) -> Profile:
    """Make a profile from a person's answers, each checked at once. Raises UsageError when nobody can be asked."""
    if not runtime.terminal.attended:
        raise UsageError(
            f"there is no profile {name!r} yet, and nobody can be asked how its token API is called",
            hint=f"write [profiles.{name}.api.login] into {runtime.config.path}: 'tokenctl help token-apis' has examples",
        )
    profile = from_members(name, members, "option")  # before the questions, so that no answer is lost
    runtime.terminal.instruction("how is the token API called? an empty answer means the value in brackets")
    return environment.override(profile, {"api": _ask_for_api(answers)}, "answer")


def _ask_for_api(answers: Answers) -> dict[str, Any]:
    ask = answers.ask
    url = ask("the address that takes the API key", read=address)
    login = {"url": url, "body": {ask("the field for the key", "api_key"): "{api_key}"}}
    access = login["access_token"] = ask("where the access token is in the answer", "/access_token", _pointer)
    pointer = ask("where the refresh token is (- if there is none)", "/refresh_token", _pointer_or_none)
    if pointer == NONE:
        return {"login": login}
    login["refresh_token"] = pointer
    url = ask("the address that takes the refresh token", read=address)
    body = {ask("its field", "refresh_token"): "{refresh_token}"}
    refresh = {"url": url, "body": body}
    refresh["access_token"] = ask("where the access token is in that answer", access, _pointer)
    new = ask("where the new refresh token is (- if it stays the same)", pointer, _pointer_or_none)
    if new != NONE:
        refresh["refresh_token"] = new
    api = {"login": login, "refresh": refresh}
    revoke = ask("the address that revokes it (- if there is none)", NONE, address_or_none)
    return api if revoke == NONE else api | {"revoke": {"url": revoke, "body": body}}


def _pointer(typed: str) -> str:
    check_pointer(typed, "this")
    return typed


def _pointer_or_none(typed: str) -> str:
    return typed if typed == NONE else _pointer(typed)
