"""A topic page at a terminal: Markdown drawn by rich."""

from rich.console import Console
from rich.markdown import Markdown

from tokenctl.cli.views.panels import draw

WIDEST = 100
"""Columns: longer lines are hard to read."""


def draw_page(text: str) -> None:
    """Draw a page of Markdown on stdout."""
    draw(Markdown(text), width=min(WIDEST, Console().width))
