"""A topic page at a terminal: Markdown drawn by rich."""

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Markdown, TableElement
from rich.table import Table

from tokenctl.cli.views.panels import draw

WIDEST = 100
"""Columns: longer lines are hard to read."""
CODE = "ansi_dark"
"""The colours of examples: those of the terminal, on its own background. A dark one hides the dark text of a light one."""


class _WholeTable(TableElement):
    """A table whose long words go on in the next line; rich would cut them."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for drawn in super().__rich_console__(console, options):
            if isinstance(drawn, Table):
                for column in drawn.columns:
                    column.overflow = "fold"
            yield drawn


class _Page(Markdown):
    elements = Markdown.elements | {"table_open": _WholeTable}


def draw_page(text: str) -> None:
    """Draw a page of Markdown on stdout."""
    draw(_Page(text, code_theme=CODE), width=min(WIDEST, Console().width))
