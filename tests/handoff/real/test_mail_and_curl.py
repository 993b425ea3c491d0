"""Programs that get a token from api-key, sasl, mcp-headers or `token`, at servers that check what they present.

Real: msmtp, curl, and the mail libraries of Python. Claude Code and Codex are in `test_agents`.
"""

import imaplib
import shlex
import smtplib
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.handoff.conftest import Api
from tests.servers.faulty_server import FaultyServer
from tests.servers.mail_server import USER, MailServer
from tests.support.aging import age
from tests.support.commandline import COMMAND, LONG, Result
from tests.support.helped import Helped
from tests.support.real_parts import available, program

MECHANISMS = ("oauthbearer", "xoauth2")
TOKENCTL = shlex.join(COMMAND)


@dataclass(frozen=True, kw_only=True)
class Stage(Helped):
    """What is signed in, a mail server, and an API to which the profile is bound."""

    mail: MailServer
    api: Api


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Sign in, and start the servers, for all tests of this file."""
    with FaultyServer(auto_approve=True) as authority, MailServer(authority) as mail, Api(authority) as api:
        stage = Stage.signed_in(tmp_path_factory.mktemp("tools"), authority, mail=mail, api=api)
        stage.bind(api.origin)
        yield stage


@pytest.fixture
def stage(running: Stage) -> Stage:
    """The stage, with servers that remember nothing."""
    running.mail.forget()
    running.api.forget()
    return running


# -- msmtp ---------------------------------------------------------------------------------------------------


def send(stage: Stage, mechanism: str) -> Result:
    """Send a mail with msmtp, which runs the command of `passwordeval` by /bin/sh."""
    with available():
        msmtp = program("msmtp")
    config = stage.home.folder / "msmtprc"
    config.write_text(
        f"account default\nhost 127.0.0.1\nport {stage.mail.smtp}\nfrom {USER}\nuser {USER}\nauth {mechanism}\n"
        f'tls off\npasswordeval "{TOKENCTL} helper api-key -p t --ttl 0"\n'
    )
    config.chmod(0o600)
    return stage.run([msmtp, "-C", str(config), "friend@example.com"], stdin="Subject: hi\n\nhello\n")


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_msmtp_sends_a_mail(stage: Stage, mechanism: str) -> None:
    """With a fresh token, and with one that has ended: it is renewed, and nobody notices."""
    assert send(stage, mechanism) == Result(status=0, stdout="", stderr="")
    age(stage.home)
    with stage.renewed(1):
        assert send(stage, mechanism) == Result(status=0, stdout="", stderr="")
    assert stage.mail.signed_in == [mechanism.upper()] * 2 and stage.mail.refused == []
    assert [mail.endswith(b"hello") for mail in stage.mail.mails] == [True, True]


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_msmtp_shows_that_the_server_refused_the_token(stage: Stage, mechanism: str) -> None:
    """It answers the server's challenge and ends; nobody tells the helper, and the next mail is another process."""
    stage.authority.expire_access_tokens()
    sent = send(stage, mechanism)
    assert stage.home.run("refresh", "-p", "t").status == 0
    assert sent.status != 0 and "535 5.7.8 this token is not good" in sent.stderr
    assert (stage.mail.refused, stage.mail.mails) == ([mechanism.upper()], [])


def test_msmtp_shows_why_there_is_no_token(stage: Stage) -> None:
    """Our reason is on its stderr, and it presents nothing to the server."""
    with stage.ended():
        sent = send(stage, "oauthbearer")
    assert sent.status != 0 and "tokenctl login -p t" in sent.stderr
    assert (stage.mail.signed_in, stage.mail.refused, stage.mail.mails) == ([], [], [])


# -- the mail libraries of Python, as in a script ------------------------------------------------------------


def response(stage: Stage, mechanism: str, port: int) -> str:
    """Ask for the response, as the page writes it."""
    server = ("--host", "127.0.0.1", "--port", str(port))
    given = stage.home.run("helper", "sasl", mechanism, "-p", "t", "--user", USER, *server)
    assert (given.status, given.stderr) == (0, "")
    return given.stdout


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_script_signs_in_to_smtp_and_imap(stage: Stage, mechanism: str) -> None:
    """The line goes into an SMTP command as it is; imaplib writes the base64 of its own. Also after the token's end."""
    with smtplib.SMTP("127.0.0.1", stage.mail.smtp, timeout=LONG) as smtp:
        smtp.ehlo()
        status, _ = smtp.docmd("AUTH", f"{mechanism.upper()} {response(stage, mechanism, stage.mail.smtp)[:-1]}")
        assert status == 235
    age(stage.home)
    with stage.renewed(1):
        given = b64decode(response(stage, mechanism, stage.mail.imap))
    with imaplib.IMAP4("127.0.0.1", stage.mail.imap, timeout=LONG) as imap:
        assert imap.authenticate(mechanism.upper(), lambda challenge: given)[0] == "OK"
    assert stage.mail.signed_in == [mechanism.upper()] * 2 and stage.mail.refused == []


def test_there_is_no_response_without_a_session(stage: Stage) -> None:
    """The reason is on stderr."""
    with stage.ended():
        given = stage.home.run("helper", "sasl", "xoauth2", "-p", "t", f"--user={USER}")
    assert (given.status, given.stdout) == (4, "") and "tokenctl login -p t" in given.stderr


def test_words_that_sasl_does_not_know_are_a_usage_error(stage: Stage) -> None:
    """Wherever the profile stands, and before anything is asked."""
    for words in (["-p", "t", "helper", "sasl", "xoauth2"], ["helper", "sasl", "-p", "t", "xoauth2", "--user", "a\nb"]):
        given = stage.home.run(*words)
        assert (given.status, given.stdout) == (2, "") and "error: " in given.stderr


# -- curl ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", [["-p", "t"], ["--for", "URL"]], ids=["-p", "--for"])
def test_curl_gets_the_header_from_a_pipe(stage: Stage, choice: list[str]) -> None:
    """The token is in no argument: fresh, and after its end. Without one, the reason is on stderr, and curl fails."""
    with available():
        curl = program("curl")
    url = f"{stage.api.origin}/tickets"
    words = [url if word == "URL" else word for word in choice]
    pipe = f"{shlex.join([*COMMAND, 'token', *words, '--format', 'header'])} | {curl} -sS --fail -H @- {url}"
    assert stage.run(["sh", "-c", pipe]) == Result(status=0, stdout="{}", stderr="")
    age(stage.home)
    with stage.renewed(1):
        assert stage.run(["sh", "-c", pipe]) == Result(status=0, stdout="{}", stderr="")
    assert [each.authorization is not None for each in stage.api.asked] == [True, True]
    stage.api.forget()
    with stage.ended():
        done = stage.run(["sh", "-c", pipe])
    assert done.status == 22 and done.stdout == "" and "tokenctl login -p t" in done.stderr
    assert [each.authorization for each in stage.api.asked] == [None]
