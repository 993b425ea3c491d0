"""How an access token leaves: the environment of a child, or a file that stays fresh. Never the refresh token."""

from importlib import import_module
from typing import Any


def run_with_token_file(*arguments: Any) -> int:
    """Run a child beside a token file, loading what that takes; see `token_file.run_with_token_file`."""
    status: int = import_module("tokenctl.handoff.token_file").run_with_token_file(*arguments)
    return status
