"""`helper install` and `helper uninstall`: write the receipts, make the change, and write the receipts again.

A run that is killed at any point leaves receipts of everything that it may have written: the next one completes or
undoes it. A failure is undone at once.
"""

from contextlib import suppress
from pathlib import Path

from tokenctl.errors import UsageError
from tokenctl.handoff.clients import bound_hosts, changes, client_file, companions, receipts
from tokenctl.handoff.clients.changes import Asked, Change
from tokenctl.model import origin_checks
from tokenctl.runtime import Runtime
from tokenctl.storage.lock import exclusive_config

_ATTEMPTS = 20


def install(runtime: Runtime, asked: Asked) -> Change:
    """Set a client up. Raises UsageError, Busy, StoreUnavailable."""
    with exclusive_config(runtime.environ):
        for _ in range(_ATTEMPTS):
            found = changes.installation(runtime, asked)
            if found.is_nothing or _made(runtime, found):
                return found
    raise _changed_by_another(found.path)


def uninstall(runtime: Runtime, asked: Asked) -> list[Change]:
    """Take our helper out of each file where install has put it. Raises UsageError, Busy, StoreUnavailable."""
    origin = origin_checks.checked(asked.origin, "--host")
    with exclusive_config(runtime.environ):
        return [_uninstalled(runtime, asked, origin, path) for path in changes.files_of(runtime, asked, origin)]


def _uninstalled(runtime: Runtime, asked: Asked, origin: str, path: Path) -> Change:
    for _ in range(_ATTEMPTS):
        found = changes.removal(runtime, asked, origin, path)
        if found.is_nothing or _made(runtime, found):
            return found
    raise _changed_by_another(path)


def _made(runtime: Runtime, found: Change) -> bool:
    """Make a change, and tell whether it was possible: not where somebody has changed the file meanwhile."""
    if found.before != found.after:
        client_file.check(found.path)
    both, state = found.old.joined(found.new), found.old
    try:
        receipts.write(runtime.environ, both)
        for script in found.scripts:
            companions.write_script(script)
        bound_hosts.write(runtime, both, both.hosts)
        if client_file.replace(found.path, found.before, found.after):
            state = found.new
    except OSError as reason:
        raise UsageError(f"{reason.filename or found.path} cannot be written: {reason.strerror}") from None
    finally:
        companions.remove(runtime, both, state)
        with suppress(OSError):  # a full disk: the receipts that are there know more than what was written
            receipts.write(runtime.environ, state)
    return state is found.new


def _changed_by_another(path: Path) -> UsageError:
    return UsageError(f"{path} cannot be changed: another program changes it again and again")
