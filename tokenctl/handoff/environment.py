"""The environment of a child process with an access token."""

import re
from collections.abc import Mapping, Sequence

from tokenctl.errors import UsageError
from tokenctl.model.secret_variables import without_secrets
from tokenctl.model.session import Session

DEFAULT_VARIABLE = "ACCESS_TOKEN"
EXPIRY_VARIABLE = "ACCESS_TOKEN_EXPIRES_AT"
FILE_VARIABLE = "ACCESS_TOKEN_FILE"


def variables(wanted: Sequence[str], session: Session) -> dict[str, str]:
    """Make the variables for each `NAME` or `NAME=TEMPLATE`. A template can have `{access_token}` and `{expires_at}`.

    `{expires_at}` is epoch seconds, or empty when nobody knows when the token ends. Raises UsageError for an invalid name or an unknown placeholder.
    """
    expires_at = "" if session.expires_at is None else str(session.expires_at)
    known = {"access_token": session.access_token, "expires_at": expires_at}

    def value(match: re.Match[str]) -> str:
        if match[1] not in known:
            raise UsageError(
                f"there is no placeholder {match[0]!r:.60}",
                hint=f"the placeholders are: {', '.join('{' + name + '}' for name in known)}",
            )
        return known[match[1]]

    made = {EXPIRY_VARIABLE: expires_at} if expires_at else {}
    for each in wanted or (DEFAULT_VARIABLE,):
        name, _, template = each.partition("=")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise UsageError(
                f"{name!r:.60} is not a valid name of an environment variable",
                hint='write --env NAME or --env NAME="Bearer {access_token}"',
            )
        made[name] = re.sub(r"\{(\w*)\}", value, template or "{access_token}")
    return made


def child_environment(
    environ: Mapping[str, str], added: Mapping[str, str], secret: str | None = None
) -> dict[str, str]:
    """Make the child's environment: `environ` without secrets, plus the `added` variables.

    `secret` names one more variable to remove.
    """
    # In an exec within an exec, the outer token must not stay next to the new expiry time.
    removed = {DEFAULT_VARIABLE, EXPIRY_VARIABLE, FILE_VARIABLE, secret}
    return {name: value for name, value in without_secrets(environ).items() if name not in removed} | dict(added)
