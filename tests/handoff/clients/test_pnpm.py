"""pnpm's tokenHelper."""

from pathlib import Path

import pytest

from tests.support.wanted import WANTED, wanted
from tokenctl.errors import UsageError
from tokenctl.handoff.clients import pnpm

LINE = "//registry.example.com:5000/:tokenHelper=/home/me/.local/state/tokenctl/scripts/pnpm-t\n"


def test_golden() -> None:
    """The line is the first, so that it stands in no section; the script names the profile, since pnpm tells no host."""
    assert pnpm.added("[old]\n", WANTED) == LINE + "[old]\n"
    assert pnpm.added("", wanted(origin="https://[::1]:4873")).startswith("//[::1]:4873/:tokenHelper=")
    [script] = pnpm.scripts({}, WANTED)
    assert script.content == b'#!/bin/sh\nexec /opt/tokenctl/bin/tokenctl helper pnpm -p t "$@"\n'


def test_token_stays() -> None:
    """A token that is replaced stays for npm, which knows no helper."""
    token = "//registry.example.com:5000/:_authToken=abc\n"
    assert pnpm.added(token, wanted(replace=True)) == LINE + token


def test_path() -> None:
    """A path with a space is refused, since pnpm would ask nobody."""
    with pytest.raises(UsageError, match="pnpm cannot run"):
        pnpm.added("", wanted(folder=Path("/Application Support")))


def test_file() -> None:
    """Both names of the variable count, and pnpm's own first."""
    assert pnpm.path({"HOME": "/h"}) == Path("/h/.npmrc")
    assert pnpm.path({"HOME": "/h", "npm_config_userconfig": "/x"}) == Path("/x")
