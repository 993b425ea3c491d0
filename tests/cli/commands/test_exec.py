"""`tokenctl exec`."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.support.commandline import LONG, Home
from tests.support.demo_server import Make
from tokenctl.oauth.claims import unverified_claims


@pytest.fixture
def signed_in(home: Home, demo_server: FaultyServer) -> Home:
    """A HOME that is signed in to the demo server."""
    assert home.login(demo_server.issuer).status == 0
    return home


@pytest.mark.quick
def test_the_child_gets_the_token_and_its_expiry(signed_in: Home) -> None:
    """ACCESS_TOKEN and ACCESS_TOKEN_EXPIRES_AT are set, and the child's stdout is its own."""
    result = signed_in.run("exec", "--", "sh", "-c", 'printf "%s\\n%s" "$ACCESS_TOKEN" "$ACCESS_TOKEN_EXPIRES_AT"')
    token, expires_at = result.stdout.split("\n")
    assert token == signed_in.run("token").stdout.strip()
    assert 0 < int(expires_at) - time.time() <= 900
    assert result.stderr == ""


def test_env_names_and_templates(signed_in: Home) -> None:
    """--env chooses the variables, with a template if it has one, and replaces ACCESS_TOKEN."""
    result = signed_in.run(
        *("exec", "--env", "GITLAB_TOKEN", "--env", "AUTH=Bearer {access_token}", "--"),
        *("sh", "-c", 'test "$AUTH" = "Bearer $GITLAB_TOKEN" && test -z "$ACCESS_TOKEN"'),
    )
    assert result.status == 0, result.stderr


def test_the_profile_names_the_variable(signed_in: Home) -> None:
    """A profile's `env` is used where no --env is given."""
    signed_in.config.write_text(signed_in.config.read_text() + 'env = "API_TOKEN"\n')
    assert signed_in.run("exec", "--", "sh", "-c", 'test -n "$API_TOKEN" && test -z "$ACCESS_TOKEN"').status == 0


def test_no_secret_of_ours_reaches_the_child(signed_in: Home) -> None:
    """The passphrase and every other TOKENCTL_* secret are taken out, and there is no refresh token."""
    # A person's profile takes no secret from the environment, unless it names its client authentication.
    signed_in.config.write_text(signed_in.config.read_text() + 'token_endpoint_auth_method = "client_secret_basic"\n')
    seen = signed_in.run("exec", "--", "env", environ={"TOKENCTL_CLIENT_SECRET": "s3cret-canary"}).stdout
    assert "TOKENCTL_PASSPHRASE" not in seen and "s3cret-canary" not in seen
    assert "TOKENCTL_STATE_DIR" in seen  # what is no secret stays, so that a nested tokenctl works
    assert "refresh" not in seen.lower()


@pytest.mark.parametrize("status", [0, 1, 42, 255])
def test_the_exit_status_is_the_childs(signed_in: Home, status: int) -> None:
    """The child's exit status is handed on."""
    assert signed_in.run("exec", "--", "sh", "-c", f"exit {status}").status == status


def test_not_found_and_not_executable(signed_in: Home, tmp_path: Path) -> None:
    """A command that is missing is 127, one that cannot be run is 126."""
    (tmp_path / "plain").write_text("not a program")
    (tmp_path / "odd").write_text("not a program either")
    (tmp_path / "odd").chmod(0o755)
    for word, status in (
        ("no-such-command", 127),
        (str(tmp_path / "plain"), 126),
        (str(tmp_path), 126),
        (str(tmp_path / "odd"), 126),
    ):
        result = signed_in.run("exec", "--", word)
        assert (result.status, result.stdout) == (status, "")
        assert result.stderr.startswith("tokenctl: error: ")
    assert "is a folder, not a command" in signed_in.run("exec", "--", str(tmp_path)).stderr


def test_without_a_session_it_is_125(signed_in: Home) -> None:
    """What fails before the child starts is 125, with the reason on stderr."""
    signed_in.run("revoke")
    result = signed_in.run("exec", "--", "true")
    assert result.status == 125 and "not signed in" in result.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_signals_reach_the_child_alone(signed_in: Home) -> None:
    """On POSIX the process is the child: a signal ends it as it would without us."""
    with signed_in.start("exec", "--", "sleep", "60") as process:
        deadline = time.monotonic() + LONG
        while Path(f"/proc/{process.pid}/comm").read_text().strip() != "sleep":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=LONG)
    assert process.returncode == -signal.SIGTERM


def test_the_child_has_the_default_dispositions(signed_in: Home) -> None:
    """SIGPIPE and SIGXFSZ, which Python ignores, are restored for the child."""
    code = "import signal; print(signal.getsignal(signal.SIGPIPE) == signal.SIG_DFL)"
    probe = "with open('/proc/self/status') as f: print([l for l in f if l.startswith('SigIgn')][0].split()[1])"
    ignored = int(signed_in.run("exec", "--", sys.executable, "-c", f"import os\n{probe}").stdout, 16)
    # Python, the child here, ignores SIGPIPE and SIGXFSZ by itself; a shell does not.
    shell = int(signed_in.run("exec", "--", "sh", "-c", "grep SigIgn /proc/self/status | cut -f2").stdout, 16)
    assert ignored and code
    assert shell & (1 << (signal.SIGPIPE - 1)) == 0 and shell & (1 << (signal.SIGXFSZ - 1)) == 0


def test_a_long_child_finds_a_fresh_token_in_its_file(home: Home, make_server: Make) -> None:
    """--token-file keeps the file fresh while the child runs, and takes it away at the end."""
    server = make_server(access_token_lifetime=4)
    home.login(server.issuer)
    child = (
        "import os, time\npath = os.environ['ACCESS_TOKEN_FILE']\nseen = set()\nend = time.time() + 300\n"
        "while len(seen) < 2 and time.time() < end:\n    seen.add(open(path).read()); time.sleep(0.1)\n"
        "assert all(each == each.strip() for each in seen)\nprint(len(seen), oct(os.stat(path).st_mode & 0o777), path)"
    )
    result = home.run("exec", "--token-file", "--", sys.executable, "-c", child)
    assert result.status == 0, result.stderr
    count, mode, path = result.stdout.split()
    assert int(count) >= 2 and mode == "0o600"
    assert not Path(path).exists()
    assert server.reuse_detections == 0


def test_a_template_can_name_the_token_file(signed_in: Home) -> None:
    """With --token-file alone: for a program that looks for the file's name in a variable of its own."""
    words = ("--env", "MY_FILE={token_file}", "--", "sh", "-c", 'test -z "$ACCESS_TOKEN" && cat "$MY_FILE"')
    result = signed_in.run("exec", "--token-file", *words)
    assert (result.status, result.stdout + "\n") == (0, signed_in.run("token").stdout)
    result = signed_in.run("exec", *words)
    assert result.status == 125 and "there is no placeholder '{token_file}'" in result.stderr


def test_a_command_can_get_less_than_the_session(home: Home, demo_server: FaultyServer) -> None:
    """--scope, --resource and --audience do what they do for `token`: the same narrower token, and the session stays."""
    assert home.login(demo_server.issuer, "--scope", "openid offline_access api read").status == 0
    own = home.run("token").stdout
    less = ("--scope", "api")
    given = home.run("exec", *less, "--", "printenv", "ACCESS_TOKEN")
    assert given.stdout == home.run("token", *less).stdout != own, given.stderr
    assert unverified_claims(given.stdout.strip())["scope"] == "api"
    for option, value in (("--resource", "not an address"), ("--scope", " "), ("--audience", "urn:other")):
        refused = home.run("exec", option, value, "--", "echo", "started")
        assert (refused.status, refused.stdout) == (125, ""), refused.stderr
        said = home.run("token", option, value).stderr
        assert refused.stderr.splitlines()[-2] == said.splitlines()[-2], "one reason for both"


TOLD = """
import os, signal, sys
path = os.environ["ACCESS_TOKEN_FILE"]
seen = [open(path).read()]
def told(*_):
    seen.append(open(path).read())
    if len(seen) == 3:
        print(len(set(seen)), *seen, sep="\\n")
        sys.exit(0)
signal.signal(getattr(signal, sys.argv[1]), told)
open(os.path.join(os.environ["HOME"], "ready"), "w")
while True:
    signal.pause()
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_renewal_is_told_by_a_signal(home: Home, make_server: Make) -> None:
    """With --on-refresh the command gets the signal once the file has the new token, of a narrower one too."""
    server = make_server(access_token_lifetime=4)
    home.login(server.issuer, "--scope", "openid offline_access api")
    options = ("--token-file", "--on-refresh", "signal:HUP", "--scope", "api")
    result = home.run("exec", *options, "--", sys.executable, "-c", TOLD, "SIGHUP")
    assert result.status == 0, result.stderr
    count, *tokens = result.stdout.split()
    assert count == "3" and {unverified_claims(each)["scope"] for each in tokens} == {"api"}
    assert server.reuse_detections == 0


def test_a_renewal_that_cannot_be_told(home: Home) -> None:
    """It is a usage error before anything else."""
    for words, said in (
        (("--on-refresh", "signal:HUP"), "needs --token-file"),
        (("--token-file", "--on-refresh", "signal:NONSENSE"), "there is no signal"),
        (("--token-file", "--on-refresh", "HUP"), "signal:HUP"),
    ):
        result = home.run("exec", *words, "--", "echo", "started")
        assert (result.status, result.stdout) == (125, "") and said in result.stderr, words
