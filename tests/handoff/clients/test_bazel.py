"""Bazel's credential_helper."""

from pathlib import Path

import pytest

from tests.support.wanted import WANTED, wanted
from tokenctl.errors import UsageError
from tokenctl.handoff.clients import bazel
from tokenctl.handoff.clients.wanted import Unreadable


def test_golden() -> None:
    """A helper is for a host without a port; the script passes the word that Bazel calls it with."""
    script = "/home/me/.local/state/tokenctl/scripts/bazel"
    assert bazel.added("", WANTED) == f"common --credential_helper=registry.example.com={script}\n"
    [found] = bazel.scripts({}, wanted(named=True))
    assert found.path == Path(f"{script}-t")
    assert found.content == b'#!/bin/sh\nexec /opt/tokenctl/bin/tokenctl helper bazel -p t "$@"\n'


def test_space() -> None:
    """A path with a space is quoted, and read back."""
    asked = wanted(folder=Path("/Application Support"))
    text = bazel.added("build --jobs=4\n", asked)
    assert text.endswith('common "--credential_helper=registry.example.com=/Application Support/bazel"\n')
    assert bazel.is_there(text, asked) and bazel.removed(text, asked) == "build --jobs=4\n"


@pytest.mark.parametrize("folder", ['/a"b', "/a\\b", "/a#b", "/a$b", "/a\tb"])
def test_path(folder: str) -> None:
    """What Bazel reads as something else is refused."""
    with pytest.raises(UsageError, match="Bazel cannot run"):
        bazel.added("", wanted(folder=Path(folder)))


def test_ipv6() -> None:
    """Bazel's option has no form for an IPv6 address."""
    with pytest.raises(UsageError, match="IPv6"):
        bazel.added("", wanted(origin="https://[::1]"))


def test_another_port() -> None:
    """The helper of a host is the same for its other ports."""
    text = bazel.added("", WANTED)
    assert bazel.added(text, wanted(origin="https://registry.example.com")) == text


def test_edited_line() -> None:
    """A line to which somebody has added an option is left to a person."""
    text = bazel.added("", WANTED).replace("\n", " --jobs=4\n")
    with pytest.raises(Unreadable, match="line 1"):
        bazel.removed(text, WANTED)
