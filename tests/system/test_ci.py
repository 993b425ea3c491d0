"""CI, as the README tells it: each example runs as far as it can here, writes nothing, and hides its token."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.servers.oidc_provider import OidcProvider
from tests.support.commandline import COMMAND, Home
from tests.support.demo_server import Make
from tests.support.job_identity import identity, platform
from tests.support.paths import ROOT
from tests.support.real_parts import Missing, available

README = (ROOT / "README.md").read_text()
CI = README[README.index("## Five minutes in CI") : README.index("## Commands")]


def blocks(language: str) -> list[str]:
    """The README's examples of a language, in the part on CI."""
    return re.findall(rf"```{language}\n(.*?)```", CI, re.DOTALL)


@pytest.fixture
def job(tmp_path: Path) -> Home:
    """A HOME without anything in it, with tokenctl in its PATH and a publish.sh that shows its token."""
    home = Home(tmp_path / "home", store="keyring")
    (home.folder / "passphrase").unlink()
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, text in {
        "tokenctl": f'exec {" ".join(COMMAND)} "$@"',
        "publish.sh": 'printf "%s" "$ACCESS_TOKEN"',
    }.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    home.environ["PATH"] = f"{tools}:{os.environ['PATH']}"
    shutil.copy(tools / "publish.sh", tmp_path / "publish.sh")
    return home


def sh(home: Home, script: str, environ: Mapping[str, str] = {}) -> "subprocess.CompletedProcess[str]":
    """Run a script as a job does, in a checkout of its own."""
    return subprocess.run(
        ["sh", "-e", "-c", script],
        env={**home.environ, **environ},
        cwd=home.folder.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def test_with_a_client_secret(job: Home, demo_server: FaultyServer, tmp_path: Path) -> None:
    """Three variables and exec, as the README writes them."""
    (tmp_path / "secret").write_text("demo-ci-secret\n")
    script = (
        blocks("sh")[0].replace("https://login.example.com", demo_server.issuer).replace("=ci ", "=tokenctl-demo-ci ")
    )
    done = sh(job, script.replace("/run/secrets/client", str(tmp_path / "secret")))
    assert done.returncode == 0 and done.stdout.count(".") == 2, done.stderr
    assert job.snapshot() == {}


def test_the_calls_of_one_job_may_share_a_session(job: Home, demo_server: FaultyServer) -> None:
    """With the file store the first call signs in and the others take what it got, ten at once too."""
    environ = {
        "TOKENCTL_ISSUER": demo_server.issuer,
        "TOKENCTL_CLIENT_ID": "tokenctl-demo-ci",
        "TOKENCTL_CLIENT_SECRET": "demo-ci-secret",
        "TOKENCTL_STORE": "file",
        "TOKENCTL_PASSPHRASE": "of-this-job",
    }
    job.environ |= environ
    tokens = {each.stdout for each in job.race(10, "token")}
    assert len(tokens) == 1 and job.run("exec", "--", "printenv", "ACCESS_TOKEN").stdout in tokens
    assert demo_server.count("/token", "client_credentials") == 1
    assert job.run("revoke").status == 0 and not list(job.folder.rglob("*.sealed"))


def settings(block: str, issuer: str) -> dict[str, str]:
    """The variables that an example of a platform's file sets."""
    found = dict(re.findall(r"^ +(TOKENCTL_[A-Z_]+): (\S+)$", block, re.MULTILINE))
    return found | {"TOKENCTL_ISSUER": issuer, "TOKENCTL_CLIENT_ID": "job"}


def command(block: str) -> str:
    """The one command that an example runs."""
    (found,) = re.findall(r"- (?:run: )?(tokenctl .*)$", block, re.MULTILINE)
    return str(found)


@pytest.mark.real
def test_on_github(job: Home, make_server: Make) -> None:
    """The job's token gets an identity, that is exchanged, and the token is masked on stderr before the child begins."""
    from tests.servers.faulty_server import json_reply

    block = next(each for each in blocks("yaml") if "id-token: write" in each)
    runner = make_server()
    asked: list[Any] = []

    def give(request: Any) -> Any:
        asked.append(request)
        return json_reply({"value": identity()})

    runner.overrides = {"/identity": give}
    with available(), OidcProvider(platform=platform()) as provider:
        environ = settings(block, provider.issuer) | {
            "GITHUB_ACTIONS": "true",
            "CI": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{runner.issuer}/identity?v=1",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "job-secret",
        }
        done = sh(job, command(block), environ)
        assert done.returncode == 0, done.stderr
        assert done.stderr.splitlines()[0] == f"::add-mask::{done.stdout}"
        assert asked[0].headers["authorization"] == "Bearer job-secret"
        assert job.snapshot() == {}


@pytest.mark.real
def test_on_gitlab(job: Home) -> None:
    """The variable of the job's id_tokens is exchanged; elsewhere than on GitHub nothing is masked."""
    block = next(each for each in blocks("yaml") if "id_tokens:" in each)
    with available(), OidcProvider(platform=platform()) as provider:
        environ = settings(block, provider.issuer) | {
            "GITLAB_CI": "true",
            "CI": "true",
            "TOKENCTL_ID_TOKEN": identity(),
        }
        done = sh(job, command(block), environ)
        assert done.returncode == 0 and done.stdout.count(".") == 2, done.stderr
        assert "add-mask" not in done.stderr


@pytest.mark.quick
@pytest.mark.real
def test_in_a_shell_script(job: Home, tmp_path: Path) -> None:
    """The identity from a file, and the expiry out of the JSON."""
    script = blocks("sh")[1].replace("TOKENCTL_CLIENT_ID=ci", "TOKENCTL_CLIENT_ID=job")
    (tmp_path / "token").write_text(identity())
    with available(), OidcProvider(platform=platform()) as provider:
        script = script.replace("https://login.example.com", provider.issuer)
        done = sh(job, script.replace("/run/identity/token", str(tmp_path / "token")))
        assert done.returncode == 0 and re.search(r"lives until \d{10}", done.stdout), done.stderr


@pytest.mark.real
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can become nobody")
def test_nobody_without_a_home_writes_nothing(demo_server: FaultyServer) -> None:
    """With four variables, as a user without a home or a name, and watched by strace, no file is written."""
    with available():
        for name in ("strace", "setpriv"):
            if shutil.which(name) is None:
                raise Missing(f"no {name} on PATH")
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "TOKENCTL_ISSUER": demo_server.issuer,
        "TOKENCTL_CLIENT_ID": "tokenctl-demo-ci",
        "TOKENCTL_CLIENT_SECRET": "demo-ci-secret",
    }
    calls = "trace=open,openat,creat,mkdir,mkdirat,rename,renameat2,unlink,unlinkat,link,symlink,truncate"
    users = [["setpriv", "--reuid", user, "--regid", user, "--clear-groups"] for user in ("65534", "54321")]
    # An interpreter in root's own folder nobody can start: there it is root who writes nothing.
    able = [each for each in users if subprocess.run([*each, COMMAND[0], "-c", ""], check=False).returncode == 0]
    for drop in able or [[]]:
        done = subprocess.run(
            ["strace", "-f", "-e", calls, *drop, *COMMAND, "exec", "--", "printenv", "ACCESS_TOKEN"],
            env=environ,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0 and done.stdout.count(".") == 2, done.stderr[-2000:]
        writes = [
            line
            for line in done.stderr.splitlines()
            if re.search(r"O_WRONLY|O_RDWR|O_CREAT|(mkdir|rename|unlink|link|truncate)\w*\(", line)
            and "/dev/null" not in line
            and "/dev/tty" not in line
        ]
        assert writes == []
