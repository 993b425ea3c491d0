"""The environment of a child process with an access token."""

import re
from collections.abc import Mapping, Sequence

from tokenctl.errors import UsageError
from tokenctl.model.secret_variables import without_secrets
from tokenctl.model.session import Session

DEFAULT_VARIABLE = "ACCESS_TOKEN"
EXPIRY_VARIABLE = "ACCESS_TOKEN_EXPIRES_AT"
FILE_VARIABLE = "ACCESS_TOKEN_FILE"
PROXY_VARIABLE = "ACCESS_PROXY_URL"
SECRET_VARIABLE = "ACCESS_PROXY_SECRET"
OWN = (DEFAULT_VARIABLE, EXPIRY_VARIABLE, FILE_VARIABLE, PROXY_VARIABLE, SECRET_VARIABLE)
"""The variables that only `exec` sets. Those of an `exec` around this one do not reach the child."""


def of_session(session: Session) -> dict[str, str]:
    """Return the placeholders of a template: `{access_token}`, and `{expires_at}` in epoch seconds.

    `{expires_at}` is empty when nobody knows when the token ends.
    """
    expires_at = "" if session.expires_at is None else str(session.expires_at)
    return {"access_token": session.access_token, "expires_at": expires_at}


def of_proxy(url: str, secret: str) -> dict[str, str]:
    """Return the placeholders of a template for a child that has a proxy: what would be the token is the proxy's secret."""
    return {"access_token": secret, "expires_at": "", "proxy_url": url, "proxy_secret": secret}


def variables(wanted: Sequence[str], known: Mapping[str, str]) -> dict[str, str]:
    """Make the variables for each `NAME` or `NAME=TEMPLATE`. `known` has the placeholders of a template, and their texts.

    Raises UsageError for an invalid name or an unknown placeholder.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in known:
            raise UsageError(
                f"there is no placeholder {match[0]!r:.60}",
                hint=f"the placeholders are: {', '.join('{' + name + '}' for name in known)}",
            )
        return known[match[1]]

    made = {EXPIRY_VARIABLE: known["expires_at"]} if known["expires_at"] else {}
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
    removed = {*OWN, secret}
    return {name: value for name, value in without_secrets(environ).items() if name not in removed} | dict(added)


def without_other_proxy(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which a program sends its requests to 127.0.0.1 itself: else the secret would go to an HTTP proxy."""
    said = (environ.get("no_proxy") or environ.get("NO_PROXY") or "").strip()
    hosts = said if said == "*" else ",".join(filter(None, (said, "127.0.0.1", "localhost")))
    return dict.fromkeys(("no_proxy", "NO_PROXY"), hosts)
