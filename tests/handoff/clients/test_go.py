"""GOAUTH in go's own file."""

from pathlib import Path

import pytest

from tests.support.wanted import WANTED, wanted
from tokenctl.errors import UsageError
from tokenctl.handoff.clients import go
from tokenctl.handoff.clients.wanted import Unreadable

OURS = "/opt/tokenctl/bin/tokenctl helper go"


def test_golden() -> None:
    """The default of go is netrc, so it stays; other commands stay, behind ours."""
    assert go.added("", WANTED) == f"GOAUTH={OURS}; netrc\n"
    assert go.added("GOAUTH=git /src", wanted(named=True)) == f"GOAUTH={OURS} -p t; git /src"


def test_two_profiles() -> None:
    """Each profile has its command."""
    text = go.added(go.added("", wanted(named=True)), wanted(named=True, profile="u"))
    assert text == f"GOAUTH={OURS} -p u; {OURS} -p t; netrc\n"


def test_off_before() -> None:
    """A line that counts again when ours is gone must say the same as before."""
    text = "GOAUTH=off\nGOAUTH=netrc\n"
    assert go.removed(go.added(text, WANTED), WANTED) == text


@pytest.mark.parametrize("path", ["/a;b/tokenctl", "/a\"b'/tokenctl", "/a\nb/tokenctl"])
def test_path(path: str) -> None:
    """The list of go has no way to write some paths."""
    with pytest.raises(UsageError, match="go cannot run"):
        go.added("", wanted(program=Path(path)))


def test_quotes() -> None:
    """A path with a quote is between quotes of the other kind, and is found again."""
    for path in ("/a b'c/tokenctl", '/a"b/tokenctl', "/a b/tokenctl"):
        text = go.added("", wanted(program=Path(path)))
        assert go.is_there(text, wanted(program=Path(path))) and go.removed(text, wanted(program=Path(path))) == ""


def test_file() -> None:
    """GOENV names the file, or turns it off."""
    assert go.path({"HOME": "/h", "GOENV": "/x"}) == Path("/x")
    with pytest.raises(Unreadable):
        go.path({"HOME": "/h", "GOENV": "off"})
