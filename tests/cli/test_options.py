"""What commands share: the loop over every profile."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tokenctl.adapters.terminal import Terminal
from tokenctl.cli.options import each_profile
from tokenctl.errors import StoreUnavailable
from tokenctl.runtime import Runtime


def test_a_hint_that_many_profiles_have_is_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On a machine without a keyring, ten profiles are ten lines."""
    (tmp_path / "c.toml").write_text("".join(f'[profiles.{each}]\nissuer = "https://a.example"\n' for each in "abc"))

    def fail(name: str) -> None:
        raise StoreUnavailable("no keyring", hint="start it" if name != "c" else "another")

    assert each_profile(Runtime({"TOKENCTL_CONFIG": str(tmp_path / "c.toml")}), fail) == ([], 3)
    said = capsys.readouterr().err.splitlines()
    assert [line.removeprefix("tokenctl: ") for line in said] == [
        *("error: a: no keyring", "hint: start it; 'tokenctl help keyrings' has more", "error: b: no keyring"),
        *("error: c: no keyring", "hint: another; 'tokenctl help keyrings' has more"),
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
