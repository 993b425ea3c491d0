"""The worker: `python -m tokenctl.broker.worker` does one renewal and outlives whoever asked for it.

It gets its errand on stdin and answers on stdout. It asks the server and commits the answer, and needs no
keyring for that. The lock it inherited is free again when it ends.
"""

import io
import json
import signal
import sys

from tokenctl.adapters.terminal import Terminal
from tokenctl.broker import errand
from tokenctl.broker import renewal as broker
from tokenctl.errors import TokenctlError
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime


def main() -> None:
    """Do the errand."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    said = io.StringIO()
    try:
        job = errand.loads(sys.stdin.read())
        runtime = Runtime(verbose=job.verbose)
        runtime.terminal = Terminal(verbose=job.verbose, err=said)
        done: Session | TokenctlError = broker.present(runtime, job)
    except TokenctlError as error:
        done = error
    except json.JSONDecodeError:
        sys.exit(1)  # the errand did not arrive whole: its sender is gone, and nothing was done
    except Exception as error:  # a defect: its text could hold anything, its kind cannot
        done = TokenctlError(f"unexpected {type(error).__name__} in the worker", hint="please report it")
    try:
        print(errand.answer(done, said.getvalue()), flush=True)  # noqa: T201 (the answer's pipe)
    except BrokenPipeError:
        sys.stdout = None  # nobody waits any more; what was committed is found by the next run


if __name__ == "__main__":
    main()
