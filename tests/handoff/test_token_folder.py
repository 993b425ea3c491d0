"""The folders of runs that have a token in a file."""

from pathlib import Path

import pytest

from tokenctl.handoff.token_folder import folders, token_folder


def test_the_folders_of_all_runs_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the runtime directory and in the folders for temporary files; nothing is made to find them."""
    runtime, temporary = tmp_path / "runtime", tmp_path / "temporary"
    for each in (runtime, temporary):
        each.mkdir()
        (each / "tokenctl-token-left").mkdir()
        (each / "other").mkdir()
    environ = {"XDG_RUNTIME_DIR": str(runtime), "TMPDIR": str(temporary), "TMP": "relative"}
    left = {runtime / "tokenctl-token-left", temporary / "tokenctl-token-left"}
    assert {each for each in folders(environ) if each.is_relative_to(tmp_path)} == left
    with token_folder({"XDG_RUNTIME_DIR": str(runtime)}) as mine:
        assert mine in folders(environ)
