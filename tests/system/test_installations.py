"""A renewal has its worker however tokenctl is installed and started, and whatever the environment says to Python."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipapp
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.support.commandline import Home
from tests.support.paths import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="there is no worker elsewhere")]

LIBRARIES = sysconfig.get_path("purelib")
"""Where the libraries are that tokenctl needs."""
BARE = os.path.realpath(sys.executable)
"""An interpreter that knows neither tokenctl nor these libraries."""


@pytest.fixture
def signed_in(home: Home, demo_server: FaultyServer) -> Home:
    """A HOME that is signed in to the demo server."""
    assert home.login(demo_server.issuer).status == 0
    return home


def renew(
    home: Home, server: FaultyServer, *words: str, cwd: Path | None = None, environ: Mapping[str, str] = {}
) -> None:
    """Renew with this command, and expect that a worker did it, with one request."""
    before = server.count("/token", "refresh_token")
    done = subprocess.run(
        [*words, "refresh", "-v"],
        env={**_without_python(home.environ), **environ},
        cwd=cwd or home.folder,
        capture_output=True,
        check=False,
    )
    said = done.stderr.replace(b"\0", b"").decode(errors="replace")
    assert done.returncode == 0, said
    assert "without" not in said and "POST" in said, said
    assert server.count("/token", "refresh_token") == before + 1


def _without_python(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith("PYTHON")}


def package(folder: Path) -> Path:
    """Copy the package into a folder, as an installation does."""
    shutil.copytree(ROOT / "tokenctl", folder / "tokenctl", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_the_console_script_of_a_virtual_environment(signed_in: Home, demo_server: FaultyServer) -> None:
    """As most people have it."""
    renew(signed_in, demo_server, str(Path(sys.executable).with_name("tokenctl")))


def test_the_console_script_of_the_readme_loads_nothing_before_the_package(tmp_path: Path) -> None:
    """A pip before 25.2 writes a script that imports `re`: a new venv has such a pip, and the README's line renews it."""
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    line = re.search(
        r"^(python3 -m venv .*) && \.venv/bin/tokenctl demo$", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    assert line is not None
    path = os.pathsep.join((str(Path(BARE).parent), os.environ["PATH"]))
    installed = subprocess.run(
        ["sh", "-c", line[1]],
        env=_without_python({**os.environ, "PATH": path}),
        cwd=package(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    if "could not find a version" in installed.stderr.lower() and os.environ.get("CI") != "true":
        pytest.skip("no package index can be reached")
    assert installed.returncode == 0, installed.stderr
    scripts = tmp_path / ".venv" / "bin"
    words = [str(scripts / "python"), "-X", "importtime", str(scripts / "tokenctl"), "--version"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    loaded = [each.rpartition("|")[2].strip() for each in done.stderr.splitlines()]
    assert "site" in loaded and "re" not in loaded[: loaded.index("tokenctl")]


def test_an_installation_for_one_user(signed_in: Home, demo_server: FaultyServer, tmp_path: Path) -> None:
    """`pip install --user`: an isolated interpreter does not look there by itself."""
    base = tmp_path / "base"
    folder = Path(sysconfig.get_path("purelib", f"{os.name}_user", {"userbase": str(base)}))
    package(folder)
    (folder / "libraries.pth").write_text(f"{LIBRARIES}\n")
    renew(signed_in, demo_server, BARE, "-m", "tokenctl", environ={"PYTHONUSERBASE": str(base)})


def test_a_zipapp(signed_in: Home, demo_server: FaultyServer, tmp_path: Path) -> None:
    """Started by a relative path, as `python tokenctl.pyz`."""
    source = package(tmp_path / "source")
    (source / "__main__.py").write_text(
        f"import sys; sys.path.append({LIBRARIES!r}); from tokenctl.__main__ import main; main()\n"
    )
    zipapp.create_archive(source, tmp_path / "tokenctl.pyz")
    renew(signed_in, demo_server, BARE, "tokenctl.pyz", cwd=tmp_path)


def test_a_folder_on_pythonpath(signed_in: Home, demo_server: FaultyServer, tmp_path: Path) -> None:
    """`pip install --target`: the package and its libraries are found by that variable alone."""
    path = os.pathsep.join((str(package(tmp_path / "target")), LIBRARIES))
    renew(signed_in, demo_server, BARE, "-m", "tokenctl", environ={"PYTHONPATH": path})


def test_a_program_that_knows_the_folder_by_itself(signed_in: Home, demo_server: FaultyServer, tmp_path: Path) -> None:
    """Such as one that embeds Python and sets the search path."""
    path = [str(package(tmp_path / "embedded")), LIBRARIES]
    code = f"import sys; sys.path[:0] = {path}; sys.argv[0] = 'app'; from tokenctl.__main__ import main; main()"
    renew(signed_in, demo_server, BARE, "-c", code)


POISON = ("httpx", "httpcore", "h11", "anyio", "certifi", "idna")
"""Libraries that only a renewal needs: the command that starts the worker does not load them."""


@pytest.mark.parametrize(
    "environ",
    [
        {"PYTHONPATH": "poison"},
        {"PYTHONIOENCODING": "utf-16"},
        {"PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONWARNINGS": "ignore", "PYTHONSAFEPATH": "1", "PYTHONOPTIMIZE": "2", "PYTHONUNBUFFERED": "1"},
    ],
    ids=lambda each: next(iter(each)),
)
def test_no_variable_for_python_disturbs_a_renewal(
    signed_in: Home, demo_server: FaultyServer, tmp_path: Path, environ: dict[str, str]
) -> None:
    """A backport for another program is on the path, or an encoding is set that no pipe is read in."""
    (tmp_path / "poison").mkdir()
    for name in POISON:
        (tmp_path / "poison" / f"{name}.py").write_text("raise ImportError('the library of another program')\n")
    if "PYTHONPATH" in environ:
        environ = {"PYTHONPATH": str(tmp_path / "poison")}
    signed_in.config.write_text(signed_in.config.read_text().replace("[profiles.t]", '[profiles."t"]\n# ü'))
    renew(signed_in, demo_server, sys.executable, "-m", "tokenctl", environ=environ)
