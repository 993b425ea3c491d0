"""The mode of the controlling terminal, such as its echo: as it was found, also when a signal ends a prompt.

An ordinary signal ends Python at once, without any `finally`: then the person's shell would show nothing that is typed.
"""

import contextlib
import errno
import os
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any

if sys.platform != "win32":
    import termios

_LEFT_ALONE = (
    *("SIGKILL", "SIGSTOP"),  # nobody can catch them
    *("SIGCHLD", "SIGURG", "SIGWINCH", "SIGINFO", "SIGCONT"),  # they end and stop nothing
    *("SIGTTIN", "SIGTTOU"),  # the process is in the background, and the terminal is another one's
    *("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP", "SIGSYS"),  # a defect, which Python cannot handle
)


@contextlib.contextmanager
def left_as_found(terminal: int, undo: bytes = b"") -> Iterator[None]:
    """Give a terminal its mode back after the block, and when a signal ends or stops this process in it.

    `undo` is what to write to the terminal then. After a stop the block goes on with the mode that it had chosen, but
    not in the background, where the terminal is another process's. Signals that have a handler keep it: it raises, and
    the block ends. Without a terminal, or in another thread than the main one, signals are as always.
    """
    if sys.platform == "win32":
        yield
        return
    try:
        before = termios.tcgetattr(terminal)
    except termios.error:
        yield
        return

    def ended_or_stopped(number: int, _: types.FrameType | None) -> None:
        within = leave()
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
        # It was a stop, and this process goes on.
        signal.signal(number, ended_or_stopped)
        if within and in_foreground(terminal):
            set_mode(terminal, within)

    def leave() -> list[Any]:
        if not in_foreground(terminal):  # the terminal has the mode that the shell wants, and is not ours to change
            return []
        _write(terminal, undo)
        return set_mode(terminal, before)

    with _handling(ended_or_stopped):
        try:
            yield
        finally:
            leave()


def in_foreground(terminal: int) -> bool:
    """Tell whether this process may use the terminal now: the shell has not put it into the background."""
    if sys.platform == "win32":
        return True
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # it is not the terminal of this session
        return True


def _write(terminal: int, text: bytes) -> None:
    if text:
        with contextlib.suppress(OSError):
            os.write(terminal, text)


@contextlib.contextmanager
def controlling_left_as_found() -> Iterator[None]:
    """Do the same with the controlling terminal, if there is one: for a block that may ask there by itself."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | getattr(os, "O_NOCTTY", 0))
    except OSError:
        yield
        return
    try:
        with left_as_found(terminal):
            yield
    finally:
        os.close(terminal)


@contextlib.contextmanager
def without_stdin() -> Iterator[None]:
    """Let whatever reads stdin in the block find its end at once, also in a program that the block starts.

    What the caller has sent to stdin is left for the one that it is meant for.
    """
    try:
        kept = os.dup(0)
    except OSError:  # it is closed
        yield
        return
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    try:
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)


@contextlib.contextmanager
def _handling(handler: Callable[[int, types.FrameType | None], None]) -> Iterator[None]:
    """Handle every signal that would end or stop this process."""
    handled = []
    if threading.current_thread() is threading.main_thread():
        left_alone = {getattr(signal, name) for name in _LEFT_ALONE if hasattr(signal, name)}
        handled = [each for each in signal.valid_signals() - left_alone if signal.getsignal(each) is signal.SIG_DFL]
    try:
        for number in handled:
            signal.signal(number, handler)
        yield
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)


if sys.platform != "win32":

    def set_mode(terminal: int, mode: list[Any], when: int = termios.TCSAFLUSH) -> list[Any]:
        """Set a terminal's mode, and return the mode before. A terminal that is gone is no error.

        A change drops what was typed until then: it can be half a secret, which a shell would show. With `TCSADRAIN` as
        `when` it is kept.
        """
        found = mode
        while True:
            try:
                found = termios.tcgetattr(terminal)
                if found != mode:
                    termios.tcsetattr(terminal, when, mode)
            except termios.error as reason:
                if reason.args[0] == errno.EINTR:  # in the background: this process was stopped, and goes on
                    continue
            return found
