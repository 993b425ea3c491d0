"""`python -m tokenctl`, and the console script's entry."""

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

if __name__ == "__main__" and not sys.flags.safe_path and sys.path[:1] == [os.getcwd()]:
    # -m puts the current directory first: a file there must not take a library's place.
    del sys.path[0]

from tokenctl import fast_path  # noqa: E402 (after the path is in order)
from tokenctl.cli import plain  # noqa: E402


def main() -> "NoReturn":
    """Run the program with the words of the command line: the fast way where it has an answer, else the ordinary way."""
    try:
        given = plain.read(sys.argv[1:])
        if given is not None:
            fast_path.answer(*given)
        # Loading the libraries makes many objects and no garbage, but Python looks for garbage up to forty times
        # meanwhile: a tenth of a fresh `token`. A program that runs for long still collects its garbage.
        gc.set_threshold(100_000)
        from tokenctl.adapters import private_process

        private_process.begin()  # before all else, because the fast way can have read a token
        from tokenctl.cli.main import main as ordinary
    except KeyboardInterrupt:  # Ctrl-C while the libraries are loading
        sys.exit(130)
    ordinary()


if __name__ == "__main__":
    main()
