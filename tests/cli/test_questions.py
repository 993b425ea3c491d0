"""The questions of `tokenctl login --flow api-key` at a terminal."""

import os
import pty
import tomllib
from collections.abc import Sequence

from tests.servers.faulty_server import FaultyServer
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
