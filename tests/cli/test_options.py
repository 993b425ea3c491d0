"""What commands share: the warning for a token that does not live for as long as was asked."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.flows import at
from tests.support.sessions import session
from tokenctl.adapters.terminal import Terminal
from tokenctl.cli.options import each_profile, warn_if_short
from tokenctl.errors import StoreUnavailable
from tokenctl.runtime import Runtime
from tokenctl.storage.memory_store import MemoryStore

TOKEN = session()
"""It lives for 900 seconds."""


@pytest.mark.parametrize(
    ("left", "min_ttl", "said"),
    [
        (400, 400, ""),
        (900, None, ""),
        (10, None, ""),
        (399, 400, "this token still lives for 399 s, not for the 400 s of --min-ttl"),
        (0, 1, "this token still lives for 0 s, not for the 1 s of --min-ttl"),
        (899, 3600, "the server's tokens live for 900 s"),
    ],
)
def test_a_min_ttl_that_is_not_met_is_said(
    left: int, min_ttl: int | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the server could give more: another process renewed a while ago, or a renewal failed."""
    assert TOKEN.expires_at is not None
    warn_if_short(at(TOKEN.expires_at - left, MemoryStore()), TOKEN, min_ttl)
    written = capsys.readouterr().err
    assert said in written and written.startswith("tokenctl: warning: " if said else "") and bool(said) == bool(written)
    assert not said or ("the server's tokens" in written) == (min_ttl == 3600)


def test_a_hint_that_many_profiles_have_is_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On a machine without a keyring, ten profiles are ten lines."""
    (tmp_path / "c.toml").write_text("".join(f'[profiles.{each}]\nissuer = "https://a.example"\n' for each in "abc"))

    def fail(name: str) -> None:
        raise StoreUnavailable("no keyring", hint="start it" if name != "c" else "another")

    assert each_profile(Runtime({"TOKENCTL_CONFIG": str(tmp_path / "c.toml")}), fail) == ([], 3)
    said = capsys.readouterr().err.splitlines()
    assert [line.removeprefix("tokenctl: ") for line in said] == [
        *("error: a: no keyring", "hint: start it", "error: b: no keyring"),
        *("error: c: no keyring", "hint: another"),
    ]


def test_a_bar_is_shown_to_a_person_who_waits(tmp_path: Path) -> None:
    """After a second, at a terminal; never in a pipe, never with -q, and nothing of it is left in the end."""
    (tmp_path / "c.toml").write_text("".join(f'[profiles.{each}]\nissuer = "https://a.example"\n' for each in "abc"))

    def shown(*, terminal: bool, quiet: bool) -> str:
        runtime = Runtime({"TOKENCTL_CONFIG": str(tmp_path / "c.toml")})
        here, there = os.openpty() if terminal else os.pipe()
        with os.fdopen(here, "rb", buffering=0) as reader, os.fdopen(there, "w") as err:
            runtime.terminal = Terminal({}, err=err)
            runtime.terminal.quiet = quiet
            each_profile(runtime, lambda name: time.sleep(0.6))
            runtime.terminal.instruction("the end")
            said = b""
            while b"the end" not in said:
                said += reader.read(1000)
            return said.decode().strip()

    with ThreadPoolExecutor() as threads:
        cases = [(True, False), (True, True), (False, False)]
        started = [threads.submit(shown, terminal=terminal, quiet=quiet) for terminal, quiet in cases]
    said, quiet, piped = (each.result() for each in started)
    bar = "tokenctl: 2 of 3 profiles [####################..........]"
    assert said == f"\x1b[2K{bar}\r\x1b[2Ktokenctl: the end"
    assert quiet == piped == "tokenctl: the end"
