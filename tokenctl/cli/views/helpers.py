"""The clients that can be set up, and the helpers that are installed: as lines for a pipe, and as tables."""

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tokenctl.adapters.terminal import clean
from tokenctl.handoff.clients.status import Installed


def client_lines(files: Mapping[str, str], called: Mapping[str, str]) -> list[str]:
    """Write each client as one line: what it is, and the line that sets it up, with a tab between them.

    `files` has the file that install changes for each client, `called` who calls each helper that has no install.
    """
    lines = [f"{client} ({file})\ttokenctl helper install {client} --host ORIGIN" for client, file in files.items()]
    return lines + [f"{who}\ttokenctl helper {name} -p PROFILE" for name, who in called.items()]


def clients(files: Mapping[str, str], called: Mapping[str, str]) -> RenderableType:
    """Draw the clients, with the line that sets each one up; see `client_lines`."""
    return Group(
        Text.assemble("To set up a client:  ", ("tokenctl helper install CLIENT --host ORIGIN", "bold"), "\n"),
        _list("client", "what is changed", files),
        Text.assemble(
            "\nTo call a helper from a configuration of your own:  ", ("tokenctl help helpers", "bold"), "\n"
        ),
        _list("helper", "who calls it, and for what", called),
    )


def _list(head: str, about: str, rows: Mapping[str, str]) -> Table:
    drawn = _table(head, about)
    for name, text in rows.items():
        drawn.add_row(Text(name, style="bold"), Text(text))
    return drawn


def line(found: Installed) -> str:
    """Write a helper as one line: client, origin, profile, file, and `ok` or the problem, with tabs between them."""
    return "\t".join(map(clean, (found.client, found.origin, found.profile, found.file, found.problem or "ok")))


def installed(found: Sequence[Installed]) -> RenderableType:
    """Draw the installed helpers; below them, in lines that can be copied, why one gets no token, and what to do."""
    drawn = _table("", "client", "origin", "profile", "file")
    for column in drawn.columns[:2]:
        column.no_wrap = True
    for each in found:
        good = each.problem is None
        drawn.add_row(
            Text("● would answer", style="green") if good else Text("● no token", style="red"),
            Text(clean(each.client), style="bold"),
            *(Text(clean(text)) for text in (each.origin, each.profile, each.file)),
        )
    return Group(drawn, *(_problem(each) for each in found if each.problem))


def _problem(found: Installed) -> Text:
    text = f"{found.client} at {found.origin}: {found.problem}"
    drawn = Text(f"\n{clean(text)}", no_wrap=True, overflow="ignore")
    return drawn.append(f"\n  {clean(found.remedy)}", style="dim") if found.remedy else drawn


def _table(*heads: str) -> Table:
    drawn = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for head in heads:
        drawn.add_column(head, overflow="fold")
    return drawn
