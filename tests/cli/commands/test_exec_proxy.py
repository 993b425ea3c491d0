"""`tokenctl exec --proxy`: the command has an address and a secret, and nowhere a token."""

import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.killing.scene import wait_until
from tests.servers.bearer_api import BearerApi
from tests.servers.faulty_server import FaultyServer
from tests.support.commandline import LONG, Home, Started
from tokenctl.cli import main as cli
from tokenctl.handoff.environment import of_proxy, variables, without_other_proxy

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and processes of POSIX")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--bind",), "add --proxy URL"),
        (("--allow", "GET /"), "add --proxy URL"),
        (("--proxy", "https://a.example", "--token-file"), "contradicts"),
        (("--proxy", "https://a.example", "--on-refresh", "signal:HUP"), "contradicts"),
        (("--proxy", " "), "it is empty"),
    ],
)
def test_options_that_contradict_each_other(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are told before anything else, with the exit status of a command that was not started."""
    assert cli.run(("exec", *words, "--", "true")) == 125
    assert said in capsys.readouterr().err


def test_a_template_can_name_the_proxy() -> None:
    """What would be the token is the secret, and there is no expiry time."""
    known = of_proxy("http://127.0.0.1:1", "s3cret")
    assert variables((), known) == {"ACCESS_TOKEN": "s3cret"}
    wanted = ("URL={proxy_url}/v1", "KEY={proxy_secret}", "BOTH={access_token} {expires_at}", "NAME")
    assert variables(wanted, known) == {
        "URL": "http://127.0.0.1:1/v1",
        "KEY": "s3cret",
        "BOTH": "s3cret ",
        "NAME": "s3cret",
    }


@pytest.mark.parametrize(
    ("environ", "hosts"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"no_proxy": "a.example"}, "a.example,127.0.0.1,localhost"),
        ({"NO_PROXY": "b.example"}, "b.example,127.0.0.1,localhost"),
        ({"no_proxy": "*"}, "*"),
    ],
)
def test_requests_to_the_proxy_go_through_no_other_one(environ: dict[str, str], hosts: str) -> None:
    """An HTTP proxy that the environment names would get the secret."""
    assert without_other_proxy(environ) == {"no_proxy": hosts, "NO_PROXY": hosts}


# -- commands that run ---------------------------------------------------------------------------------------


@pytest.fixture
def signed_in(home: Home, demo_server: FaultyServer) -> Home:
    """A HOME that is signed in, with a runtime folder of its own."""
    assert home.login(demo_server.issuer).status == 0
    folder = home.folder / "run"
    folder.mkdir(mode=0o700)
    home.environ["XDG_RUNTIME_DIR"] = str(folder)
    return home


@pytest.fixture
def api(demo_server: FaultyServer, tmp_path: Path) -> Iterator[BearerApi]:
    """An API that wants a token of the server."""
    with BearerApi(demo_server, tmp_path) as api:
        yield api


def proxied(api: BearerApi, *options: str) -> tuple[str, ...]:
    """Make the words before the command."""
    return ("exec", "--proxy", api.origin, "--bind", *options, "--")


SHOW = "import json, os; print(json.dumps(dict(os.environ)))"

LOOK = """
import json, os, urllib.request
request = urllib.request.Request(os.environ["ACCESS_PROXY_URL"] + "/x")
request.add_header("Authorization", "Bearer " + os.environ["ACCESS_TOKEN"])
answer = urllib.request.urlopen(request).read().decode()
seen = {"answer": answer}
for process in (os.getpid(), os.getppid()):
    for name in ("environ", "cmdline"):
        with open(f"/proc/{process}/{name}", "rb") as file:
            seen[f"{process} {name}"] = file.read().decode("latin-1")
    for number in os.listdir(f"/proc/{process}/fd"):
        path = f"/proc/{process}/fd/{number}"
        try:
            seen[f"{process} {number}"] = os.readlink(path)
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    seen[f"{process} {number}"] = file.read().decode("latin-1")
        except OSError:
            pass
seen["own descriptors"] = sorted(int(each) for each in os.listdir("/proc/self/fd"))
print(json.dumps(seen))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_no_token_is_anywhere_near_the_command(signed_in: Home, api: BearerApi) -> None:
    """Not in its environment, arguments and open files, nor in those of tokenctl; and it has its requests answered."""
    result = signed_in.run(*proxied(api), sys.executable, "-c", LOOK)
    assert result.status == 0, result.stderr
    seen = json.loads(result.stdout)
    assert json.loads(seen.pop("answer"))["target"] == "/x"
    (arrived,) = api.seen[0].all("Authorization")
    token = arrived.removeprefix("Bearer ")
    assert token == signed_in.run("token").stdout.strip()
    assert len(seen.pop("own descriptors")) == 4  # the standard streams, and the list itself
    for part in (token, *token.split(".")[1:]):
        assert not [where for where, text in seen.items() if part in text]
    assert not list(Path(signed_in.environ["XDG_RUNTIME_DIR"]).iterdir())


def test_what_the_command_finds(signed_in: Home, api: BearerApi) -> None:
    """The address and the secret, new each time; nothing of an exec around it, and no expiry time."""
    outer = {f"ACCESS_{name}": "outer" for name in ("TOKEN", "TOKEN_FILE", "TOKEN_EXPIRES_AT", "PROXY_SECRET")}
    environs = []
    for _ in range(2):
        result = signed_in.run(*proxied(api), sys.executable, "-c", SHOW, environ=outer)
        assert result.status == 0 and result.stderr == "", result.stderr
        environs.append(json.loads(result.stdout))
    for each in environs:
        assert each["ACCESS_PROXY_URL"].startswith("http://127.0.0.1:")
        assert each["ACCESS_TOKEN"] == each["ACCESS_PROXY_SECRET"] and len(each["ACCESS_TOKEN"]) == 43
        assert "outer" not in each.values() and not {"ACCESS_TOKEN_EXPIRES_AT", "ACCESS_TOKEN_FILE"} & each.keys()
        assert "TOKENCTL_PASSPHRASE_FILE" not in each
    assert environs[0]["ACCESS_TOKEN"] != environs[1]["ACCESS_TOKEN"]
    plain = signed_in.run("exec", "--", sys.executable, "-c", SHOW, environ=outer | {"ACCESS_PROXY_URL": "outer"})
    assert "outer" not in json.loads(plain.stdout).values()


def test_templates_and_the_variable_of_the_profile(signed_in: Home, api: BearerApi) -> None:
    """--env and the profile's `env` have the secret; without --proxy there is no placeholder of a proxy."""
    signed_in.config.write_text(signed_in.config.read_text() + 'env = "API_TOKEN"\n')
    script = 'test "$API_TOKEN" = "$ACCESS_PROXY_SECRET" && test -z "$ACCESS_TOKEN"'
    assert signed_in.run(*proxied(api), "sh", "-c", script).status == 0
    given = ("--env", "BASE={proxy_url}/v1", "--env", "KEY={proxy_secret}")
    script = 'test "$BASE" = "$ACCESS_PROXY_URL/v1" && test "$KEY" = "$ACCESS_PROXY_SECRET" && test -z "$API_TOKEN"'
    assert signed_in.run(*proxied(api, *given), "sh", "-c", script).status == 0
    result = signed_in.run("exec", *given, "--", "true")
    assert result.status == 125 and "the placeholders are: {access_token}, {expires_at}" in result.stderr


def test_its_exit_status_and_its_streams(signed_in: Home, api: BearerApi) -> None:
    """They are the command's; 126 and 127 as without a proxy."""
    for status in (0, 42):
        result = signed_in.run(*proxied(api), "sh", "-c", f"cat; exit {status}", stdin="words")
        assert (result.status, result.stdout, result.stderr) == (status, "words", "")
    assert signed_in.run(*proxied(api), "sh", "-c", "kill -9 $$").status == 137
    assert signed_in.run(*proxied(api), "no-such-command").status == 127
    assert signed_in.run(*proxied(api), str(signed_in.folder)).status == 126


def test_a_dead_session_is_told_at_once(signed_in: Home, api: BearerApi) -> None:
    """The command is not started; neither for a server that is not bound."""
    unbound = signed_in.run("exec", "--proxy", api.origin, "--", "echo", "started")
    assert (unbound.status, unbound.stdout) == (125, "") and "is bound to" in unbound.stderr
    signed_in.run("revoke")
    dead = signed_in.run(*proxied(api), "echo", "started")
    assert (dead.status, dead.stdout) == (125, "") and "not signed in" in dead.stderr


def test_a_log_of_github_hides_both(signed_in: Home, api: BearerApi) -> None:
    """The secret and the token, before the command can print one of them."""
    words = (*proxied(api)[:1], "-p", "t", *proxied(api)[1:], "sh", "-c", 'echo "$ACCESS_TOKEN"')
    result = signed_in.run(*words, environ={"GITHUB_ACTIONS": "true"})
    token = signed_in.run("token").stdout.strip()
    assert f"::add-mask::{result.stdout}" in result.stderr and f"::add-mask::{token}\n" in result.stderr


CHILD = 'echo "$ACCESS_PROXY_URL" > "$HOME/child.new"; mv "$HOME/child.new" "$HOME/child"; '


@contextlib.contextmanager
def running(home: Home, api: BearerApi, script: str) -> Iterator[tuple[Started, int]]:
    """Run a command of the shell; its process, and the port of its proxy."""
    with home.start(*proxied(api), "sh", "-c", CHILD + script) as process:
        wait_until(lambda: (home.folder / "child").exists() or process.poll() is not None)
        yield process, int((home.folder / "child").read_text().rpartition(":")[2])


def listens(port: int) -> bool:
    """Tell whether somebody listens on the port."""
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_is_for_the_command(signed_in: Home, api: BearerApi, number: signal.Signals) -> None:
    """The command decides what becomes of it; the proxy is there as long as the command, and no longer."""
    trap = f'trap "exit 42" {int(number)}; touch "$HOME/ready"; while :; do sleep 0.05; done'
    with running(signed_in, api, trap) as (process, port):
        wait_until(lambda: (signed_in.folder / "ready").exists())
        assert listens(port)
        process.send_signal(number)
        assert process.wait(LONG) == 42
    assert not listens(port)


def test_the_proxy_ends_with_the_command(signed_in: Home, api: BearerApi) -> None:
    """Also when the command leaves a process behind, which has no descriptor of the proxy."""
    left = 'sleep 600 >/dev/null 2>&1 & echo $! > "$HOME/left"; exit 7'
    with running(signed_in, api, left) as (process, port):
        assert process.wait(LONG) == 7
        process_left = int((signed_in.folder / "left").read_text())
        try:
            assert not listens(port)
        finally:
            os.kill(process_left, signal.SIGKILL)
