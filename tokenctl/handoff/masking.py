"""Masking: tell a GitHub Actions runner to hide the access token in the job's log, before a command can print it."""

from collections.abc import Mapping

from tokenctl.adapters.terminal import Terminal
from tokenctl.model.session import Session


def mask(environ: Mapping[str, str], terminal: Terminal, session: Session) -> Session:
    """Tell the runner, if there is one, to hide the access token; return the session.

    The runner's command goes to stderr, which the runner reads too: stdout is for the answer, or for the child.
    """
    mask_text(environ, terminal, session.access_token)
    return session


def mask_text(environ: Mapping[str, str], terminal: Terminal, secret: str) -> None:
    """Tell the runner, if there is one, to hide a text."""
    if environ.get("GITHUB_ACTIONS") == "true":
        terminal.plain_line(f"::add-mask::{secret}")
