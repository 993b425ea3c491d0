"""Check: the version of tokenctl, the Python that runs it, and how it was installed."""

import json
import platform
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import tokenctl
from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding

NAME = "version"
_TOOLS = {"pipx": ("pipx", "venvs"), "uv tool": ("uv", "tools")}
"""Name of a program that installs commands -> the folders in the path of what it installed."""


def look(case: Case) -> Iterator[Finding]:
    """Say which tokenctl answers."""
    version, how = tokenctl.__version__, _installed_by()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    yield Finding(
        check=NAME,
        status="ok",
        sentence=f"tokenctl {version} on {python} ({sys.executable}), {how}",
        more={
            "version": version,
            "python": python,
            "executable": sys.executable,
            "package": str(Path(tokenctl.__file__).parent),
            "installed": how,
            "system": platform.platform(),
        },
    )
    installed = _version_of_distribution()
    if installed not in (None, version):
        yield Finding(
            check=NAME,
            status="warning",
            sentence=f"the package says that it is version {installed}, and its code is {version}",
            remedy="install tokenctl again: an update has stopped half-way, or two versions are mixed",
        )


def _installed_by() -> str:
    """Say how it was installed, in words."""
    parts = Path(sys.prefix).parts
    for tool, folders in _TOOLS.items():
        if any(parts[start : start + 2] == folders for start in range(len(parts))):
            return f"installed by {tool}"
    where = "in a virtual environment" if sys.prefix != sys.base_prefix else "for the whole Python"
    with suppress(metadata.PackageNotFoundError, ValueError):
        found = metadata.distribution("tokenctl")
        if json.loads(found.read_text("direct_url.json") or "{}").get("dir_info", {}).get("editable"):
            return f"run from its source folder, {where}"
        return f"installed by {(found.read_text('INSTALLER') or 'an unknown program').strip()}, {where}"
    return "run from a folder, without an installation"


def _version_of_distribution() -> str | None:
    with suppress(metadata.PackageNotFoundError):
        return metadata.version("tokenctl")
    return None
