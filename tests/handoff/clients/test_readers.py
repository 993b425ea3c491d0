"""The clients themselves read what `helper install` wrote."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.config_files import files
from tests.support.real_parts import available, program, script
from tests.support.wanted import wanted
from tokenctl.handoff.clients import client


def _files(name: str, *titles: str) -> pytest.MarkDecorator:
    found = [(title, content) for each, title, content in files() if each == name and (not titles or title in titles)]
    return pytest.mark.parametrize("content", [content for _, content in found], ids=[title for title, _ in found])


def _installed(path: Path, name: str, content: bytes | None) -> Path:
    text = (content or b"").decode(errors="surrogateescape")
    path.write_bytes(client(name).added(text, wanted(named=True)).encode(errors="surrogateescape"))
    return path


def _run(words: list[str], environ: Mapping[str, str], folder: Path) -> str:
    """Run a client without our own variables, and return what it says on both streams."""
    found = subprocess.run(
        words, env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **environ}, cwd=folder, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout
    return found.stdout


@_files("kubectl")
def test_kubectl(tmp_path: Path, content: bytes | None) -> None:
    """A context of the cluster has the user that calls our helper."""
    with available():
        kubectl = program("kubectl")
    file = _installed(tmp_path / "config", "kubectl", content)
    config = json.loads(_run([kubectl, "config", "view", "--raw", "-o", "json"], {"KUBECONFIG": str(file)}, tmp_path))
    names = [each["context"]["user"] for each in config["contexts"] if each["context"]["cluster"] == "one"]
    [ours] = [each["user"]["exec"] for each in config["users"] if each["name"] in names and "tokenctl" in each["name"]]
    assert [ours["command"], *ours["args"]] == wanted(named=True).call("kubectl")
    assert ours["provideClusterInfo"] and ours["interactiveMode"] == "IfAvailable"


@_files("go")
def test_go(tmp_path: Path, content: bytes | None) -> None:
    """The first command of the list is ours."""
    with available():
        go = script("go")
    file = _installed(tmp_path / "env", "go", content)
    found = _run([go, "env", "GOAUTH"], {"GOENV": str(file), "GOTOOLCHAIN": "local"}, tmp_path)
    assert found.split(";")[0] == " ".join(wanted(named=True).call("go"))


@_files("pip", "absent", "a list over lines", "Windows line ends", "another case")
def test_pip(tmp_path: Path, content: bytes | None) -> None:
    """The provider is the program `keyring`."""
    file = _installed(tmp_path / "pip.conf", "pip", content)
    words = [sys.executable, "-m", "pip", "config", "get", "global.keyring-provider"]
    assert _run(words, {"PIP_CONFIG_FILE": str(file)}, tmp_path).splitlines()[-1] == "subprocess"


@_files("terraform", "absent", "comments", "braces in a text", "nested", "no last line end", "Windows line ends")
def test_terraform(tmp_path: Path, content: bytes | None) -> None:
    """Terraform warns of no block."""
    with available():
        terraform = program("terraform")
    file = _installed(tmp_path / "rc", "terraform", content)
    (tmp_path / "main.tf").touch()
    assert "problems" not in _run([terraform, "providers"], {"TF_CLI_CONFIG_FILE": str(file)}, tmp_path)
