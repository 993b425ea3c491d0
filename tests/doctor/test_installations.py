"""Several versions on PATH, and which one runs."""

from pathlib import Path

import pytest

import tokenctl
from tests.doctor.conftest import Setup
from tokenctl.doctor import installations
from tokenctl.doctor.finding import Finding


def program(folder: Path, version: str, *, more: str = "") -> Path:
    """Put a tokenctl into a folder."""
    folder.mkdir(mode=0o755, exist_ok=True)
    path = folder / "tokenctl"
    path.write_text(f'#!/bin/sh\n{more}\n[ "$1" = --version ] && echo "tokenctl {version}"\n')
    path.chmod(0o755)
    return path


def looked(setup: Setup, *folders: Path | str) -> Finding:
    """What the check finds on this PATH."""
    path = ":".join(map(str, (*folders, "/usr/bin", "/bin")))
    (found,) = installations.look(setup.case(environ={"PATH": path, "TOKENCTL_API_KEY": "s3cr3t"}))
    return found


def test_one_version_is_in_order(setup: Setup, tmp_path: Path) -> None:
    """Also by two names of one file."""
    path = program(tmp_path / "a", tokenctl.__version__)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "tokenctl").symlink_to(path)
    found = looked(setup, tmp_path / "a", tmp_path / "b")
    assert found.status == "ok" and found.more["on_path"] == {str(path): tokenctl.__version__}


def test_another_version_is_a_warning(setup: Setup, tmp_path: Path) -> None:
    """The first one of PATH is the first one of the sentence."""
    first, second = program(tmp_path / "a", "0.0.1"), program(tmp_path / "b", tokenctl.__version__)
    found = looked(setup, tmp_path / "a", tmp_path / "b")
    assert found.status == "warning" and found.sentence.index(str(first)) < found.sentence.index(str(second))
    assert list(found.more["on_path"].values()) == ["0.0.1", tokenctl.__version__]


def test_no_program_of_the_current_directory_is_run(
    setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative folders of PATH are left out."""
    program(tmp_path / "a", "0.0.1", more=f"touch {tmp_path}/ran")
    monkeypatch.chdir(tmp_path / "a")
    found = looked(setup, ".", "", "../a")
    assert found.more["on_path"] == {} and not (tmp_path / "ran").exists()


@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_others_can_change_is_listed_and_not_run(setup: Setup, tmp_path: Path, what: str) -> None:
    """Its version is not known."""
    path = program(tmp_path / "a", "0.0.1", more=f"touch {tmp_path}/ran")
    (path if what == "file" else path.parent).chmod(0o777)
    found = looked(setup, path.parent)
    assert found.status == "ok" and found.more["on_path"] == {str(path): None} and not (tmp_path / "ran").exists()


def test_no_program_gets_a_secret(setup: Setup, tmp_path: Path) -> None:
    """Not even one that says to be tokenctl."""
    path = program(tmp_path / "a", "$TOKENCTL_API_KEY")
    found = looked(setup, path.parent)
    assert "s3cr3t" not in repr(found)


def test_a_program_that_says_nothing(setup: Setup, tmp_path: Path) -> None:
    """It fails, or is another program: its version is not known."""
    path = program(tmp_path / "a", "1", more="exit 3")
    assert looked(setup, path.parent).more["on_path"] == {str(path): None}
    path.write_text("#!/bin/sh\necho another program\n")
    assert looked(setup, path.parent).more["on_path"] == {str(path): None}


@pytest.mark.parametrize("answer", ["$HTTPS_PROXY", "password", "1.0 and more"])
def test_only_a_version_is_shown(setup: Setup, tmp_path: Path, answer: str) -> None:
    """Another program that says to be tokenctl can answer anything, such as a part of its environment."""
    setup.environ["HTTPS_PROXY"] = "http://person:s3cr3t@proxy.example"
    path = program(tmp_path / "a", answer)
    assert looked(setup, path.parent).more["on_path"] == {str(path): None}
