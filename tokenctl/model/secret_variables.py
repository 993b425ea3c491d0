"""The environment variables that have tokenctl's own secrets: no other program gets them."""

from collections.abc import Mapping

SECRETS = ("CLIENT_SECRET", "API_KEY", "PASSPHRASE", "ID_TOKEN")
"""The secrets, as they are named after `TOKENCTL_`; each has a form with `_FILE` too."""
NAMES = frozenset(
    ("TOKENCTL_CLIENT_KEY_FILE", *(f"TOKENCTL_{name}{suffix}" for name in SECRETS for suffix in ("", "_FILE")))
)
"""The variables. The file's path counts as a secret too: who has the path and is the same user has the secret."""


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """Copy an environment for another program, without the secrets."""
    # Windows has one variable for all ways to write its name.
    return {name: value for name, value in environ.items() if name.upper() not in NAMES}
