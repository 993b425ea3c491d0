"""What a broken world is, the table of them, and the ways out that several have."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.support.machine import Machine

Way = Callable[[Machine, str], object]
"""What a person does who follows a remedy; the text is the part of the remedy that the world's pattern matched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One row. `status` is the exit status of `token`. Every word of `says` is in what the doctor finds.

    `remedy` is a pattern of the first remedy, or None where nothing has to be done. `mend` follows it, and then `token`
    prints a token; None where a test cannot follow it.
    """

    breaks: Callable[[Machine], object]
    status: int
    says: tuple[str, ...]
    remedy: str | None
    mend: Way | None


Breaks = Callable[[Machine], object]
WORLDS: dict[str, World] = {}


def world(status: int, *says: str, remedy: str | None, mend: Way | None = Machine.type) -> Callable[[Breaks], Breaks]:
    """Put a function that breaks a machine into the table. Without `mend` the remedy is a line for the shell."""

    def add(breaks: Breaks) -> Breaks:
        name = breaks.__name__.replace("_", " ")
        WORLDS[name] = World(breaks=breaks, status=status, says=says, remedy=remedy, mend=mend if remedy else None)
        return breaks

    return add


def sign_in(machine: Machine, found: str) -> None:
    """Sign in, as the remedy says."""
    machine.sign_in()


def unset(machine: Machine, found: str) -> None:
    """Unset the variable that the remedy names."""
    del machine.environ[found.removeprefix("unset ")]


def add_option(machine: Machine, found: str) -> None:
    """Add the option that the remedy names."""
    machine.words = tuple(found.split())


def undo(machine: Machine, found: str) -> None:
    """Undo what broke the machine: nobody can do it by a command of tokenctl."""
    machine.cleanup.close()
    machine.server.overrides.clear()
