"""`python -m tokenctl`, and the console script's entry."""

import gc
import os
import sys

if __name__ == "__main__" and not sys.flags.safe_path and sys.path[:1] == [os.getcwd()]:
    # -m puts the current directory first: a file there must not take a library's place.
    del sys.path[0]

# Loading the libraries makes many objects and no garbage, but Python looks for garbage up to forty times meanwhile: a
# tenth of a fresh `token`. A program that runs for long still collects its garbage.
gc.set_threshold(100_000)

try:
    from tokenctl.cli.main import main
except KeyboardInterrupt:  # Ctrl-C while the libraries are loading
    sys.exit(130)

if __name__ == "__main__":
    main()
