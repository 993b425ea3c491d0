"""The text files inside the package: topic pages and completion scripts."""

import pkgutil


def text_of(package: str, name: str) -> str:
    """Read a file of a package. Raises FileNotFoundError."""
    # Not importlib.resources: it loads tempfile, shutil and what they need.
    found = pkgutil.get_data(package, name)
    if found is None:
        raise FileNotFoundError(name)
    return found.decode()
