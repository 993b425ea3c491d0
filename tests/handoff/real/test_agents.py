"""Claude Code and Codex: how they call api-key and mcp-headers, and what they read.

They do not run here. Each test runs the command as they do, from a process that stands for them: a client is known by
its process. Claude Code runs `apiKeyHelper` and `headersHelper` by /bin/sh, the second one with the server's URL in the
environment. Codex runs `auth.command` with `auth.args`, without a shell, and with /dev/null as stdin.

Measured once with codex-cli 0.169.0 from npm (404 MB), set up by `helper install codex`, at a Responses API on loopback
that checks the token. Fresh, and expired: one call for `codex exec`, and each of its four requests had the token. The
API refused the token: Codex called again at once from the same process, got a renewed token, and ended well, with one
renewal. Signed out: Codex showed our two lines from stderr and the exit status 4, called 13 times in all, sent its
requests without an Authorization, and ended with 1.
"""

import json
import shlex
import sys
from collections.abc import Iterator

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.support.aging import age
from tests.support.commandline import COMMAND, Result
from tests.support.helped import Helped

CLIENT = """
import json, subprocess, sys
for command in json.loads(sys.argv[1]):
    done = subprocess.run(command, shell=isinstance(command, str), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    print(json.dumps({"status": done.returncode, "stdout": done.stdout, "stderr": done.stderr}), flush=True)
"""
"""Runs commands one after the other: a text by /bin/sh, a list as it is."""
API_KEY = [*COMMAND, "helper", "api-key", "-p", "t"]
"""What `auth.command` and `auth.args` of Codex have; joined, the `apiKeyHelper` of Claude Code."""
CODEX_AND_CLAUDE = pytest.mark.parametrize("command", [API_KEY, shlex.join(API_KEY)], ids=["Codex", "Claude Code"])
MCP = shlex.join([*COMMAND, "helper", "mcp-headers"])
ORIGIN = "https://mcp.example.com"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Helped]:
    """Sign in for all tests of this file."""
    with FaultyServer(auto_approve=True) as authority:
        helped = Helped.signed_in(tmp_path_factory.mktemp("agents"), authority)
        helped.bind(ORIGIN)
        yield helped


@pytest.fixture
def helped(running: Helped) -> Helped:
    """The token has ten minutes of its fifteen, and was not obtained just now: then a renewal would wait a moment."""
    age(running.home, left=600)
    return running


def client(helped: Helped, *commands: str | list[str], **environ: str) -> list[Result]:
    """Run the commands in a client process of their own, and return what each left."""
    done = helped.run([sys.executable, "-c", CLIENT, json.dumps(commands)], environ)
    assert (done.status, done.stderr) == (0, "")
    return [Result(**json.loads(line)) for line in done.stdout.splitlines()]


def server(url: str = f"{ORIGIN}/mcp") -> dict[str, str]:
    """What Claude Code tells about an MCP server."""
    return {"CLAUDE_CODE_MCP_SERVER_NAME": "tickets", "CLAUDE_CODE_MCP_SERVER_URL": url}


def bearer(result: Result) -> str:
    """The token of a header that is as it must be, to the byte."""
    token: str = json.loads(result.stdout)["Authorization"].removeprefix("Bearer ")
    assert result == Result(status=0, stdout=f'{{"Authorization": "Bearer {token}"}}\n', stderr="")
    return token


# -- the key of a model ------------------------------------------------------------------------------------------


@CODEX_AND_CLAUDE
def test_the_key_is_the_token_and_lives_longer_than_it_is_kept(helped: Helped, command: str | list[str]) -> None:
    """With ten minutes left it is given as it is; with five, which is as long as a key is kept, it is renewed."""
    with helped.renewed(0):
        (fresh,) = client(helped, command)
    assert fresh == Result(status=0, stdout=fresh.stdout.strip() + "\n", stderr="")
    age(helped.home, left=300)
    with helped.renewed(1):
        (renewed,) = client(helped, command)
    assert renewed == Result(status=0, stdout=renewed.stdout.strip() + "\n", stderr="")
    assert helped.admits(fresh.stdout.strip()) and helped.admits(renewed.stdout.strip())
    assert fresh.stdout != renewed.stdout


@CODEX_AND_CLAUDE
def test_a_client_that_asks_again_early_gets_another_key_once(helped: Helped, command: str | list[str]) -> None:
    """Then the API refuses every token, and to renew would not help. Another client takes the newest one."""
    with helped.renewed(1):
        first, second, third = client(helped, command, command, command)
    assert first.stdout != second.stdout == third.stdout and third.status == 0
    with helped.renewed(0):
        (other,) = client(helped, command)
    assert other.stdout == second.stdout


def test_a_client_that_keeps_no_key_may_ask_as_often_as_it_likes(helped: Helped) -> None:
    """As mutt, which asks for each connection."""
    with helped.renewed(0):
        first, second = client(helped, *[[*API_KEY, "--ttl", "0"]] * 2)
    assert first == second and first.status == 0
    with helped.renewed(0):
        first, second = client(helped, *[shlex.join(API_KEY)] * 2, CLAUDE_CODE_API_KEY_HELPER_TTL_MS="0")
    assert first == second and first.status == 0


@CODEX_AND_CLAUDE
def test_the_reason_is_on_stderr_where_there_is_no_key(helped: Helped, command: str | list[str]) -> None:
    """Stdout is empty, so that nothing is taken for a key."""
    with helped.ended():
        (done,) = client(helped, command)
    assert (done.status, done.stdout) == (4, "") and "tokenctl login -p t" in done.stderr


# -- the header for an MCP server --------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [MCP, f"{MCP} -p t"], ids=["by the URL", "-p"])
def test_the_header_goes_to_a_bound_server_alone(helped: Helped, command: str) -> None:
    """Also where the profile is named: a configuration of a project can name it for a server of its own."""
    with helped.renewed(0):
        (bound,) = client(helped, command, **server())
        (other,) = client(helped, command, **server(f"{ORIGIN}.example/mcp"))
    assert helped.admits(bearer(bound))
    assert (other.status, other.stdout) == (2, "")
    assert f"bound to {ORIGIN}.example" in other.stderr and "hosts+=" in other.stderr


def test_without_a_url_the_profile_must_be_named(helped: Helped) -> None:
    """It is not enough that there is one profile only."""
    named, unnamed = client(helped, f"{MCP} -p t", MCP)
    assert helped.admits(bearer(named))
    assert (unnamed.status, unnamed.stdout) == (2, "") and "name the profile with -p" in unnamed.stderr


def test_a_header_that_was_refused_is_replaced_once(helped: Helped) -> None:
    """Claude Code asks again when it connects anew. Another server, and another client, were refused nothing."""
    other = f"CLAUDE_CODE_MCP_SERVER_URL={ORIGIN}/other {MCP}"
    with helped.renewed(1):
        first, apart, second, third = client(helped, MCP, other, MCP, MCP, **server())
    assert bearer(first) == bearer(apart) != bearer(second) == bearer(third)
    with helped.renewed(0):
        (later,) = client(helped, MCP, **server())
    assert bearer(later) == bearer(second)


def test_the_reason_is_on_stderr_where_there_is_no_header(helped: Helped) -> None:
    """Claude Code connects without the header then, so stdout has not even an empty object."""
    with helped.ended():
        (done,) = client(helped, MCP, **server())
    assert (done.status, done.stdout) == (4, "") and "tokenctl login -p t" in done.stderr
