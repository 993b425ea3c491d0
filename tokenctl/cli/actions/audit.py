"""What `tokenctl audit` does: report anomalies and events of the event log, and end an anomaly's alarm."""

from tokenctl.audit import own_events
from tokenctl.audit.report import Report, Scope, report, shown
from tokenctl.cli.known import profiles
from tokenctl.cli.output import answer_parts, stdout_is_terminal
from tokenctl.cli.views import audit_lines
from tokenctl.errors import UsageError
from tokenctl.runtime import Runtime
from tokenctl.storage.event_log import open_log

ANOMALIES = 8
"""The exit status when there is an anomaly."""


def show(runtime: Runtime, name: str | None, *, since: int | None, as_json: bool, plot: bool) -> int:
    """Show the report of a profile, or of all, and return the exit status. `since` is seconds. Raises TokenctlError."""
    now = runtime.clock()
    scope = Scope(profile=name, since=0.0 if since is None else now - since)
    found = read(runtime, now, scope)
    _explain(runtime, name, found)
    events = shown(open_log(runtime).lines(), scope)
    if as_json:
        answer_parts(audit_lines.document(found, events))
    elif not stdout_is_terminal():
        answer_parts(f"{line}\n" for line in audit_lines.lines(found, events, plot=plot))
    elif found.tallies or found.anomalies:
        from tokenctl.cli.views import audit as view
        from tokenctl.cli.views.panels import draw

        draw(view.report(found, plot=plot))
    return ANOMALIES if found.anomalies else 0


def acknowledge(runtime: Runtime, name: str | None, anomaly: str) -> None:
    """End the alarm of an anomaly, for a profile or for every one that has it. Raises TokenctlError."""
    found = read(runtime, runtime.clock(), Scope(profile=name))
    _check_known(runtime, name, found)
    having = sorted({each.profile for each in found.anomalies if each.name == anomaly})
    if not having:
        raise UsageError(
            f"there is no anomaly {anomaly!r}{'' if name is None else f' of {name!r}'}, or it is acknowledged already",
            hint="'tokenctl audit' shows the anomalies that there are",
        )
    for profile in having:
        own_events.write(runtime, "acknowledged", anomaly, profile)
    runtime.terminal.message(f"acknowledged {anomaly} of {', '.join(having)}")


def read(runtime: Runtime, now: float, scope: Scope) -> Report:
    """Read the event log, with a progress bar when that takes long. Raises StoreUnavailable or UsageError."""
    log, terminal = open_log(runtime), runtime.terminal
    with terminal.progressing():
        return report(terminal.measured(log.lines(), log.size, "reading the event log"), now, scope)


def _explain(runtime: Runtime, name: str | None, found: Report) -> None:
    """Say what the report cannot show: lines that cannot be read, and why there is no event. Raises UsageError."""
    if found.unread:
        runtime.terminal.warning(
            f"lines of the event log that are no events of this version of tokenctl were left out: {found.unread}"
        )
    _check_known(runtime, name, found)
    known = profiles(runtime, None)
    off = [each.name for each in known.values() if each.audit == "off" and name in (None, each.name)]
    if found.tallies or found.anomalies:
        if off and runtime.terminal.watched:  # not in a cron job's mail: somebody chose it
            runtime.terminal.message(f'audit = "off" is set, so new events are not written: {", ".join(off)}')
        return
    if name in found.known or (name is None and found.known):
        runtime.terminal.message("there is no event in that time")
        return
    if off and (name is not None or len(off) == len(known)):
        runtime.terminal.message(f'there is no event: audit = "off" is set for {", ".join(off)}')
    else:
        runtime.terminal.message(f"there is no event{'' if name is None else f' of {name}'} yet")


def _check_known(runtime: Runtime, name: str | None, found: Report) -> None:
    """Raise UsageError for a profile that is neither in the log nor in the config file."""
    if name is not None and name not in found.known:
        runtime.profile(name)
