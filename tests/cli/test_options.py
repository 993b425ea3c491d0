"""What commands share: the loop over every profile."""

from pathlib import Path

import pytest

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
        *("error: a: no keyring", "hint: start it", "error: b: no keyring"),
        *("error: c: no keyring", "hint: another"),
    ]
