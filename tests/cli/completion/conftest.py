"""The shells: one of each kind for all tests of a file."""

from collections.abc import Iterator

import pytest

from tests.support.real_parts import Missing, available
from tests.support.shells import BASH_COMPLETION, Bash, Fish, Shell, Zsh

KINDS = {"bash": Bash, "bash-completion": Bash, "zsh": Zsh, "fish": Fish}
CONFIG = """\
default_profile = "work"

[profiles.work]
issuer = "https://login.example.com"

[profiles.work.params]
prompt = "login"

[profiles."my.home"]
"""
PROGRAMS = ("child", "tokenctl-test", "tokenctl", "python", "python3", "uname", "cat", "grep", "sed", "awk", "sort")


@pytest.fixture(scope="module", params=KINDS)
def shell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell in a home with two profiles. Whatever program is started there leaves a file `started`."""
    folder = tmp_path_factory.mktemp("home")
    config = folder / ".config" / "tokenctl" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(CONFIG)
    (folder / "bin").mkdir()
    for name in PROGRAMS:
        (folder / "bin" / name).write_text(f"#!/bin/sh\necho {name} >>{folder}/started\n")
        (folder / "bin" / name).chmod(0o755)
    (folder / "bin" / "tokenctl-text").write_text("")
    (folder / "my file").write_text("")
    helper = request.param == "bash-completion"
    with available():
        if helper and not BASH_COMPLETION.exists():
            raise Missing("no bash-completion")
        running = KINDS[request.param](folder, helper=helper)
    with running:
        running.offered("tokenctl ")
        (folder / "started").unlink(missing_ok=True)  # bash-completion asks uname when it is loaded
        yield running
        assert not (folder / "started").exists(), (folder / "started").read_text()
