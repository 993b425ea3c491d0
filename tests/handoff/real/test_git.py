"""A real git with our helper: `ls-remote` at a server that checks the token, and the battery of git's own tests.

The battery is `t/lib-credential.sh`, which git runs for its helpers and offers for those of others (t0303). Our helper
keeps nothing, so that the behaviours which apply are these; their numbers are in the names of the cases.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.handoff.real.git_world import HELPER, GitWorld, git_world
from tests.servers.faulty_server import FaultyServer
from tests.support.aging import age
from tests.support.commandline import Home, Result
from tests.support.real_parts import available


@pytest.fixture(scope="module")
def one_world(signing_key: rsa.RSAPrivateKey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitWorld]:
    """A world for all tests of this file: to sign in takes as long as most of them."""
    with (
        available(),
        FaultyServer(auto_approve=True, signing_key=signing_key) as server,
        git_world(Home(tmp_path_factory.mktemp("git") / "home"), server) as world,
    ):
        yield world


@pytest.fixture
def world(one_world: GitWorld) -> GitWorld:
    """The same, with nothing sent yet."""
    one_world.forget()
    return one_world


# -- ls-remote -------------------------------------------------------------------------------------


def test_a_fresh_token_and_an_expired_one(world: GitWorld) -> None:
    """The first is given as it is, the second is renewed, and git and the person notice neither."""
    token, before = world.token, world.refreshes
    done = world.git("ls-remote", world.url)
    assert (done.status, done.stderr) == (0, "") and "refs/heads/main" in done.stdout
    assert set(world.sent) == {f"oauth2:{token}"} and world.refreshes == before
    age(world.home)
    done = world.git("ls-remote", world.url)
    assert (done.status, done.stderr) == (0, "") and "refs/heads/main" in done.stdout
    assert world.refreshes == before + 1 and world.sent[-1] == f"oauth2:{world.token}" != f"oauth2:{token}"
    assert "get" not in world.passed_on
    assert not (world.home.folder / ".git-credentials").exists()  # what `helper = store` would write


def test_a_dead_session_ends_git_with_the_reason(world: GitWorld) -> None:
    """Nobody is asked for a password, and no other helper is."""
    world.server.kill_session()
    age(world.home)
    done = world.git("ls-remote", world.url)
    assert world.home.login(world.server.issuer).status == 0  # for the other tests
    assert done.status == 128 and done.stdout == ""
    assert "tokenctl login" in done.stderr and "told us to quit" in done.stderr
    assert "askpass" not in done.stderr and "Traceback" not in done.stderr
    assert (world.sent, world.passed_on) == ([], [])


def test_an_unbound_host_is_left_to_the_next_helper(world: GitWorld) -> None:
    """It gets the whole question, and we say nothing; and no token leaves."""
    url = world.url.replace("127.0.0.1", "localhost")
    first = f"credential.{url}.helper=!echo ours >> passed-on; {HELPER}"
    done = world.run(["git", "-c", first, "-c", f"credential.helper={world.next}", "ls-remote", url])
    assert (done.status, world.passed_on, world.sent) == (128, ["ours", "get"], [])
    assert "tokenctl" not in done.stderr and f"'{world.next}' told us to quit" in done.stderr


def test_a_token_that_the_server_refuses_is_renewed_once(world: GitWorld) -> None:
    """Git reports it, and fails; its next call works. Five that report it at once cost one renewal too."""
    before = world.refreshes
    world.server.expire_access_tokens()
    with ThreadPoolExecutor(5) as pool:
        refused = list(pool.map(lambda _: world.git("ls-remote", world.url), range(5)))
        done = list(pool.map(lambda _: world.git("ls-remote", world.url), range(5)))
    assert any("Authentication failed" in each.stderr for each in refused)
    assert [(each.status, each.stderr) for each in done] == [(0, "")] * 5
    assert world.refreshes == before + 1


# -- the battery -----------------------------------------------------------------------------------

EXAMPLE = "protocol=https\nhost=example.com\n"
SILENT = {
    "1 has no existing data": (EXAMPLE, "https://example.com"),
    "4 requires matching protocol": ("protocol=https\nhost={host}\n", "https://{host}"),
    "5 requires matching host": ("protocol=http\nhost=localhost\n", "http://localhost"),
    "7 requires matching path": ("protocol=http\nhost=path.tld\npath=bar.git\n", "http://path.tld/bar.git"),
    "16 not confused by long header": (
        f"protocol=https\nhost=badguy.example.com\nwwwauth[]=basic realm={'a' * 1001}host={{host}}\n",
        "https://badguy.example.com",
    ),
}


@pytest.mark.parametrize(("stdin", "url"), SILENT.values(), ids=SILENT)
def test_what_is_not_ours_is_left_to_the_person(world: GitWorld, stdin: str, url: str) -> None:
    """Git asks for both, and gets nothing of us."""
    stdin, url = stdin.format(host=world.host), url.format(host=world.host)
    done = world.credential("fill", stdin, "-c", "credential.useHttpPath=true")
    asked = url.replace("://", "://askpass-user@")
    assert done.stderr == f"askpass: Username for '{url}': \naskpass: Password for '{asked}': \n"
    assert done.stdout.startswith(stdin.partition("wwwauth")[0] + "username=askpass-user\npassword=askpass-password\n")
    assert world.helper("get", stdin) == Result(status=0, stdout="", stderr="")


def test_the_token_is_given_for_the_bound_origin(world: GitWorld) -> None:
    """By git, and directly: the end is before the token's own, and nothing else is there."""
    question = f"protocol=http\nhost={world.host}\n"
    done = world.helper("get", question + "\n")
    answer = f"username=oauth2\npassword={world.token}\npassword_expiry_utc="
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.startswith(answer) and done.stdout.removeprefix(answer).strip().isdigit()
    filled = world.credential("fill", question)
    assert (filled.status, filled.stderr) == (0, "")
    assert filled.stdout.startswith(f"{question}username=oauth2\npassword={world.token}\n")
    assert world.credential("fill", question + "username=oauth2\n").stdout == filled.stdout


def test_what_git_2_46_and_newer_gets(world: GitWorld) -> None:
    """The question was recorded from git 2.55: a Bearer token, and never more than git offered."""
    question = f"capability[]=authtype\ncapability[]=state\nprotocol=http\nhost={world.host}\nwwwauth[]=Bearer\n\n"
    *lines, end = world.helper("get", question).stdout.splitlines()
    assert lines == ["capability[]=authtype", "authtype=Bearer", f"credential={world.token}", "ephemeral=1"]
    assert end.startswith("password_expiry_utc=")
    assert world.helper("capability", "").stdout == "version 0\ncapability authtype\n"


def test_6_requires_matching_username(world: GitWorld) -> None:
    """Another user name than ours gets nothing of us, so that git asks for that user's password."""
    done = world.credential("fill", f"protocol=http\nhost={world.host}\nusername=other\n")
    assert done.stdout.endswith("username=other\npassword=askpass-password\n")
    assert done.stderr == f"askpass: Password for 'http://other@{world.host}': \n"


@pytest.mark.parametrize(
    "more",
    ["", "password_expiry_utc=9999999999\n", "oauth_refresh_token=foo\n"],
    ids=["2 stores password", "17 stores password_expiry_utc", "20 stores oauth_refresh_token"],
)
def test_store_is_taken_without_a_word(world: GitWorld, more: str) -> None:
    """For our host and for others; and nothing of it is in any answer."""
    for host in (f"protocol=http\nhost={world.host}\n", EXAMPLE):
        done = world.credential("approve", f"{host}username=oauth2\npassword=store-pass\n{more}")
        assert (done.status, done.stdout, done.stderr) == (0, "", "")
        given = world.helper("get", host).stdout
        assert "store-pass" not in given and "foo" not in given


@pytest.mark.parametrize(
    "more",
    ["", "username=oauth2\n", "password=pass2\n", "username=oauth2\npassword=pass2\n"],
    ids=["9 can forget host", "12 can forget user", "15 erases all matching", "11 leaves a distinct password"],
)
def test_erasing_what_is_not_our_token_changes_nothing(world: GitWorld, more: str) -> None:
    """The next answer has the same token, and no server is asked."""
    before, token = world.refreshes, world.token
    for host in (f"protocol=http\nhost={world.host}\n", EXAMPLE):
        done = world.credential("reject", host + more)
        assert (done.status, done.stdout, done.stderr) == (0, "", "")
    assert f"password={token}\n" in world.helper("get", f"protocol=http\nhost={world.host}\n").stdout
    assert world.refreshes == before


@pytest.mark.parametrize(
    "form", ["username=oauth2\npassword={}\n", "capability[]=authtype\nauthtype=Bearer\ncredential={}\n"]
)
def test_erasing_our_token_renews_it_once(world: GitWorld, form: str) -> None:
    """In the form of each git; the old token, erased again, changes nothing."""
    before, token = world.refreshes, world.token
    question = f"protocol=http\nhost={world.host}\n"
    for _ in range(2):
        assert world.helper("erase", question + form.format(token)).stdout == ""
        renewed = world.helper("get", question).stdout.splitlines()[1].removeprefix("password=")
        assert renewed != token and world.refreshes == before + 1
