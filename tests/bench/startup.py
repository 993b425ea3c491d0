"""Start-up, as ratios: `python -m tests.bench.startup` measures a warm `token` beside a bare interpreter.

Needs hyperfine; `gh` is measured too where it is installed. All are measured in one run, in turn; only the ratios
mean something, and no test asserts them.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.servers.faulty_server import FaultyServer
from tests.servers.secret_service import SecretService
from tests.support.commandline import Home


def measure(commands: dict[str, list[str]], environ: dict[str, str], folder: Path, runs: int = 40) -> dict[str, float]:
    """Run each command `runs` times with hyperfine and return the medians, in seconds."""
    report = folder / "hyperfine.json"
    subprocess.run(
        ["hyperfine", "-N", "--warmup", "3", "--runs", str(runs), "--export-json", str(report)]
        + [" ".join(words) for words in commands.values()],
        env=environ,
        cwd=folder,
        check=True,
        capture_output=True,
    )
    results = json.loads(report.read_text())["results"]
    return {name: result["median"] for name, result in zip(commands, results, strict=True)}


def main() -> None:
    """Measure and print."""
    scripts = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as name, SecretService() as service, FaultyServer(auto_approve=True) as server:
        home = Home(Path(name) / "home", service.environ, store="keyring")
        assert home.login(server.issuer).status == 0
        commands = {
            "bare interpreter": [sys.executable, "-c", "pass"],
            "tokenctl token": [str(scripts / "tokenctl"), "token"],
            "tokenctl --version": [str(scripts / "tokenctl"), "--version"],
            "keyring get": [str(scripts / "keyring"), "get", "tokenctl:t", "session"],
        }
        environ = {**os.environ, **home.environ}
        if gh := shutil.which("gh"):
            hosts = Path(name) / "gh"
            hosts.mkdir()
            (hosts / "hosts.yml").write_text("github.com:\n    oauth_token: gho_x\n    user: x\n")
            environ["GH_CONFIG_DIR"] = str(hosts)
            commands["gh auth token"] = [gh, "auth", "token"]
        medians = measure(commands, environ, home.folder)
    for each, median in medians.items():
        print(f"{each:20} {median * 1000:6.1f} ms   {median / medians['bare interpreter']:5.1f} x bare")


if __name__ == "__main__":
    main()
