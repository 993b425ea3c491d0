"""What a test does about a real part (an authorization server, a Secret Service, a browser) that this machine lacks.

Each part in `tests/servers` is a context manager or a function that raises `Missing` when this machine lacks what it
needs; `.ci/system-packages` is what installs it.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest


class Missing(Exception):
    """A real part cannot start here; the text says what is absent."""


@contextmanager
def available() -> Iterator[None]:
    """Turn `Missing` into a skip with its reason, and in CI, where nothing may be missing, into a failure."""
    try:
        yield
    except Missing as missing:
        reason = f"{missing} (.ci/system-packages installs it)"
    else:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def program(name: str) -> str:
    """Where a program is, or `Missing`."""
    path = shutil.which(name)
    if path is None:
        raise Missing(f"no {name} on PATH")
    return path


def script(name: str) -> str:
    """Where a program is that a library of the tests brings, or `Missing`: beside this Python, and maybe not on PATH."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        raise Missing(f"no {name} in {path.parent}: install the dependency group 'test'")
    return str(path)


def library(name: str) -> ModuleType:
    """A library of another dependency group, or of one kind of machine, or `Missing`."""
    try:
        return import_module(name)
    except ImportError:
        raise Missing(f"the library {name} is not installed") from None


def without_settings(monkeypatch: pytest.MonkeyPatch, *beginnings: str) -> None:
    """Take away the variables by which whoever runs the tests has set a program up, in upper or lower case; and proxies."""
    beginnings = (*beginnings, "XDG_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    for name in [name for name in os.environ if name.upper().startswith(beginnings)]:
        monkeypatch.delenv(name)
