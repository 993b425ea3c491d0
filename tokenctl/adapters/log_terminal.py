"""The terminal of a program that uses tokenctl as a library: messages go to its log, and nobody is asked."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tokenctl.adapters.terminal import Terminal, clean
from tokenctl.model.event import Event, document_of, sentence

LOG = logging.getLogger("tokenctl")
LOG.addHandler(logging.NullHandler())  # a program that does not ask for the log sees nothing of it


class LogTerminal(Terminal):
    """Writes messages to the log `tokenctl` of Python's `logging`: what happened, as DEBUG; events, as INFO; warnings, as WARNING."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(environ)

    @property
    def verbose(self) -> bool:
        """Tell whether the log wants DEBUG now: a program can set its level later."""
        return LOG.isEnabledFor(logging.DEBUG)

    @verbose.setter
    def verbose(self, value: bool) -> None:
        """Change nothing: the log has its own level."""

    @property
    def err(self) -> None:
        """None: nothing is written to stderr."""

    @property
    def attended(self) -> bool:
        """False: nobody can be asked."""
        return False

    def event(self, event: Event) -> None:
        """Log an event as INFO. The record's attribute `event` has all its members, as the event log has them."""
        LOG.info(clean(sentence(event)), extra={"event": document_of(event)})

    def warning(self, text: str) -> None:
        """Log what can go wrong."""
        LOG.warning(clean(text))

    @contextmanager
    def delayed_progress(self, text: str) -> Iterator[None]:
        """Show nothing, and start no thread for it: at the end of a program none can be started."""
        yield

    @contextmanager
    def delayed_message(self, seconds: float, text: str) -> Iterator[None]:
        """Log nothing, and start no thread for it."""
        yield

    def _line(self, text: str) -> None:
        text = clean(text.removeprefix("tokenctl: "))
        warning = text.removeprefix("warning: ")  # a line of the worker, which has a terminal of its own
        LOG.log(logging.DEBUG if warning == text else logging.WARNING, warning)
