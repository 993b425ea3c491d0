"""`tokenctl audit`: what happened to the sessions, and what an ordinary life does not explain."""

from typing import TYPE_CHECKING

import click

from tokenctl.cli.grammar import Choice, Group, Misuse
from tokenctl.cli.options import as_json, positive_seconds, with_runtime
from tokenctl.model.choices import ANOMALIES

if TYPE_CHECKING:
    from tokenctl.runtime import Runtime

_EXAMPLES = """\
  tokenctl audit
  tokenctl audit -p work --since 7d
  # in a cron job, which mails what is printed: anomalies, and nothing when all is well
  tokenctl audit --since 25h | grep ^anomaly
  tokenctl audit --json | jq '.anomalies[].name'
  tokenctl audit acknowledge clock-jumped"""


@click.group("audit", cls=Group, examples=_EXAMPLES, invoke_without_command=True)
@click.option(
    "--since",
    callback=positive_seconds,
    metavar="DURATION",
    help="Show only the last 90m, 25h or 7d; the whole log is read all the same.",
)
@as_json
@click.option("--plot", is_flag=True, help="Draw the renewals over time instead of the events.")
@with_runtime
def command(runtime: "Runtime", name: str | None, since: int | None, as_json: bool, plot: bool) -> int:
    """Look for signs that somebody else uses a session.

    Shows the anomalies, the last events and totals: of one profile with -p, else of every profile that has events.
    Exit status 0 when there is no anomaly, 8 when there is one.
    """
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is not None:
        if since or as_json or plot:
            raise Misuse("--since, --json and --plot are for the report alone", ctx, hint="leave them out")
        return 0
    if as_json and plot:
        raise Misuse("--json and --plot contradict each other", ctx, hint="leave one of them out")
    from tokenctl.cli.actions.audit import show

    return show(runtime, name, since=since, as_json=as_json, plot=plot)


@command.command(
    "acknowledge",
    examples="  tokenctl audit acknowledge clock-jumped\n  tokenctl audit acknowledge refresh-token-refused -p work",
)
@click.argument("anomaly", metavar="NAME", type=Choice(ANOMALIES))
@with_runtime
def acknowledge(runtime: "Runtime", name: str | None, anomaly: str) -> None:
    """End the alarm of an anomaly, after you have looked into it.

    Of one profile with -p, else of every profile that has it. What happens later is an anomaly again.
    """
    from tokenctl.cli.actions.audit import acknowledge

    acknowledge(runtime, name, anomaly)
