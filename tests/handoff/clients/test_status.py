"""helper status: what is installed where, and whether it would answer."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.handoff.conftest import Account
from tests.servers.faulty_server import json_reply
from tests.support.config_files import OTHER
from tests.support.flows import always
from tokenctl.broker import asked
from tokenctl.errors import TokenctlError
from tokenctl.handoff.clients import installing, receipts
from tokenctl.handoff.clients.changes import Asked
from tokenctl.handoff.clients.status import Installed, installed
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults


@pytest.fixture
def runtime(account: Account, tmp_path: Path) -> Runtime:
    """A person who is signed in, and has docker set up for the API."""
    runtime = Runtime({**account.environ, "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
    installing.install(runtime, Asked(client="docker", origin=account.api.origin, profile="t"))
    return runtime


def only(runtime: Runtime) -> Installed:
    """Return the status of the one helper, as another run finds it."""
    [found] = installed(Runtime(runtime.environ))
    return found


def test_it_would_answer(runtime: Runtime, account: Account, tmp_path: Path) -> None:
    """A helper that is in the client's file, of a profile that is signed in, would answer; nothing is changed by looking."""
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    found = only(runtime)
    assert found.in_file and found.problem is None
    assert found.document() == {
        "client": "docker",
        "origin": account.api.origin,
        "profile": "t",
        "file": str(tmp_path / ".docker" / "config.json"),
        "installed": True,
        "answers": True,
        "problem": None,
        "remedy": None,
    }
    assert account.refreshes == 0
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files


def test_the_file_was_changed(runtime: Runtime, tmp_path: Path) -> None:
    """A helper that somebody took out of the file, or whose file is gone, is not installed."""
    path = tmp_path / ".docker" / "config.json"
    path.write_text("{}")
    found = only(runtime)
    assert not found.in_file and "does not have our helper" in (found.problem or "")
    assert "helper install docker --host" in (found.remedy or "")
    path.unlink()
    assert "does not have our helper" in (only(runtime).problem or "")
    path.mkdir()
    assert "not an ordinary file" in (only(runtime).problem or "")


def test_the_file_is_broken(account: Account, runtime: Runtime, tmp_path: Path) -> None:
    """A file that no client could read any more is told as a problem, and the others are shown all the same."""
    installing.install(runtime, Asked(client="git", origin=account.api.origin, profile="t"))
    (tmp_path / ".gitconfig").write_text("[broken")
    docker, git = installed(Runtime(runtime.environ))
    assert docker.problem is None and ".gitconfig" in (git.problem or "") and not git.in_file


def test_the_binding_is_gone(runtime: Runtime, account: Account) -> None:
    """A profile that is no longer bound, or is gone, does not answer."""
    config = Path(account.environ["TOKENCTL_CONFIG"])
    text = config.read_text()
    config.write_text(text.replace(account.api.origin, OTHER))
    assert "not bound" in (only(runtime).problem or "") and "hosts+=" in (only(runtime).remedy or "")
    config.write_text(text.replace("profiles.t", "profiles.other"))
    assert "no profile 't'" in (only(runtime).problem or "") and only(runtime).in_file


def test_the_session_is_dead(runtime: Runtime, account: Account) -> None:
    """A dead session does not answer, and a living token does although it will be renewed."""
    account.age(left=-60)
    assert only(runtime).problem is None
    account.server.overrides["/token"] = always(json_reply({"error": "invalid_grant"}, 400))
    with pytest.raises(TokenctlError):
        asked.token(runtime, vaults.open(runtime, runtime.profile("t")), {}, 60)
    assert "tokenctl login -p t" in (only(runtime).remedy or "")
    shutil.rmtree(Path(account.environ["TOKENCTL_STATE_DIR"]) / "t")
    assert only(runtime).problem == "not signed in to 't'"


def test_the_program_is_gone(runtime: Runtime) -> None:
    """A helper of an installation that is gone is told, with the way to set it up anew."""
    before = receipts.read(runtime.environ)
    [(path, kept)] = before.files.items()
    entries = tuple(replace(each, program="/nowhere/tokenctl") for each in kept.entries)
    receipts.write(runtime.environ, replace(before, files={path: replace(kept, entries=entries)}))
    assert "/nowhere/tokenctl" in (only(runtime).problem or "")


def test_the_other_profiles_are_left_alone(runtime: Runtime, tmp_path: Path) -> None:
    """The status for one profile reads nothing of another: its session can be in a keyring that is locked."""
    environ = runtime.environ
    kept = receipts.read(environ)
    [(path, found)] = kept.files.items()
    [mine] = found.entries
    other = replace(mine, origin=OTHER, profile="u")
    receipts.write(environ, replace(kept, files={path: replace(found, entries=(mine, other))}))
    assert [each.profile for each in installed(Runtime(environ), "t")] == ["t"]
