"""The worker: `python -m tokenctl.worker` does one renewal and outlives whoever asked for it.

It gets its errand on stdin and answers on stdout. It asks the server and commits the answer, and needs no
keyring for that. The lock it inherited is free again when it ends.
"""

import io
import signal
import sys

from tokenctl import broker, errand
from tokenctl.errors import TokenctlError
from tokenctl.runtime import Runtime
from tokenctl.session import Session
from tokenctl.terminal import Terminal


def main() -> None:
    """Do the errand."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    job = errand.loads(sys.stdin.read())
    said = io.StringIO()
    runtime = Runtime(verbose=job.verbose)
    runtime.terminal = Terminal(verbose=job.verbose, err=said)
    try:
        done: Session | TokenctlError = broker.present(runtime, job)
    except TokenctlError as error:
        done = error
    try:
        print(errand.answer(done, said.getvalue()), flush=True)  # noqa: T201 (the answer's pipe)
    except BrokenPipeError:
        sys.stdout = None  # nobody waits any more; what was committed is found by the next run


if __name__ == "__main__":
    main()
