"""A person hears of a new anomaly once, at the next command at a terminal. Here is the look whether there can be one.

Every command looks, so it costs one `stat`, and loads next to nothing. What follows is in `notice`.
"""

import os

from tokenctl.errors import TokenctlError
from tokenctl.runtime import Runtime
from tokenctl.storage.state_dir import DUE, state_home


def tell(runtime: Runtime) -> None:
    """Warn of every anomaly that no person was told of, if the event log has the mark that there can be one.

    Only where stderr is a terminal, not in CI, and not with -q. It raises nothing but KeyboardInterrupt.
    """
    terminal = runtime.terminal
    if terminal.quiet or not terminal.watched or runtime.environ.get("CI"):
        return
    try:
        mark = state_home(runtime.environ) / DUE
    except TokenctlError:  # the command itself says what is wrong with the state directory
        return
    if os.path.lexists(mark):
        from tokenctl.cli import notice

        notice.tell(runtime, mark)
