"""What `tokenctl helper` and `tokenctl helper status` do: list the helpers, and what is installed."""

from tokenctl.cli.output import answer, stdout_is_terminal
from tokenctl.cli.views import document
from tokenctl.cli.views import helpers as views
from tokenctl.errors import explained_on
from tokenctl.handoff import clients, helpers
from tokenctl.handoff.clients import status
from tokenctl.handoff.clients.status import Installed
from tokenctl.runtime import Runtime


@explained_on("helpers")
def show(runtime: Runtime, name: str | None, *, as_json: bool) -> None:
    """Show what is installed, for the named profile or for all. Raises TokenctlError."""
    runtime.look_only()
    found = status.installed(runtime, name)
    if as_json:
        answer(document.as_text([each.document() for each in found]))
    elif not found:
        runtime.terminal.message("no helper is installed" + (f" for profile {name!r:.70}" if name else ""))
        runtime.terminal.hint("set up a client: tokenctl helper install git --host https://git.example.com")
    else:
        _print(found)


@explained_on("helpers")
def overview(runtime: Runtime) -> None:
    """List the clients with the line that sets each one up, and what is installed. Raises TokenctlError."""
    called = {name: line for name, line in helpers.LINES.items() if name not in clients.LINES}
    if stdout_is_terminal():
        from tokenctl.cli.views import panels

        panels.draw(views.clients(clients.LINES, called))
    else:
        answer("\n".join(views.client_lines(clients.LINES, called)))
    runtime.look_only()
    found = status.installed(runtime)
    if found:
        answer("")
        _print(found)


def _print(found: list[Installed]) -> None:
    if stdout_is_terminal():
        from tokenctl.cli.views import panels

        panels.draw(views.installed(found))
    else:
        answer("\n".join(map(views.line, found)))
