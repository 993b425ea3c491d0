"""The questions of `tokenctl login --flow api-key` at a terminal."""

import os
import pty
import tomllib
from collections.abc import Sequence

import pytest

from tests.servers.faulty_server import FaultyServer, Reply, json_reply
from tests.support.attended import Answer, attended
from tests.support.commandline import COMMAND, Home


def answered(home: Home, profile: str, answers: Sequence[str]) -> tuple[int, str]:
    """Sign in at a terminal, with an answer at each question; returns the exit status and what was said."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(home.folder)
        environ = {name: value for name, value in home.environ.items() if name != "CI"} | {"TERM": "dumb"}
        os.execve(COMMAND[0], [*COMMAND, "login", "-p", profile, "--flow", "api-key"], environ)
    said, left = b"", list(answers)
    while True:
        try:
            said += os.read(terminal, 65536)
        except OSError:
            break
        if said.endswith(b": "):
            os.write(terminal, (left.pop(0) if left else "\x04").encode() + b"\n")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), said.decode()


def test_a_wrong_answer_is_said_and_asked_again(home: Home, demo_server: FaultyServer) -> None:
    """What cannot be is said in one line when it is given, and costs no other answer."""
    addresses = "notaurl", "http://shop.example.com/login", "", f"{demo_server.issuer}/api-key/login"
    renewal = "ftp://127.0.0.1/", f"{demo_server.issuer}/api-key/refresh"
    answers = [*addresses, "", "access_token", "/access_token", "refresh", "/refresh_token", *renewal]
    answers += ["", "", "next", "/refresh_token", "nowhere", "-", "demo-api-key"]
    status, said = answered(home, "g", answers)
    assert status == 0, said
    warnings = [line.partition("warning: this ")[2] for line in said.splitlines() if "tokenctl: warning: " in line]
    pointer, no_url = "must be a JSON Pointer, such as /data/token", "is not an https URL"
    assert warnings == [
        *(no_url, "is http, and only https is safe outside this machine", "cannot be empty"),
        *(pointer, pointer, no_url, pointer, no_url),
    ]
    api = tomllib.loads(home.config.read_text())["profiles"]["g"]["api"]
    assert api["login"]["url"] == addresses[-1] and api["refresh"]["url"] == renewal[-1] and "revoke" not in api
    assert home.run("refresh", "-p", "g").status == 0


def test_a_wrong_name_is_found_before_the_first_question(home: Home) -> None:
    """Nobody answers for a profile that cannot be."""
    status, said = answered(home, "../g", [])
    assert status == 2 and "is not a valid profile name" in said and "how is the token API called" not in said


def wizard(issuer: str, key: str) -> list[tuple[str, Answer]]:
    """The questions about an API without renewal, and their answers; the address is pasted from a mail."""
    address = f"<{issuer}/api-key/\r\nlogin>"
    answers = [("takes the API key", f"\x1b[200~{address}\x1b[201~"), ("field for the key", ""), ("access token", "")]
    answers += [("refresh token", "-"), ("API key: ", key)]
    return [(question, f"{answer}\n".encode()) for question, answer in answers]


def again(key: str) -> list[tuple[str, Answer]]:
    """The same questions once more, answered by the values in brackets."""
    empty = [
        (question, b"\n") for question in ("takes the API key", "field for the key", "access token", "refresh token")
    ]
    return [("try again?", b"y\n"), *empty, ("API key (empty: the same as before): ", f"{key}\n".encode())]


@pytest.mark.parametrize(
    ("replies", "second"),
    [([json_reply({}, 401)], "demo-api-key"), ([Reply(status=503)], ""), ([Reply(drop_before=True)], "")],
    ids=["refused", "overloaded", "unreachable"],
)
def test_a_failed_login_call_costs_no_answer(
    home: Home, demo_server: FaultyServer, replies: list[Reply], second: str
) -> None:
    """The next try has all answers as defaults, the key too, and the profile is saved once it works."""
    key = "wrong" if second else "demo-api-key"
    left = list(replies)
    demo_server.overrides["/api-key/login"] = lambda _: left.pop() if left else None
    answers = [*wizard(demo_server.issuer, key), *again(second)]
    result = attended(home, "login", "-p", "g", "--flow", "api-key", answers=answers)
    assert result.status == 0, result.stderr
    assert f"[{demo_server.issuer}/api-key/login]" in result.stderr and "demo-api-key" not in result.stderr
    assert home.run("token", "-p", "g").status == 0


def test_a_described_profile_is_not_lost(home: Home, demo_server: FaultyServer) -> None:
    """Who does not try again can keep it, and needs the key alone later."""
    answers = [*wizard(demo_server.issuer, "wrong"), ("try again?", b"\n"), ("save your answers", b"y\n")]
    result = attended(home, "login", "-p", "g", "--flow", "api-key", answers=answers)
    assert result.status == 5 and "run 'tokenctl login -p g'" in result.stderr, result.stderr
    assert "wrong" not in home.config.read_text()
    assert home.run("login", "-p", "g", "--api-key-stdin", stdin="demo-api-key").status == 0


def test_nothing_is_saved_that_was_not_agreed_to(home: Home, demo_server: FaultyServer) -> None:
    """Two times no leaves no profile."""
    answers = [*wizard(demo_server.issuer, "wrong"), ("try again?", b"\n"), ("save your answers", b"\n")]
    assert attended(home, "login", "-p", "g", "--flow", "api-key", answers=answers).status == 5
    assert not home.config.exists()
