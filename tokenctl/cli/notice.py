"""The notice of a new anomaly. It is loaded only when the event log has the mark that there can be one; see `due`."""

import contextlib
from pathlib import Path

from tokenctl.audit import own_events
from tokenctl.audit.report import Scope
from tokenctl.cli.actions.audit import read
from tokenctl.cli.views.audit_lines import warning
from tokenctl.errors import TokenctlError
from tokenctl.runtime import Runtime

MOST = 5
"""How many anomalies are named, the newest ones; `audit` shows all of them."""


def tell(runtime: Runtime, mark: Path) -> None:
    """Remove the mark, and warn of every anomaly that no person was told of; of two commands at once, one does.

    Whatever fails here, the command goes on: `audit` shows the anomalies all the same. Raises KeyboardInterrupt alone;
    the mark is put back then.
    """
    try:
        mark.unlink()
        _tell(runtime)
    except KeyboardInterrupt:
        with contextlib.suppress(OSError):
            mark.touch(mode=0o600)
        raise
    except Exception as error:
        reason = error.message if isinstance(error, TokenctlError) else type(error).__name__
        runtime.terminal.detail(f"the event log was not looked at for new anomalies: {reason}")


def _tell(runtime: Runtime) -> None:
    untold = read(runtime, runtime.clock(), Scope()).untold
    for anomaly in untold[-MOST:]:
        runtime.terminal.warning(warning(anomaly))
    if len(untold) > MOST:
        runtime.terminal.warning(f"{len(untold) - MOST} more anomalies are new; see 'tokenctl audit'")
    for name, profile in sorted({(each.name, each.profile) for each in untold}):
        own_events.write(runtime, "told", name, profile)
