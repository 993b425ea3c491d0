"""The Python API: what it loads, whom it asks, what it refuses, and that it leaves the program alone."""

import copy
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

import tokenctl
from tests.handoff.conftest import Account
from tests.servers.faulty_server import FaultyServer, Reply
from tests.support.commandline import LONG
from tests.support.flows import always, signed_in
from tests.support.paths import ROOT
from tests.support.real_parts import available, library
from tokenctl.model.event import document_of
from tokenctl.oauth.claims import unverified_claims
from tokenctl.storage.event_log import FOLDER, EventLog


def run(program: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program of its own, with warnings as errors."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )


# -- names -----------------------------------------------------------------------------------------


def test_an_import_loads_none_of_the_libraries() -> None:
    """`import tokenctl` is cheap, an error is too, and `TokenAuth` loads httpx when it is named."""
    ended = run(
        "import sys, tokenctl\n"
        "heavy = ('httpx', 'rich', 'jwt', 'click', 'keyring', 'requests', 'cryptography', 'anyio', 'asyncio')\n"
        "print([each for each in heavy if each in sys.modules])\n"
        "tokenctl.LoginRequired, tokenctl.__version__, tokenctl.AccessToken, tokenctl.access_token\n"
        "print([each for each in heavy if each in sys.modules])\n"
        "tokenctl.TokenAuth\n"
        "print('httpx' in sys.modules, 'requests' in sys.modules)\n"
        "tokenctl.RequestsAuth\n"
        "print('requests' in sys.modules)\n"
    )
    assert (ended.stdout.split("\n")[:4], ended.stderr) == (["[]", "[]", "True False", "False"], "")


def test_the_public_names_can_be_listed_and_imported() -> None:
    """`dir`, `import *` and each name by itself; another name is the usual error."""
    assert set(tokenctl.__all__) <= set(dir(tokenctl))
    names: dict[str, object] = {}
    exec("from tokenctl import *", names)
    assert set(tokenctl.__all__) <= set(names)
    assert all(getattr(names[each], "__doc__", None) for each in tokenctl.__all__)
    with pytest.raises(AttributeError, match="no attribute 'TokenAuht'"):
        _ = tokenctl.TokenAuht
    with pytest.raises(ImportError):
        exec("from tokenctl import nothing", {})


PROGRAM = """
import asyncio
import httpx
import tokenctl
from tokenctl import AccessToken, LoginRequired, TokenAuth, TokenctlError, access_token

token: AccessToken = access_token("work", min_ttl="15m", scope=["a", "b"])
until: int | None = token.expires_at
header: str = token.authorization
auth: httpx.Auth = TokenAuth(origins="https://api.example.com", min_ttl=90, resource={"https://api.example.com"})
client = httpx.Client(auth=TokenAuth("work", origins=["https://api.example.com"]))
try:
    client.get("https://api.example.com")
except LoginRequired as error:
    said: tuple[str, str | None, int] = (error.message, error.hint, error.exit_status)
except TokenctlError:
    raise
reveal_type(tokenctl.TokenAuth)
reveal_type(tokenctl.RequestsAuth("work"))
tokenctl.TokenAuth(7)
"""


@pytest.mark.slow
def test_the_types_are_those_of_the_documentation(tmp_path: Path) -> None:
    """A program that is checked strictly has the true types, and is told of a wrong one."""
    with available():
        library("mypy")
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", "program.py"]
    environ = {**os.environ, "MYPYPATH": str(ROOT)}
    ended = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=LONG, check=False
    )
    said = [line.partition(": ")[2] for line in ended.stdout.splitlines() if line.startswith("program.py")]
    assert [line.partition(": ")[0] for line in said] == ["note", "note", "error"], ended.stdout
    assert "-> tokenctl.handoff.token_auth.TokenAuth" in said[0] and "RequestsAuth" in said[1] and '"int"' in said[2]


# -- the token -------------------------------------------------------------------------------------


@pytest.mark.quick
def test_an_access_token_says_what_it_is_and_hides_its_value(account: Account) -> None:
    """Its members, and a text for people that has no secret."""
    token = tokenctl.access_token()
    assert (token.profile, token.token_type, token.scope) == ("t", "Bearer", account.session.scope)
    assert token.value == account.session.access_token and token.authorization == f"Bearer {token.value}"
    assert token.expires_at is not None and 0 < token.expires_at - time.time() <= 840
    assert not any(token.value in text for text in (repr(token), str(token), repr(tokenctl.TokenAuth())))


@pytest.mark.parametrize(("min_ttl", "count"), [(None, 0), ("7m", 0), (800, 1), ("15m", 1)])
def test_min_ttl_is_seconds_or_a_text(account: Account, min_ttl: int | str | None, count: int) -> None:
    """What has less time left is renewed; more than half of a token's life cannot be asked for."""
    account.age(left=440)
    tokenctl.access_token("t", min_ttl=min_ttl)
    assert account.refreshes == count


def test_a_narrower_token_is_one_for_the_target_alone(account: Account) -> None:
    """Its scope is what was asked for; the session keeps its own token. One that is refused is replaced."""
    narrow = tokenctl.access_token("t", scope=["api"])
    assert unverified_claims(narrow.value)["scope"] == "api" == narrow.scope
    assert tokenctl.access_token("t", scope="api").value == narrow.value
    assert tokenctl.access_token("t").value != narrow.value


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"profile": ""}, "profile must be"),
    ({"profile": 7}, "profile must be"),
    ({"profile": "nobody"}, "there is no profile"),
    ({"min_ttl": "soon"}, "min_ttl"),
    ({"min_ttl": -1}, "min_ttl"),
    ({"min_ttl": 1.5}, "min_ttl"),
    ({"min_ttl": True}, "min_ttl"),
    ({"scope": 7}, "scope must be"),
    ({"scope": [None]}, "scope must be"),
    ({"resource": [b"https://api.example.com"]}, "resource must be"),
    ({"resource": "not a URI"}, "resource"),
    ({"audience": ["a", "b"]}, "audience"),
    ({"origins": "api.example.com"}, "'api.example.com' is not an origin"),
    ({"origins": ["https://api.example.com/v1"]}, "more than an origin"),
    ({"origins": ["http://api.example.com"]}, "must be https"),
    ({"origins": 7}, "origins must be"),
    ({"origins": [None]}, "origins must be"),
    ({"origins": []}, "nothing says which server"),
    ({"origins": ""}, "nothing says which server"),
]


def test_a_wrong_argument_is_told_when_the_object_is_made(account: Account) -> None:
    """The message names the argument, and says what is wrong with it."""
    for arguments, text in WRONG:
        for make in (tokenctl.TokenAuth, tokenctl.RequestsAuth):
            with pytest.raises(tokenctl.UsageError) as caught:
                make(**arguments)
            assert text in caught.value.message and caught.value.exit_status == 2
    with pytest.raises(tokenctl.UsageError, match="scope"):
        tokenctl.access_token("t", scope=7)  # type: ignore[arg-type]


@pytest.mark.quick
def test_a_profile_without_hosts_needs_origins(account: Account) -> None:
    """The error says both ways to name one."""
    config = Path(account.environ["TOKENCTL_CONFIG"])
    config.write_text(config.read_text().partition("hosts")[0])
    with pytest.raises(tokenctl.UsageError, match="nothing says which server") as caught:
        tokenctl.TokenAuth("t")
    assert "origins=" in str(caught.value.hint) and "hosts+=" in str(caught.value.hint)
    assert "api.example.com" in repr(tokenctl.TokenAuth("t", origins={"https://api.example.com"}))


def test_a_profile_of_the_environment_alone(
    account: Account, demo_server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that keeps nothing: its session lives in the TokenAuth, and a refused token is replaced."""
    for name, value in {
        "ISSUER": demo_server.issuer,
        "CLIENT_ID": "tokenctl-demo-ci",
        "CLIENT_SECRET": "demo-ci-secret",
        "SCOPE": "api",
        "STORE": "memory",
        "HOSTS": account.api.origin,
    }.items():
        monkeypatch.setenv(f"TOKENCTL_{name}", value)
    monkeypatch.setenv("CI", "true")
    with httpx.Client(auth=tokenctl.TokenAuth(), trust_env=False) as client:
        assert [client.get(account.api.origin).status_code for _ in range(3)] == [200] * 3
        assert demo_server.count("/token", "client_credentials") == 1
        demo_server.expire_access_tokens()
        assert [client.get(account.api.origin).status_code for _ in range(3)] == [200] * 3
    assert demo_server.count("/token", "client_credentials") == 2
    assert tokenctl.access_token().profile == "env"


# -- the session changes in another process --------------------------------------------------------


def test_a_session_that_was_revoked_meanwhile_is_an_error(account: Account) -> None:
    """The API refuses the token, and then a person has to sign in."""
    with httpx.Client(auth=tokenctl.TokenAuth("t"), trust_env=False) as client:
        assert client.get(account.api.origin).status_code == 200
        ended = run(
            "from tokenctl.__main__ import main; import sys; sys.argv = ['tokenctl', 'revoke', '-p', 't']; main()"
        )
        assert ended.returncode == 0, ended.stderr
        with pytest.raises(tokenctl.LoginRequired):
            client.get(account.api.origin)


def test_a_session_that_was_replaced_meanwhile_is_used(account: Account) -> None:
    """After a login in another process its token is used; if that is an old one that is refused too, it is renewed."""
    newer = signed_in(account.server)
    with httpx.Client(auth=tokenctl.TokenAuth("t"), trust_env=False) as client:
        assert client.get(account.api.origin).status_code == 200
        account.age(840, newer)
        account.server.expire_access_tokens()
        assert [client.get(account.api.origin).status_code for _ in range(4)] == [401, 200, 200, 200]
    assert account.refreshes == 1


def test_a_profile_that_another_account_has_now_is_that_accounts(account: Account) -> None:
    """`login --switch-account` in another process: its token is used, without a renewal."""
    with httpx.Client(auth=tokenctl.TokenAuth("t"), trust_env=False) as client:
        assert client.get(account.api.origin).status_code == 200
        account.server.expire_access_tokens()
        newer = replace(signed_in(account.server), subject="somebody else")
        account.keep(newer)
        assert client.get(account.api.origin).status_code == 200
    assert account.refreshes == 0 and account.api.asked[-1].authorization == f"Bearer {newer.access_token}"


# -- the program is left alone ---------------------------------------------------------------------

RENEWS = """
import signal, sys, threading, tokenctl
if sys.argv[1:] == ["alone"]:
    sys.executable = ""
before = {each: signal.getsignal(each) for each in signal.valid_signals()}
seen = []
ended = threading.Event()
def watch():
    while not ended.wait(0.001):
        seen.extend(each for each in before if signal.getsignal(each) != before[each])
thread = threading.Thread(target=watch)
thread.start()
token = tokenctl.access_token("t")
ended.set()
thread.join()
assert seen == [], seen
assert {each: signal.getsignal(each) for each in before} == before
"""


@pytest.mark.parametrize("alone", [False, True], ids=["worker", "no worker"])
def test_a_renewal_writes_nothing_and_leaves_signals_alone(account: Account, alone: bool) -> None:
    """In the main thread of a program without logging, also where no worker can be started."""
    account.age()
    ended = run(RENEWS.replace('sys.argv[1:] == ["alone"]', str(alone)))
    assert (ended.returncode, ended.stdout, ended.stderr, account.refreshes) == (0, "", "", 1)


def test_warnings_go_to_the_log(account: Account, caplog: pytest.LogCaptureFixture) -> None:
    """A token at hand that could not be renewed: the program gets it, and the log says why."""
    account.age(left=30)
    account.server.overrides["/token"] = always(Reply(status=503))
    with caplog.at_level(logging.WARNING, "tokenctl"):
        token = tokenctl.access_token("t")
    assert [each.levelname for each in caplog.records] == ["WARNING"] and "could not renew" in caplog.text
    assert token.value not in caplog.text


@pytest.mark.parametrize("by", ["access_token", "TokenAuth"])
def test_a_program_gets_the_events_of_its_renewals(account: Account, caplog: pytest.LogCaptureFixture, by: str) -> None:
    """Each once, as the event log has it, and without the token: those that the worker wrote too."""
    log = EventLog(Path(account.environ["TOKENCTL_STATE_DIR"]) / FOLDER)
    account.age()
    before = len(list(log.read()))
    with caplog.at_level(logging.INFO, "tokenctl"):
        if by == "access_token":
            tokenctl.access_token("t")
        else:
            with httpx.Client(auth=tokenctl.TokenAuth("t"), trust_env=False) as client:
                assert client.get(account.api.origin).status_code == 200
    records = [vars(each)["event"] for each in caplog.records if each.levelname == "INFO"]
    assert [each["event"] for each in records] == ["renewal"]
    assert records == [document_of(each) for each in log.read()][before:]
    assert account.session.access_token not in caplog.text


def test_the_level_of_the_log_can_be_set_later(account: Account, caplog: pytest.LogCaptureFixture) -> None:
    """A client is often made before the program sets up its logging; DEBUG tells of the renewal, without the token."""
    account.age()
    auth = tokenctl.TokenAuth("t")
    with caplog.at_level(logging.DEBUG), httpx.Client(auth=auth, trust_env=False) as client:
        assert client.get(account.api.origin).status_code == 200
    assert any((each.name, each.levelname) == ("tokenctl", "DEBUG") for each in caplog.records)
    assert account.api.asked[-1].authorization not in (None, "Bearer ")
    assert str(account.api.asked[-1].authorization).removeprefix("Bearer ") not in caplog.text


@pytest.mark.parametrize("copied", [pickle.dumps, copy.deepcopy])
@pytest.mark.parametrize("kind", [tokenctl.TokenAuth, tokenctl.RequestsAuth])
def test_who_copies_it_to_another_process_is_told_what_to_do(
    account: Account, copied: Callable[[Any], object], kind: Callable[[str], object]
) -> None:
    """Such as multiprocessing with "spawn"."""
    with pytest.raises(TypeError, match="make a TokenAuth or RequestsAuth of its own in each process"):
        copied(kind("t"))


def test_where_no_thread_can_be_started_the_token_is_renewed(account: Account) -> None:
    """As at the end of a program in Python 3.12, or where a limit is reached: the caller does it."""
    account.age()
    ended = run(
        "import threading, tokenctl\n"
        "def start(self): raise RuntimeError('cannot start new thread')\n"
        "threading.Thread.start = start\n"
        "print(len(tokenctl.access_token('t').value) > 9)"
    )
    assert (ended.stdout, ended.stderr, account.refreshes) == ("True\n", "", 1)


def test_at_the_end_of_the_program_a_token_can_be_had(account: Account) -> None:
    """In a function of `atexit` no thread can be started, and maybe no process; the renewal is done all the same."""
    account.age()
    ended = run("import atexit, tokenctl\natexit.register(lambda: print(len(tokenctl.access_token('t').value) > 9))")
    assert (ended.stdout, ended.stderr, account.refreshes) == ("True\n", "", 1)


def test_an_object_that_goes_with_the_interpreter_gets_an_error(account: Account) -> None:
    """Its `__del__` runs after the last function of `atexit`: nothing is renewed any more, and nobody waits for ever."""
    account.age()
    ended = run(
        "import tokenctl\n"
        "class Last:\n"
        "    auth = tokenctl.TokenAuth('t')\n"
        "    def __del__(self, print=print, wrong=tokenctl.TokenctlError):\n"
        "        try: self.auth._live.get()\n"
        "        except wrong as error: print(error.message)\n"
        "last = Last()\n"
        "last.itself = last"
    )
    expected = "no token can be asked for any more: Python is ending\n"
    assert (ended.stdout, ended.stderr, account.refreshes) == (expected, "", 0)


def test_a_program_that_ends_lets_its_renewal_end(account: Account) -> None:
    """The main thread gives up waiting (Ctrl-C), and the token is renewed and kept all the same."""
    account.age()
    begun, go_on = threading.Event(), threading.Event()

    def late(request: object) -> None:
        begun.set()
        go_on.wait(LONG)

    account.server.overrides["/token"] = late
    program = (
        "import tokenctl\ntry: tokenctl.access_token('t')\nexcept KeyboardInterrupt: print('interrupted', flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert begun.wait(LONG)
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        go_on.set()
        assert (process.wait(LONG), process.stderr.read()) == (0, "")
    account.server.overrides.clear()
    tokenctl.access_token("t")
    assert account.refreshes == 1


FORKS = """
import os, httpx, tokenctl
auth = tokenctl.TokenAuth("t")
def ask():
    with httpx.Client(auth=auth, trust_env=False, timeout=300) as client:
        return client.get(URL).status_code
if FRESH:
    assert ask() == 200
children = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if [ask() for _ in range(3)] == [200] * 3 else 1)
        except BaseException:
            os._exit(2)
    children.append(child)
print([os.waitstatus_to_exitcode(os.waitpid(each, 0)[1]) for each in children])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("fresh", [True, False])
def test_a_token_auth_made_before_a_fork_works_in_the_children(account: Account, fresh: bool) -> None:
    """As in a web server that forks after it has loaded the program: one renewal for all the children."""
    if not fresh:
        account.age()
    ended = run(f"FRESH, URL = {fresh}, {account.api.origin!r}\n{FORKS}")
    assert (ended.stdout, ended.stderr) == ("[0, 0, 0, 0]\n", "")
    assert account.refreshes == (0 if fresh else 1)
