"""CI, as the help page tells it: each example runs, with and without a signed-in person on the machine."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from tests.servers.faulty_server import FaultyServer, json_reply
from tests.servers.oidc_provider import OidcProvider
from tests.support.commandline import COMMAND, Home
from tests.support.demo_server import Make
from tests.support.job_identity import identity, platform
from tests.support.paths import ROOT
from tests.support.pipelines import INSTALL, at, block, blocks, on_github, on_gitlab, sh
from tests.support.real_parts import Missing, available
from tokenctl import __version__
from tokenctl.cli.commands import load
from tokenctl.cli.help import TOPICS, page
from tokenctl.cli.program import COMMANDS, tokenctl
from tokenctl.config import variables
from tokenctl.config.environment import JOBS
from tokenctl.oauth.claims import unverified_claims

SECRET = "demo-ci-secret"


@pytest.fixture
def job(tmp_path: Path) -> Home:
    """A HOME without anything in it, with tokenctl in its PATH and a checkout whose programs show their token."""
    home = Home(tmp_path / "home", store="keyring")
    (home.folder / "passphrase").unlink()
    tools = tmp_path / "bin"
    tools.mkdir()
    for path, text in {
        tools / "tokenctl": f'exec {" ".join(COMMAND)} "$@"',
        tmp_path / "build.sh": 'echo "$ACCESS_TOKEN"',
        tmp_path / "publish.sh": 'printf "%s" "$ACCESS_TOKEN"',
    }.items():
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    home.environ["PATH"] = f"{tools}:{os.environ['PATH']}"
    return home


@pytest.fixture(params=["empty", "of a person"])
def machine(request: pytest.FixtureRequest, job: Home, make_server: Make) -> Iterator[Home]:
    """A job's machine: with an empty HOME, or with a signed-in person whose session every process can reach.

    In the end the person's session is as it was, and the job has left nothing.
    """
    if request.param == "of a person":
        server = make_server()
        passphrase = {"TOKENCTL_PASSPHRASE": "a person's"}
        assert job.login(server.issuer, "--store", "file", profile="me", environ=passphrase).status == 0
        opened = 'passphrase_command = ["echo", "a person\'s"]'
        job.write_config(f"{job.config.read_text()}{opened}\n")
        assert job.run("token").stdout.count(".") == 2  # so a job could reach it, if it was not refused
    before = job.snapshot()
    yield job
    assert job.snapshot() == before


@pytest.fixture
def identities() -> Iterator[OidcProvider]:
    """A certified server that exchanges the identities of a platform."""
    with available(), OidcProvider(platform=platform()) as provider:
        yield provider


@pytest.fixture
def runner(make_server: Make) -> FaultyServer:
    """What gives a job on GitHub its identity, when it shows the job's own token."""
    server = make_server()

    def give(request: Any) -> Any:
        shown = request.headers.get("authorization")
        return json_reply({"value": identity()}, 200 if shown == "Bearer job-secret" else 401)

    server.overrides = {"/identity": give}
    return server


def secret_file(folder: Path, script: str) -> str:
    """Put the client secret where the example has it."""
    (folder / "secret").write_text(f"{SECRET}\n")
    (folder / "secret").chmod(0o600)
    return script.replace("/run/secrets/client", str(folder / "secret"))


def is_of(issuer: str, token: str) -> bool:
    """Tell whether a token is a JWT of this server; a person's is another's."""
    return unverified_claims(token.strip()).get("iss") == issuer


# -- pipelines -------------------------------------------------------------------------------------


@pytest.mark.real
def test_on_github_with_an_identity(machine: Home, identities: OidcProvider, runner: FaultyServer) -> None:
    """The workflow runs as it stands, and the token is masked on stderr before the child begins; a fork gets nothing."""
    workflow = at(block("yaml", "id-token: write"), identities.issuer, "job")
    done = on_github(machine, workflow, runner=runner.issuer)
    assert done.returncode == 0 and is_of(identities.issuer, done.stdout), done.stderr
    assert done.stderr.splitlines()[0] == f"::add-mask::{done.stdout}"
    fork = on_github(machine, workflow, runner=runner.issuer, fork=True)
    assert_refused(fork, "GitHub: the permission")
    assert identities.count(route="token") == 1


def test_on_github_with_a_secret(machine: Home, demo_server: FaultyServer) -> None:
    """The workflow runs as it stands; in a pull request from a fork the secret is empty, and nothing is sent."""
    workflow = at(block("yaml", "secrets."), demo_server.issuer, "tokenctl-demo-ci")
    done = on_github(machine, workflow, secrets={"TOKENCTL_CLIENT_SECRET": SECRET})
    assert done.returncode == 0 and is_of(demo_server.issuer, done.stdout), done.stderr
    before = len(demo_server.requests)
    assert_refused(on_github(machine, workflow, fork=True), "GitHub: the secret")
    assert len(demo_server.requests) == before


@pytest.mark.real
def test_on_gitlab_with_an_identity(machine: Home, identities: OidcProvider) -> None:
    """The job runs as it stands; elsewhere than on GitHub nothing is masked."""
    text = at(block("yaml", "id_tokens:"), identities.issuer, "job")
    done = on_gitlab(machine, text, identities.issuer)
    assert done.returncode == 0 and is_of(identities.issuer, done.stdout), done.stderr
    assert "add-mask" not in done.stderr


def test_on_gitlab_with_a_secret(machine: Home, demo_server: FaultyServer, tmp_path: Path) -> None:
    """A variable of the type File works as the page says; a protected one that is not there is named."""
    text = at(block("yaml", "id_tokens:"), demo_server.issuer, "tokenctl-demo-ci")
    text = re.sub(r"  id_tokens:\n.*\n.*aud.*\n", "", text)
    secret_file(tmp_path, "")
    file = {"TOKENCTL_CLIENT_SECRET_FILE": str(tmp_path / "secret")}
    done = on_gitlab(machine, text, demo_server.issuer, file)
    assert done.returncode == 0 and is_of(demo_server.issuer, done.stdout), done.stderr
    before = len(demo_server.requests)
    assert_refused(on_gitlab(machine, text, demo_server.issuer), "GitLab: a protected")
    left = on_gitlab(machine, text, demo_server.issuer, {"TOKENCTL_CLIENT_SECRET": "$OTHER"})
    assert_refused(left, "GitLab, Azure: ")
    nothing = text.replace("    TOKENCTL_ISSUER", "    NOT_OURS").replace("    TOKENCTL_CLIENT_ID", "    NOR_OURS")
    all_protected = on_gitlab(machine, nothing, demo_server.issuer)
    assert (all_protected.returncode, all_protected.stdout) == (125, "")
    assert "CI is set, and" in all_protected.stderr and len(demo_server.requests) == before


def assert_refused(done: "subprocess.CompletedProcess[str]", row: str) -> None:
    """The step failed with 125 before the command began, and said what the page's row has as its message."""
    (line,) = [each for each in page("ci").splitlines() if each.startswith(f"| {row}")]
    message = line.split("|")[2].strip().strip("`")
    assert (done.returncode, done.stdout) == (125, ""), done
    assert done.stderr.count("tokenctl: error: ") == 1 and message in done.stderr


# -- scripts ---------------------------------------------------------------------------------------


def test_a_script_with_a_client_secret(machine: Home, demo_server: FaultyServer, tmp_path: Path) -> None:
    """Three variables and exec, as the page writes them."""
    script = at(block("sh", "pipx", "TOKENCTL_CLIENT_SECRET_FILE"), demo_server.issuer, "tokenctl-demo-ci")
    done = sh(machine, secret_file(tmp_path, script))
    assert done.returncode == 0 and is_of(demo_server.issuer, done.stdout), done.stderr


@pytest.mark.real
def test_a_script_with_an_identity(machine: Home, identities: OidcProvider, tmp_path: Path) -> None:
    """The identity comes from a file, which alone says the flow."""
    script = at(block("sh", "TOKENCTL_ID_TOKEN_FILE"), identities.issuer, "job")
    (tmp_path / "token").write_text(identity())
    done = sh(machine, script.replace("/run/identity/token", str(tmp_path / "token")))
    assert done.returncode == 0 and is_of(identities.issuer, done.stdout), done.stderr


CURL = [each for each in blocks("sh") if "curl" in each]


@pytest.mark.quick
@pytest.mark.parametrize("example", CURL, ids=range(len(CURL)))
def test_a_script_with_curl(job: Home, demo_server: FaultyServer, tmp_path: Path, example: str) -> None:
    """The real curl takes the header from a pipe, and the API answers."""
    with available():
        if shutil.which("curl") is None:
            raise Missing("no curl on PATH")
    script = secret_file(tmp_path, at(example, demo_server.issuer, "tokenctl-demo-ci"))
    done = sh(job, script.replace("https://api.example.com/releases", f"{demo_server.issuer}/api/hello"))
    assert done.returncode == 0 and done.stdout.strip(), done.stderr
    assert demo_server.requests[-1].headers["authorization"].startswith("Bearer ")


def test_a_script_tells_failures_apart(job: Home, demo_server: FaultyServer, tmp_path: Path) -> None:
    """An empty variable, a server that refuses, and one that is away each end the script in their own way."""
    example = block("sh", "case $status").replace("--wait 2m", "--wait 1s")  # a test has no two minutes
    script = secret_file(tmp_path, at(example, demo_server.issuer, "tokenctl-demo-ci"))
    wrong = sh(job, script.replace("=tokenctl-demo-ci", "="))
    assert wrong.returncode == 1 and "a variable of this job is wrong" in wrong.stderr
    assert "TOKENCTL_CLIENT_ID is set and empty" in wrong.stderr
    refused = sh(job, script.replace("=tokenctl-demo-ci", "=nobody"))
    assert refused.returncode == 5, refused
    away = sh(job, script.replace(demo_server.issuer, "http://127.0.0.1:9"))
    assert away.returncode == 1 and "the server is away" in away.stderr
    assert not any("/api" in each.path for each in demo_server.requests)


def test_the_calls_of_one_job_share_a_session(machine: Home, demo_server: FaultyServer, tmp_path: Path) -> None:
    """With the file store the first call signs in, the others take what it got, and the last one ends it."""
    script = secret_file(tmp_path, at(block("sh", "TOKENCTL_STORE=file"), demo_server.issuer, "tokenctl-demo-ci"))
    states = tmp_path / "states"
    states.mkdir()
    done = sh(machine, script, {"TMPDIR": str(states)})
    build, publish = done.stdout.splitlines()
    assert done.returncode == 0 and build == publish and is_of(demo_server.issuer, build), done.stderr
    assert demo_server.count("/token", "client_credentials") == 1 and not list(states.rglob("*.sealed"))


def test_ten_calls_at_once_make_one_sign_in(job: Home, demo_server: FaultyServer) -> None:
    """They share what the first one got."""
    job.environ |= {
        "TOKENCTL_ISSUER": demo_server.issuer,
        "TOKENCTL_CLIENT_ID": "tokenctl-demo-ci",
        "TOKENCTL_CLIENT_SECRET": SECRET,
        "TOKENCTL_STORE": "file",
        "TOKENCTL_PASSPHRASE": "of-this-job",
    }
    assert len({each.stdout for each in job.race(10, "token")}) == 1
    assert demo_server.count("/token", "client_credentials") == 1


@pytest.mark.quick
@pytest.mark.parametrize(
    "words", [("login",), ("login", "--flow", "browser", "--no-browser"), ("login", "--flow", "device")]
)
def test_a_job_does_not_wait_for_a_person(job: Home, demo_server: FaultyServer, words: tuple[str, ...]) -> None:
    """A sign-in of the environment's client that a person would have to finish is refused before anything is sent."""
    environ = {"CI": "true", "TOKENCTL_ISSUER": demo_server.issuer, "TOKENCTL_CLIENT_ID": "tokenctl-demo"}
    result = job.run(*words, environ=environ)
    assert (result.status, demo_server.requests) == (2, []) and "TOKENCTL_CLIENT_SECRET" in result.stderr


# -- the pages -------------------------------------------------------------------------------------


def test_every_pipeline_installs_this_version() -> None:
    """Each example installs tokenctl, pinned to the version that the page belongs to."""
    pipelines = blocks("yaml") + [each for each in blocks("sh") if "./publish.sh" in each and "STORE" not in each]
    assert len(pipelines) == 5
    for each in pipelines:
        scripts = re.sub(r"^ *- (run: )?", "", each, flags=re.MULTILINE)
        assert [found[2] for found in INSTALL.finditer(scripts)] == [__version__], each
    for text in (page("ci"), (ROOT / "README.md").read_text()):
        assert set(re.findall(r"tokenctl==([\w.]+)", text)) <= {__version__}
    lines = [line for language in ("yaml", "sh") for each in blocks(language) for line in each.splitlines()]
    assert max(map(len, lines)) <= 78  # longer ones would be broken at a terminal of 80 columns


@pytest.mark.parametrize("source", [*TOPICS, *COMMANDS, "tokenctl"])
def test_no_example_puts_a_token_into_an_argument(source: str) -> None:
    """A token in argv is seen by every user of the machine: examples use a pipe, a variable or exec."""
    command = tokenctl if source == "tokenctl" else load(source)
    text = page(source) if source in TOPICS else command.get_help(click.Context(command)) if command else ""
    assert "tokenctl" in text or source in COMMANDS
    assert not re.search(r"(?<!=)[\"']?\$\(tokenctl token|`tokenctl token[^`]*`\"|-H [\"'][^\"']*\$", text)


def test_the_page_names_every_variable() -> None:
    """The page `environment` has each variable of tokenctl, and no other."""
    named = set(re.findall(r"TOKENCTL_[A-Z_]+[A-Z]", page("environment")))
    assert named == set(variables.NAMES)
    assert all(f"`{name}`" in page("environment") for job in JOBS for name in job)


# -- other users -----------------------------------------------------------------------------------


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
