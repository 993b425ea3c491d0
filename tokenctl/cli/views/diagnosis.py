"""The findings of the doctor at a terminal, with rich."""

from rich.console import Group, RenderableType
from rich.text import Text

from tokenctl.cli.views.examination import lines
from tokenctl.doctor.examination import Examination


def drawn(found: Examination) -> RenderableType:
    """Draw an examination."""
    return Group(*map(Text, lines(found)))
