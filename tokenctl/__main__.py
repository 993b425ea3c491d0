"""`python -m tokenctl`, and the entries of the console scripts."""

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from tokenctl.handoff.helpers.conversation import Conversation

if __name__ == "__main__" and not sys.flags.safe_path and sys.path[:1] == [os.getcwd()]:
    # -m puts the current directory first: a file there must not take a library's place.
    del sys.path[0]

from tokenctl import fast_path  # noqa: E402 (after the path is in order)
from tokenctl.cli import plain  # noqa: E402


def main() -> "NoReturn":
    """Run the program with the words of the command line."""
    _run(sys.argv[1:])


def git() -> "NoReturn":
    """Run git-credential-tokenctl."""
    _run(["helper", "git", *sys.argv[1:]])


def docker() -> "NoReturn":
    """Run docker-credential-tokenctl."""
    _run(["helper", "docker", *sys.argv[1:]])


def cargo() -> "NoReturn":
    """Run cargo-credential-tokenctl."""
    _run(["helper", "cargo", *sys.argv[1:]])


def terraform() -> "NoReturn":
    """Run terraform-credentials-tokenctl."""
    _run(["helper", "terraform", *sys.argv[1:]])


def _run(words: "Sequence[str]") -> "NoReturn":
    """Run the program: the fast way where it has an answer, else the ordinary way."""
    try:
        given = plain.read(words)
        if given is not None:
            fast_path.answer(*given)
        conversation = _answered_quickly(words) if given is None else None
        # Loading the libraries makes many objects and no garbage, but Python looks for garbage up to forty times
        # meanwhile: a tenth of a fresh `token`. A program that runs for long still collects its garbage.
        gc.set_threshold(100_000)
        from tokenctl.adapters import private_process

        private_process.begin()  # before all else, because the fast way can have read a token
        from tokenctl.cli.main import main as ordinary
    except KeyboardInterrupt:  # Ctrl-C while the libraries are loading
        sys.exit(130)
    ordinary(words, conversation)


def _answered_quickly(words: "Sequence[str]") -> "Conversation | None":
    """Answer a client of a helper and end the process; else return what was read of it. None for other commands."""
    called = plain.read_helper(words)
    if called is None:
        return None
    from tokenctl.handoff import helpers

    if called[0] not in helpers.LINES:
        return None
    from tokenctl.handoff.helpers import quick
    from tokenctl.handoff.helpers.conversation import Conversation

    conversation = Conversation(helpers.protocol(called[0]), *called[1:])
    quick.answer(conversation)
    return conversation


if __name__ == "__main__":
    main()
