"""uv: which file it reads."""

from pathlib import Path

from tokenctl.handoff.clients import uv


def test_file() -> None:
    """UV_CONFIG_FILE names the only file that uv reads; a folder that is not absolute is not one of XDG's."""
    assert uv.path({"HOME": "/h", "UV_CONFIG_FILE": "/x/uv.toml", "XDG_CONFIG_HOME": "/c"}) == Path("/x/uv.toml")
    assert uv.path({"HOME": "/h", "XDG_CONFIG_HOME": "/c"}) == Path("/c/uv/uv.toml")
    assert uv.path({"HOME": "/h", "XDG_CONFIG_HOME": "c"}) == Path("/h/.config/uv/uv.toml")
