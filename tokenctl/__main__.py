"""`python -m tokenctl`."""

from tokenctl.cli import main

main()
