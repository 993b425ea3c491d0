"""An access token in a child's environment."""

import re
from collections.abc import Mapping, Sequence

from tokenctl.errors import UsageError
from tokenctl.model.session import Session

DEFAULT_VARIABLE = "ACCESS_TOKEN"
EXPIRY_VARIABLE = "ACCESS_TOKEN_EXPIRES_AT"
FILE_VARIABLE = "ACCESS_TOKEN_FILE"
SECRETS = ("CLIENT_SECRET", "API_KEY", "PASSPHRASE", "ID_TOKEN")
"""`TOKENCTL_*` variables, with and without `_FILE`, that no child gets to see."""


def variables(wanted: Sequence[str], session: Session) -> dict[str, str]:
    """Make the variables for `NAME` or `NAME=TEMPLATE`; a template has `{access_token}` and `{expires_at}`.

    Raises UsageError for what is no name, or a placeholder that there is not.
    """
    known = {"access_token": session.access_token, "expires_at": str(session.expires_at)}

    def value(match: re.Match[str]) -> str:
        if match[1] not in known:
            raise UsageError(
                f"there is no placeholder {match[0]!r:.60}",
                hint=f"there are: {', '.join('{' + name + '}' for name in known)}",
            )
        return known[match[1]]

    made = {EXPIRY_VARIABLE: str(session.expires_at)}
    for each in wanted or (DEFAULT_VARIABLE,):
        name, _, template = each.partition("=")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise UsageError(
                f"{name!r:.60} is no name of an environment variable",
                hint='write --env NAME or --env NAME="Bearer {access_token}"',
            )
        made[name] = re.sub(r"\{(\w*)\}", value, template or "{access_token}")
    return made


def child_environment(
    environ: Mapping[str, str], added: Mapping[str, str], secret: str | None = None
) -> dict[str, str]:
    """Make the child's environment: ours without tokenctl's secrets (and the `secret` variable), and the new ones."""
    hidden = {f"TOKENCTL_{name}{suffix}" for name in SECRETS for suffix in ("", "_FILE")}
    hidden |= {secret} if secret else set()
    # An outer exec's token beside our expiry would be a lie.
    hidden |= {DEFAULT_VARIABLE, EXPIRY_VARIABLE, FILE_VARIABLE}
    return {name: value for name, value in environ.items() if name not in hidden} | dict(added)
