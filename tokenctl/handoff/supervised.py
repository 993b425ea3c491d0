"""A child that tokenctl stays beside: it is started, gets the signals of this process, and its exit status is passed on."""

import subprocess

from tokenctl.adapters import private_process
from tokenctl.adapters.signals import Relay
from tokenctl.handoff.child import Child, NotExecutable


def start(child: Child, relay: Relay) -> "subprocess.Popen[bytes] | None":
    """Start the child, which gets the signals of the relay from now on. None when a signal came before. Raises NotExecutable."""
    if relay.waiting:
        return None
    try:
        with private_process.callers_core_limit():
            process = subprocess.Popen(list(child.words), executable=child.program, env=child.environ)
    except OSError as reason:
        raise NotExecutable(f"{child.program} cannot be run: {reason.strerror}") from None
    relay.start(process)
    return process


def exit_status(process: "subprocess.Popen[bytes] | None", relay: Relay) -> int:
    """Wait for the end of the child, and return its exit status as a shell does: 128 + N when signal N ended it."""
    if process is None:
        return 128 + relay.waiting[0]
    status = relay.wait(process)
    return status if status >= 0 else 128 - status
