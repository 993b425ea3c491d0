"""`python -m tokenctl`, and the console script's entry."""

import os
import sys

if __name__ == "__main__" and not sys.flags.safe_path and sys.path[:1] == [os.getcwd()]:
    # -m puts the current directory first: a file there must not take a library's place.
    del sys.path[0]

try:
    from tokenctl.cli.main import main
except KeyboardInterrupt:  # Ctrl-C while the libraries are loading
    sys.exit(130)

if __name__ == "__main__":
    main()
