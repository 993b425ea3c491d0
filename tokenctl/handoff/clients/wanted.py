"""What `helper install` is asked for, and what a client needs besides its configuration file."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenctl.errors import UsageError
from tokenctl.handoff.helpers.again import FOLDER
from tokenctl.model.origins import origin_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An origin whose token a client is to get from our helper.

    `profile` is the profile's name. `named` tells that the person named it: then the helper is called with `-p`.
    `program` is the absolute path of tokenctl; its companions such as git-credential-tokenctl are in the same folder.
    `folder` is where private scripts of ours are. `replace` allows to replace another helper of the same origin.
    `file` is the client's file that is changed, for messages.
    """

    origin: str
    profile: str
    program: Path
    folder: Path
    named: bool = False
    replace: bool = False
    file: Path = Path()

    def call(self, helper: str, *, always_named: bool = False) -> list[str]:
        """Return the words that call a helper by `tokenctl helper`. It is `always_named` where it could not find the profile."""
        chosen = ["-p", self.profile] if self.named or always_named else []
        return [str(self.program), "helper", helper, *chosen]

    def is_at(self, url: object) -> bool:
        """Tell whether a value of a client's file is a URL at the origin."""
        try:
            return isinstance(url, str) and origin_of(url) == self.origin
        except ValueError:
            return False

    def companion(self, name: str) -> Path:
        """Return the path of another program of ours, such as git-credential-tokenctl."""
        return self.program.with_name(name)


def calls_us(words: Sequence[object]) -> bool:
    """Tell whether a client's call is of our program, a companion of it, or a private script, of whatever folder."""
    paths = [Path(each) for each in words if isinstance(each, str)]
    return any(
        path.stem == "tokenctl" or path.stem.endswith("-tokenctl") or path.parent.parts[-2:] == (FOLDER, "scripts")
        for path in paths[:2]  # cargo has a word of its own before the program
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A private script of ours, of mode 0700: it calls a helper for a client that passes no arguments, or wants a fixed path."""

    path: Path
    words: tuple[str, ...]

    @property
    def content(self) -> bytes:
        """The text of the script, for the shell that every POSIX machine has."""
        return f'#!/bin/sh\nexec {shlex.join(self.words)} "$@"\n'.encode()


class Unreadable(UsageError):
    """The configuration file cannot be read as the client would read it, so it is not changed."""


class Foreign(UsageError):
    """Another helper is set up for the origin, and `--replace` was not given."""
