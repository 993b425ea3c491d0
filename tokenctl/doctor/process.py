"""Checks of what makes `token` fast and a renewal safe: the kernel's copy of the access token, and the worker."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tokenctl import fast_path
from tokenctl.adapters import worker_process
from tokenctl.adapters.worker_process import LostContact, NotStarted
from tokenctl.broker import worker_call
from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding
from tokenctl.errors import TokenctlError
from tokenctl.storage.opening import OF_THE_LIBRARY

CACHE, WORKER = "cache", "worker"
"""The names of the checks."""
KEY_USERS = Path("/proc/key-users")
"""How many keys each user has in the kernel, and may have (keyrings(7))."""


# -- the copy in the kernel ----------------------------------------------------------------------------------


def look_at_cache(case: Case) -> Iterator[Finding]:
    """Say whether the kernel can keep a copy of the access token, or why not. Without one `token` is slower, and works."""
    why = _why_no_copy(case)
    sentence = (
        f"the kernel keeps no copy of the access token, because {why}; 'tokenctl token' asks the store each time"
        if why
        else "the kernel has a copy of the access token: until it ends, 'tokenctl token' asks nobody else"
        if case.copied
        else "the kernel can keep a copy of the access token until it ends, so that 'tokenctl token' is fast"
    )
    yield Finding(check=CACHE, status="ok", sentence=sentence, more={"possible": why is None, "because": why})


def _why_no_copy(case: Case) -> str | None:
    if sys.platform != "linux":
        return "only Linux has a kernel keyring"
    return _why_not_of_environment(case) or _why_not_of_profile(case) or _why_not_of_kernel()


def _why_not_of_environment(case: Case) -> str | None:
    variables = fast_path.in_the_way(case.runtime.environ)
    if variables:
        return f"{variables[0]} is set"
    if fast_path.question(case.name or "", case.runtime.environ) is None:
        return "there is no config file at its usual path, or it has just changed"
    return None


def _why_not_of_profile(case: Case) -> str | None:
    profile, session = case.profile, case.session
    if profile is not None and profile.by_machine:
        return "a machine's session depends on its credentials, too"
    if profile is not None and not profile.cache:
        return f"cache is off (cache = false in profile {profile.name!r}, or TOKENCTL_CACHE)"
    if session is not None and session.expires_at is None:
        return "nobody knows when the access token ends"
    with suppress(TokenctlError):
        if case.vault is not None and not case.vault.store.backend.startswith(OF_THE_LIBRARY):
            return "the store has a password of its own"
    return None


def _why_not_of_kernel() -> str | None:
    if not fast_path.may_ask():
        return "a filter of system calls (seccomp) is active, as in a container, or this kind of machine is not known"
    with suppress(OSError):
        return exhausted(KEY_USERS.read_text(), os.getuid())
    return None


def exhausted(key_users: str, user: int) -> str | None:
    """Say which limit of the kernel's keys the user has reached, by the text of `KEY_USERS`; None where there is room.

    A line has: user, keys, keys that are made, keys of the limit, bytes of the limit; the last two as `used/most`.
    """
    for line in key_users.splitlines():
        words = line.replace(":", " ").split()
        if len(words) == 5 and words[0] == str(user):
            for name, count in (("keys", words[3]), ("bytes of keys", words[4])):
                used, _, most = count.partition("/")
                if int(used) >= int(most):
                    return f"this user has {used} {name} in the kernel, and may have {most}"
    return None


_BY_ITSELF = "the command renews by itself: to kill it in that moment can cost a login"


# -- the worker ------------------------------------------------------------------------------------------------


def look_at_worker(case: Case) -> Iterator[Finding]:
    """Start an interpreter as a renewal does, without a job and without a lock."""
    if not worker_process.POSSIBLE:
        sentence = "a renewal is done by the command itself: this system has no worker"
        yield Finding(check=WORKER, status="ok", sentence=sentence)
        return
    started = time.monotonic()
    try:
        worker_process.try_start(worker_call.WORKER, case.runtime.environ)
    except NotStarted as reason:
        sentence = f"no process can be started for a renewal ({reason}), so {_BY_ITSELF}"
        remedy = f"is {sys.executable} still there? Is the limit of processes of this user reached (ulimit -u)?"
        yield Finding(check=WORKER, status="warning", sentence=sentence, remedy=remedy)
    except LostContact as reason:
        sentence = f"the process for a renewal starts, and cannot load tokenctl ({reason}), so {_BY_ITSELF}"
        remedy = "install tokenctl anew, in an environment of its own: pipx install --force tokenctl"
        yield Finding(check=WORKER, status="warning", sentence=sentence, remedy=remedy)
    else:
        milliseconds = round(1000 * (time.monotonic() - started))
        sentence = f"the process for a renewal starts, and is ready in {milliseconds} ms"
        yield Finding(check=WORKER, status="ok", sentence=sentence, more={"milliseconds": milliseconds})
