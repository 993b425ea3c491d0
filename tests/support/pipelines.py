"""The examples of the help page `ci`, and stand-ins of the platforms that run them."""

import re
import subprocess
from collections.abc import Mapping
from typing import Any

from tests.support.commandline import Home
from tests.support.job_identity import identity
from tokenctl.cli.help import page

INSTALL = re.compile(r"^(pipx|python3 -m pip) install tokenctl==(\S+)$", re.MULTILINE)
"""The line that installs tokenctl. It is left out when an example runs: the one under test is in PATH already."""


def blocks(language: str, topic: str = "ci") -> list[str]:
    """The examples of a language on a help page, in the page's order."""
    return re.findall(rf"```{language}\n(.*?)```", page(topic), re.DOTALL)


def block(language: str, *words: str) -> str:
    """The one example that has all these words."""
    (found,) = [each for each in blocks(language) if all(word in each for word in words)]
    return found


def at(example: str, issuer: str, client: str) -> str:
    """Put a test's server and client in the place of the example's."""
    example = re.sub(r"(TOKENCTL_CLIENT_ID(?:=|: ))ci\b", rf"\g<1>{client}", example)
    return example.replace("https://login.example.com", issuer)


def read(text: str) -> dict[str, Any]:
    """Read the part of YAML that the examples are written in: mappings and lists of plain texts."""
    lines = [(len(line) - len(line.lstrip()), line.strip()) for line in text.splitlines() if line.strip()]
    found = _value(lines)
    assert isinstance(found, dict) and not lines
    return found


def _value(lines: list[tuple[int, str]]) -> Any:
    indent, first = lines[0]
    made_list: list[Any] = []
    made: dict[str, Any] = {}
    while lines and lines[0][0] == indent:
        text = lines.pop(0)[1]
        if first.startswith("- "):
            assert text.startswith("- ")
            text = text[2:]
            if re.match(r"[\w-]+:( |$)", text):
                lines.insert(0, (indent + 2, text))
                made_list.append(_value(lines))
            else:
                made_list.append(text)
        else:
            key, colon, value = text.partition(":")
            assert colon and not text.startswith("- ")
            made[key] = value.split(" #")[0].strip() or _value(lines)
    return made_list or made


def sh(home: Home, script: str, environ: Mapping[str, str] = {}) -> "subprocess.CompletedProcess[str]":
    """Run a script as a job does, in a checkout of its own; the line that installs tokenctl is left out."""
    return subprocess.run(
        ["sh", "-e", "-c", INSTALL.sub("", script)],
        env={**home.environ, **environ},
        cwd=home.folder.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def on_github(
    home: Home, text: str, *, runner: str = "", secrets: Mapping[str, str] = {}, fork: bool = False
) -> "subprocess.CompletedProcess[str]":
    """Run a workflow as GitHub does, step by step until one fails; return the last step.

    `runner` is the address that gives identities. A pull request from a `fork` gets neither identity nor secrets: a
    secret is then an empty text.
    """
    workflow = read(text)
    (job,) = workflow["jobs"].values()
    environ = {"CI": "true", "GITHUB_ACTIONS": "true", **workflow.get("env", {}), **job.get("env", {})}
    if workflow.get("permissions", {}).get("id-token") == "write" and not fork:
        environ["ACTIONS_ID_TOKEN_REQUEST_URL"] = f"{runner}/identity?v=1"
        environ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = "job-secret"

    def secret(match: re.Match[str]) -> str:
        return "" if fork else secrets.get(match[1], "")

    steps = [each for each in job["steps"] if "run" in each]
    assert len(steps) == 2 and all("run" in each or "uses" in each for each in job["steps"])
    for step in steps:
        own = {
            name: re.sub(r"\$\{\{ secrets\.(\w+) \}\}", secret, value) for name, value in step.get("env", {}).items()
        }
        done = sh(home, step["run"], environ | own)
        if done.returncode:
            break
    return done


def on_gitlab(
    home: Home, text: str, issuer: str, variables: Mapping[str, str] = {}
) -> "subprocess.CompletedProcess[str]":
    """Run a job as GitLab does: one shell for the script; `variables` are those of the project's settings."""
    (job,) = read(text).values()
    environ = {"CI": "true", "GITLAB_CI": "true", **job["variables"], **variables}
    for name, wanted in job.get("id_tokens", {}).items():
        assert wanted == {"aud": issuer}
        environ[name] = identity()
    return sh(home, "\n".join(job["script"]), environ)
