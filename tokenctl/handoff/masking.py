"""Masking: on GitHub's runners (and those that speak their language) a token is hidden in the log before anything can print it."""

from collections.abc import Mapping

from tokenctl.adapters.terminal import Terminal
from tokenctl.model.session import Session


def mask(environ: Mapping[str, str], terminal: Terminal, session: Session) -> Session:
    """Tell the runner to hide the access token, where there is one, and return the session.

    The command goes to stderr, which the runner reads as well: stdout is the answer's, or the child's.
    """
    if environ.get("GITHUB_ACTIONS") == "true":
        terminal.plain_line(f"::add-mask::{session.access_token}")
    return session
