"""What tokenctl makes is private, whatever the umask of the shell, the job or the container."""

import os
import subprocess
import threading
from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.support.commandline import COMMAND, LONG, Home
from tests.support.fetch import fetch

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")


def start(home: Home, umask: str, *words: str) -> "subprocess.Popen[str]":
    """Start a command with this umask."""
    return subprocess.Popen(
        ["sh", "-c", f'umask {umask}; exec "$@"', "sh", *COMMAND, *words],
        env=home.environ,
        cwd=home.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def too_open(folder: Path) -> list[str]:
    """List what is below a folder and has another mode than 0600 or 0700."""
    return [
        f"{each} {each.stat().st_mode & 0o777:o}"
        for each in folder.rglob("*")
        if each.stat().st_mode & 0o777 != (0o700 if each.is_dir() else 0o600)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("umask", ["0", "022", "077", "0277", "0777"])
def test_all_that_is_made_is_private(tmp_path: Path, demo_server: FaultyServer, umask: str) -> None:
    """The state directory, the folder of the config file and that of a token file, with their parents, and every file."""
    made = tmp_path / "made"
    made.mkdir(mode=0o700)
    home = Home(tmp_path / "home")
    home.environ |= {
        "HOME": str(made),
        "XDG_CONFIG_HOME": str(made / "deep" / "config"),
        "XDG_RUNTIME_DIR": str(made),
        "TOKENCTL_STATE_DIR": str(made / "local" / "state" / "tokenctl"),
    }
    words = (
        "-p",
        "t",
        "--issuer",
        demo_server.issuer,
        "--client-id",
        "tokenctl-demo",
        "--scope",
        "openid offline_access",
    )
    with start(home, umask, "login", *words, "--no-browser") as process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if line.startswith("http"):
                threading.Thread(target=fetch, args=(line.strip(),), daemon=True).start()
    assert process.returncode == 0, said
    assert (made / "deep" / "config" / "tokenctl" / "config.toml").exists()
    assert too_open(made) == []
    for command in (["refresh"], ["exec", "--token-file", "--", "find", str(made), "-printf", "%p %m\n"]):
        with start(home, umask, *command) as process:
            stdout, stderr = process.communicate(timeout=LONG)
        assert process.returncode == 0, stderr
        assert too_open(made) == []
    modes = dict(line.split() for line in stdout.splitlines())
    assert {modes[path] for path in modes if "tokenctl-token-" in path} == {"600", "700"}
