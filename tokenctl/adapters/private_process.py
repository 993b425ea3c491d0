"""Keep this process's secrets in it: no core dump, and no secret in the environment that other programs inherit.

The console script and the worker begin with this. A program that uses tokenctl as a library decides for itself.
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping

from tokenctl.model import secret_variables

if sys.platform != "win32":
    import resource

_taken: dict[str, str] = {}
_core_limit: tuple[int, int] | None = None


def begin() -> None:
    """Allow no core dump of this process, and take the secrets out of `os.environ`.

    From here on no program that inherits `os.environ` gets a secret, whoever starts it: a keyring backend starts
    `pass`, which starts `gpg`; a D-Bus library starts a bus. `environment` still has the secrets.
    """
    global _core_limit
    if sys.platform != "win32":
        with contextlib.suppress(OSError, ValueError):
            _core_limit = _core_limit or resource.getrlimit(resource.RLIMIT_CORE)
            _forbid_core_dumps(_core_limit)
    for name in [name for name in os.environ if name.upper() in secret_variables.NAMES]:
        _taken[name] = os.environ.pop(name)


def environment() -> Mapping[str, str]:
    """Return the environment that this process was started with, secrets included.

    It is a copy: a look-up in `os.environ` takes ten times as long, and there are hundreds.
    """
    return {**os.environ, **_taken}


@contextlib.contextmanager
def callers_core_limit() -> Iterator[None]:
    """Use the limit of core dumps that this process was started with: for a program that is started in the block."""
    if sys.platform == "win32" or _core_limit is None:
        yield
        return
    resource.setrlimit(resource.RLIMIT_CORE, _core_limit)
    try:
        yield
    finally:
        _forbid_core_dumps(_core_limit)


if sys.platform != "win32":

    def _forbid_core_dumps(limit: tuple[int, int]) -> None:
        # One byte, not none: with 0, Linux still pipes the memory to a program that core_pattern names, such as
        # systemd-coredump; 1 is the value with which it does not. The hard limit stays, so that it can be undone.
        _, hard = limit
        resource.setrlimit(resource.RLIMIT_CORE, (1 if hard == resource.RLIM_INFINITY else min(1, hard), hard))
