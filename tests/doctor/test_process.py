"""The kernel's copy of the access token is never a failure; a worker that cannot start is told with its reason."""

import os
import sys
import time
from pathlib import Path

import pytest

from tests.support.examined import case_of, process_environ
from tokenctl.adapters import worker_process
from tokenctl.doctor import process
from tokenctl.doctor.finding import Finding
from tokenctl.model.profile import Profile
from tokenctl.storage.memory_store import MemoryStore

linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's keyring is Linux's")


def cache(environ: dict[str, str], **members: object) -> Finding:
    """Look at the copy in the kernel, for a profile with these settings."""
    profile = Profile(name="t", **members)  # type: ignore[arg-type]
    (found,) = process.look_at_cache(case_of(profile, environ, store=MemoryStore()))
    assert (found.status, found.exit_status) == ("ok", 0)
    return found


@pytest.fixture
def clear(tmp_path: Path) -> dict[str, str]:
    """An environment with which there can be a copy: its config file has not changed for a while."""
    config = tmp_path / ".config" / "tokenctl" / "config.toml"
    config.parent.mkdir(parents=True)
    config.touch()
    long_ago = time.time() - 1000
    os.utime(config, (long_ago, long_ago))
    return {"HOME": str(tmp_path)}


@linux
@pytest.mark.parametrize("name", ["CI", "GITHUB_ACTIONS", "TOKENCTL_SCOPE", "TOKENCTL_CLIENT_SECRET"])
def test_the_variable_that_forbids_a_copy_is_named(clear: dict[str, str], name: str) -> None:
    """And never its value."""
    found = cache({**clear, name: "PRIVATE"})
    assert found.more["because"] == f"{name} is set" and "PRIVATE" not in found.sentence


@linux
def test_a_setting_that_forbids_a_copy_is_named(clear: dict[str, str]) -> None:
    """`cache = false`, a machine's profile, and a store with a passphrase of its own."""
    time.sleep(0.2)  # a file that has just changed is a reason of its own
    assert "cache = false" in cache(clear, cache=False).sentence
    assert "credentials" in cache(clear, flow="client-credentials").sentence
    assert "the store has a password of its own" in cache(clear).sentence


@linux
def test_a_config_file_that_is_absent_is_told(tmp_path: Path) -> None:
    """What chooses the profile has to be comparable."""
    assert "no config file" in cache({"HOME": str(tmp_path)}).sentence


@pytest.mark.parametrize(
    ("keys", "used", "expected"),
    [
        ("200/200", "10/20000", "this user has 200 keys in the kernel, and may have 200"),
        ("1/200", "20000/20000", "this user has 20000 bytes of keys in the kernel, and may have 20000"),
        ("1/200", "10/20000", None),
    ],
)
def test_a_limit_of_the_kernel_that_is_reached_is_told(keys: str, used: str, expected: str | None) -> None:
    """Another user's limit does not count."""
    key_users = f"    0:     3 2/2 200/200 20000/20000\n 1000:     1 1/1 {keys} {used}\n"
    assert process.exhausted(key_users, 1000) == expected


# -- the worker ------------------------------------------------------------------------------------------------

workers = pytest.mark.skipif(not worker_process.POSSIBLE, reason="there are no workers here")


def worker() -> Finding:
    """Look at the worker of this process."""
    (found,) = process.look_at_worker(case_of(Profile(name="t"), process_environ(), store=MemoryStore()))
    return found


@workers
@pytest.mark.slow
def test_a_worker_that_starts_is_told() -> None:
    """It is an interpreter that loads what a renewal needs, and it holds no lock."""
    assert worker().status == "ok"


@workers
@pytest.mark.parametrize(
    ("executable", "why"),
    [
        ("", "the interpreter is not known"),
        ("/nonexistent/python", "No such file or directory"),
        ("/bin/false", "it ended with status 1"),
    ],
)
def test_a_worker_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch, executable: str, why: str) -> None:
    """A renewal goes on without it, so it is a warning."""
    monkeypatch.setattr(sys, "executable", executable)
    found = worker()
    assert (found.status, found.exit_status) == ("warning", 0)
    assert why in found.sentence and "renews by itself" in found.sentence and found.remedy


@workers
@pytest.mark.slow
def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Such as after an upgrade that broke off half way."""
    monkeypatch.setattr(sys, "path", [worker_process.PACKAGE_PATH, str(tmp_path)])
    found = worker()
    assert found.status == "warning" and "ModuleNotFoundError" in found.sentence
