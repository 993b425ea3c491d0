"""`tokenctl doctor`: what a person and a bug report get, and the exit status of `token`."""

import json
from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.support.aging import age
from tests.support.attended import attended
from tests.support.commandline import Home


def test_all_is_well(home: Home, demo_server: FaultyServer) -> None:
    """In lines, as JSON and at a terminal; nothing is sent, nothing is changed, no token is shown."""
    assert home.login(demo_server.issuer).status == 0
    token, before = home.run("token").stdout.strip(), home.snapshot()
    renewals = demo_server.count("/token", "refresh_token")
    lines = home.run("doctor", "--offline")
    assert lines.status == 0 and lines.stdout.splitlines()[-1].endswith("'tokenctl token' would end with 0")
    assert any(line.startswith("ok: session: its access token lives ") for line in lines.stdout.splitlines())
    document = json.loads(home.run("doctor", "--json", "--offline").stdout)
    assert (document["schema"], document["exit_status"]) == (1, 0)
    assert all({"check", "status", "sentence", "remedy"} <= each.keys() for each in document["findings"])
    drawn = attended(home, "doctor", "--offline")
    assert drawn.status == 0 and "in order" in drawn.stderr
    assert home.snapshot() == before and demo_server.count("/token", "refresh_token") == renewals
    assert not any(token in text for text in (lines.stdout, json.dumps(document), drawn.stderr))


def test_it_ends_as_token_does(home: Home, demo_server: FaultyServer) -> None:
    """Without a profile, signed out, with a passphrase that is wrong, and with a token that has ended."""

    def both(**environ: str) -> list[int]:
        return [home.run(word, environ=environ).status for word in ("doctor", "token")]

    assert both() == [2, 2]
    assert home.login(demo_server.issuer).status == 0
    assert both(TOKENCTL_PASSPHRASE_FILE=str(home.config)) == [3, 3]
    age(home)
    assert both() == [0, 0]
    assert home.run("revoke").status == 0
    assert both() == [4, 4]


@pytest.mark.quick
def test_what_to_do_first_is_the_last_line(home: Home) -> None:
    """With the status; the remedy is below the failure, too."""
    home.write_config('[profiles.t]\nissuer = "https://a.example"\nclient_id = "c"\n')
    result = home.run("doctor", "--offline")
    assert result.status == 4
    *_, last = result.stdout.splitlines()
    assert last == "'tokenctl token' would end with 4; do this first: run 'tokenctl login -p t'"
    assert "failed: session: not signed in to 't'\n  remedy: run 'tokenctl login -p t'\n" in result.stdout


def test_planted_secrets_do_not_appear(home: Home, tmp_path: Path) -> None:
    """In variables, in addresses, and where an error quotes what it does not understand."""
    planted = {
        "TOKENCTL_CLIENT_SECRET": "hunter2-hunter2",
        "TOKENCTL_ISSUER": "https://me:hunter2-hunter2@a.example/?key=hunter2-hunter2",
        "TOKENCTL_CLIENT_ID": "c",
        "TOKENCTL_SECRET": "hunter2-hunter2",
        "HTTPS_PROXY": "http://me:hunter2-hunter2@127.0.0.1:1/",
    }
    for more in ({}, {"TOKENCTL_MIN_TTL": "$hunter2-hunter2"}, {"TOKENCTL_PROFILE": "t"}):
        for form in ((), ("--json",)):
            result = home.run("doctor", *form, environ={**planted, **more})
            assert "hunter2" not in result.stdout + result.stderr, result


@pytest.mark.parametrize("word", ["check", "diagnose", "debug", "health"])
def test_other_names_lead_here(home: Home, word: str) -> None:
    """Other tools have such a command."""
    result = home.run(word)
    assert result.status == 2 and "here it is 'tokenctl doctor'" in result.stderr
