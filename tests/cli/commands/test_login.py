"""`tokenctl login`, beyond what the journey and the bad input try."""

import json
import os
import pty
import threading
from pathlib import Path

import pytest

from tests.killing.folders import fill, small_disk
from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.support.attended import Answer, attended
from tests.support.commandline import COMMAND, LONG, Home
from tests.support.demo_server import Make
from tests.support.fetch import fetch
from tests.support.paths import ROOT


def test_the_first_logins_options_are_the_profile(home: Home, demo_server: FaultyServer) -> None:
    """The options of the first login are saved with the file's own text kept, and a second login needs none of them."""
    home.write_config('# mine\n[profiles.other] # too\nissuer = "https://o.example"\nclient_id = "o"\n')
    assert home.login(demo_server.issuer, "--scope", "openid", "--scope", "offline_access api").status == 0
    text = home.config.read_text()
    assert text.startswith("# mine\n[profiles.other] # too\n")
    assert 'scope = "openid offline_access api"' in text
    assert home.login(demo_server.issuer).status == 0
    assert home.config.read_text() == text
    assert demo_server.requests[-1].path == "/jwks"


def test_another_issuer_is_another_profile(home: Home, demo_server: FaultyServer) -> None:
    """A login cannot change a profile's issuer or client in passing."""
    home.login(demo_server.issuer)
    for option in ("--issuer", "--client-id"):
        result = home.run("login", "-p", "t", option, "https://x.example")
        assert result.status == 2 and "has another" in result.stderr


def test_another_issuer_on_purpose_changes_the_profile(
    home: Home, demo_server: FaultyServer, make_server: Make
) -> None:
    """With --switch-account the profile and its session are the new server's, and the older session ends at its own."""
    home.login(demo_server.issuer)
    other = make_server()
    result = home.login(demo_server.issuer, "--issuer", other.issuer, "--switch-account")
    assert result.status == 0, result.stderr
    assert f'issuer = "{other.issuer}"' in home.config.read_text() and demo_server.issuer not in home.config.read_text()
    assert home.run("token").status == 0 and demo_server.count("/revoke") > 0


def test_a_later_logins_options_are_saved_too(home: Home, demo_server: FaultyServer) -> None:
    """Only what the options say changes in the file; until that login succeeds, nothing does."""
    home.write_config(
        f'[profiles.t]\n# mine\nissuer = "{demo_server.issuer}" # too\nclient_id = "tokenctl-demo"\n'
        'scope = ["openid", "offline_access"]\nmin_ttl = "60s"\n'
    )
    assert home.login(demo_server.issuer).status == 0
    before = home.config.read_text()
    demo_server.overrides["/token"] = lambda _: json_reply({"error": "invalid_client"}, 401)
    assert home.login(demo_server.issuer, "--scope", "openid offline_access api").status == 5
    assert home.config.read_text() == before
    demo_server.overrides.clear()
    assert home.login(demo_server.issuer, "--scope", "openid offline_access api").status == 0
    changed = before.replace('["openid", "offline_access"]', '"openid offline_access api"')
    assert home.config.read_text() == changed
    assert home.run("token").status == 0


@pytest.mark.quick
@pytest.mark.parametrize("name", ["TOKENCTL_CLIENT_SECRET", "TOKENCTL_API_KEY"])
def test_an_exported_secret_goes_to_no_other_server(home: Home, make_server: Make, name: str) -> None:
    """A secret that was exported for one issuer is not sent to the one that a login is given."""
    thief = make_server()
    words = ("login", "-p", "new", "--issuer", thief.issuer, "--client-id", "tokenctl-demo-ci")
    alone = home.run(*words, environ={name: "demo-ci-secret"})
    assert alone.status == 2 and f"{name} is set, and profile 'new' is not one that uses it" in alone.stderr
    assert ("--client-secret-stdin" in alone.stderr) == (name == "TOKENCTL_CLIENT_SECRET")
    named = {name: "demo-ci-secret", "TOKENCTL_ISSUER": "https://right.example"}
    for flow in ("auto", "client-credentials"):
        refused = home.run(*words, "--flow", flow, environ=named)
        assert refused.status == 2 and "https://right.example" in refused.stderr and thief.issuer in refused.stderr
    assert thief.requests == [] and not home.config.exists()


@pytest.mark.parametrize(("typed", "status"), [(b"n\n", 2), (b"\n", 2), (b"y\n", 0)])
def test_a_person_is_asked_about_another_server(
    home: Home, demo_server: FaultyServer, make_server: Make, typed: bytes, status: int
) -> None:
    """At a terminal the answer decides, once, and before anything is sent."""
    assert home.login(demo_server.issuer).status == 0
    before, other = home.snapshot(), make_server()
    answers: list[tuple[str, Answer]] = [("[y/N]: ", typed)]
    if status == 0:
        answers += [("paste that page", _visits), ("signed in to t", b"")]
    result = attended(home, "login", "-p", "t", "--issuer", other.issuer, "--no-browser", answers=answers)
    assert result.status == status and result.stderr.count("[y/N]") == 1, result.stderr
    if status:
        assert home.snapshot() == before and other.requests == []


def _visits(said: str) -> None:
    address = next(line.strip() for line in said.splitlines() if line.startswith("http"))
    threading.Thread(target=fetch, args=(address,), daemon=True).start()


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["error:set", "locked:set", "drop:set"])
def test_a_keyring_that_goes_away_during_the_sign_in(tmp_path: Path, demo_server: FaultyServer, fault: str) -> None:
    """The session cannot be kept: exit 3, and its tokens are revoked, since nobody has them."""
    environ = {"TEST_RING": str(tmp_path / "ring.json"), "PYTHONPATH": str(ROOT), "FAULT": fault}
    home = Home(tmp_path / "home", environ, store="keyring")
    home.write_config(
        f'[profiles.t]\nissuer = "{demo_server.issuer}"\nclient_id = "tokenctl-demo"\nscope = "openid offline_access"\n'
        'keyring_backend = "tests.support.faulty_ring.FaultyRing"\n'
    )
    result = home.login(demo_server.issuer)
    assert result.status == 3 and result.stderr.count("tokenctl: error: ") == 1, result.stderr
    assert demo_server.count("/token") == 1 and demo_server.count("/revoke") > 0


def test_a_disk_that_fills_up_during_the_sign_in(home: Home, demo_server: FaultyServer, tmp_path: Path) -> None:
    """The same for the file store."""
    with small_disk(tmp_path / "disk") as disk:

        def visit(url: str) -> None:
            fill(disk)
            fetch(url)

        result = home.login(demo_server.issuer, visit=visit, environ={"TOKENCTL_STATE_DIR": str(disk)})
        assert result.status == 3 and result.stderr.count("tokenctl: error: ") == 1, result.stderr
        assert demo_server.count("/token") == 1 and demo_server.count("/revoke") > 0


@pytest.mark.parametrize("profile", ["t", "new"])
def test_a_wrong_variable_is_called_the_environments(home: Home, demo_server: FaultyServer, profile: str) -> None:
    """A setting that is wrong in the environment is not called an option, and an option that replaces it is enough.

    Of a profile of the config file it sets the store; another setting has no effect, and a warning says so.
    """
    home.write_config(f'[profiles.t]\nissuer = "{demo_server.issuer}"\nclient_id = "tokenctl-demo"\n')
    words = ("login", "-p", profile, "--issuer", demo_server.issuer, "--client-id", "tokenctl-demo")
    wrong = {"TOKENCTL_STORE": "bogus", "TOKENCTL_FLOW": "bogus"}
    result = home.run(*words, environ=wrong)
    assert result.status == 2 and "error: environment: TOKENCTL_STORE must be one of" in result.stderr
    result = home.login(demo_server.issuer, "--store", "file", profile=profile, environ=wrong)
    assert result.status == 0, result.stderr
    assert result.stderr.count("TOKENCTL_FLOW has no effect") == 1


@pytest.mark.quick
def test_json_answers_the_show_document(home: Home, demo_server: FaultyServer) -> None:
    """--json answers what show --json would."""
    result = home.login(demo_server.issuer, "--json")
    found = json.loads(result.stdout)
    shown = json.loads(home.run("show", "--json").stdout)
    for document in (found, shown):
        document["access_token"].pop("expires_in")
    assert found == shown


@pytest.mark.parametrize(
    "text",
    [
        "profiles = {}\n",
        'profiles = { w = { issuer = "https://w.example" } }\n',
        'profiles.w.issuer = "https://w.example"\n',
    ],
)
def test_a_config_in_another_style_is_extended_or_refused_before_the_sign_in(
    home: Home, demo_server: FaultyServer, text: str
) -> None:
    """Whatever the style of the file, either the profile is added to it, or the login says so before it begins."""
    home.write_config(text)
    result = home.login(demo_server.issuer)
    if result.status == 0:
        assert home.run("token", "-p", "t").status == 0
    else:
        assert result.status == 2 and "tokenctl cannot change" in result.stderr
        assert demo_server.requests == [] and home.config.read_text() == text


def test_a_config_that_cannot_be_written_is_found_out_first(home: Home, demo_server: FaultyServer) -> None:
    """When the profile could not be saved, nobody is asked to sign in."""
    (home.folder / ".config").write_text("in the way")
    result = home.login(demo_server.issuer)
    assert result.status == 2 and result.stderr.count("tokenctl: error: ") == 1
    assert demo_server.requests == []


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ('store = "file"', "the file store needs its passphrase"),
        ('store = "file"\npassphrase_command = ["false"]', "the passphrase command"),
        ('keyring_backend = "tests.support.ring.Locked"', "the keyring is locked"),
        ('keyring_backend = "tests.support.ring.Hanging"', "did not answer within"),
    ],
    ids=["no passphrase", "no passphrase from the command", "locked", "hanging"],
)
def test_a_store_that_would_not_keep_the_session_is_found_out_first(
    home: Home, demo_server: FaultyServer, store: str, said: str
) -> None:
    """When the session could not be kept, nobody is asked to sign in and no token is issued."""
    home.write_config(f'[profiles.t]\nissuer = "{demo_server.issuer}"\nclient_id = "tokenctl-demo"\n{store}\n')
    home.environ.pop("TOKENCTL_PASSPHRASE_FILE")
    home.environ.pop("TOKENCTL_STORE")
    result = home.login(demo_server.issuer, environ={"PYTHONPATH": str(ROOT)})
    assert result.status == 3 and said in result.stderr and result.stderr.count("tokenctl: error: ") == 1
    assert demo_server.requests == []


def test_a_full_disk_is_found_out_first(home: Home, demo_server: FaultyServer, tmp_path: Path) -> None:
    """Without room for what lies beside a session, nobody is asked to sign in; with room the same login works."""
    with small_disk(tmp_path / "disk") as disk:
        environ = {"TOKENCTL_STATE_DIR": str(disk)}
        (disk / "t").mkdir(mode=0o700)
        ballast = fill(disk)
        result = home.login(demo_server.issuer, environ=environ)
        assert result.status == 3 and str(disk / "t") in result.stderr
        assert demo_server.requests == []
        ballast.unlink()
        assert home.login(demo_server.issuer, environ=environ).status == 0
        assert not list((disk / "t").glob(".trial*"))


@pytest.mark.slow
def test_a_session_is_not_left_behind_in_another_store(tmp_path: Path, demo_server: FaultyServer) -> None:
    """A login into another store takes the place of the session in the old one, and nothing comes back."""
    home = Home(
        tmp_path / "home",
        {"TEST_RING": str(tmp_path / "ring.json"), "PYTHONPATH": str(ROOT)},
    )
    home.environ.pop("TOKENCTL_STORE")
    home.write_config(
        f'[profiles.t]\nissuer = "{demo_server.issuer}"\nclient_id = "tokenctl-demo"\nscope = "openid offline_access"\n'
        'keyring_backend = "tests.support.ring.Ring"\n'
    )
    assert home.login(demo_server.issuer).status == 0
    assert home.login(demo_server.issuer, "--store", "file", environ={"TOKENCTL_STORE": "keyring"}).status == 0
    assert json.loads((tmp_path / "ring.json").read_text()) == {}
    assert "an encrypted file" in home.login(demo_server.issuer, "--store", "file").stderr
    assert home.run("revoke").status == 0
    assert home.run("token").status == 4
    assert json.loads((tmp_path / "ring.json").read_text()) == {}


def test_the_memory_store_is_for_machines(home: Home, demo_server: FaultyServer) -> None:
    """A person cannot sign in to the memory store; a machine can, and keeps nothing."""
    result = home.login(demo_server.issuer, "--store", "memory")
    assert result.status == 2 and "keeps nothing" in result.stderr
    options = ("--issuer", demo_server.issuer, "--client-id", "tokenctl-demo-ci", "--flow", "client-credentials")
    machine = home.run(
        "login", "-p", "ci", *options, "--store", "memory", environ={"TOKENCTL_CLIENT_SECRET": "demo-ci-secret"}
    )
    assert machine.status == 0, machine.stderr
    assert not (home.folder / "state" / "ci").exists()
    home.environ.pop("TOKENCTL_STORE")
    assert home.run("token", "-p", "ci", environ={"TOKENCTL_CLIENT_SECRET": "demo-ci-secret"}).status == 0


def test_the_device_code_is_clear(home: Home, demo_server: FaultyServer) -> None:
    """The code stands alone on its line, the page's address on another; slow_down is obeyed, and a 5xx is not the end."""
    answers = [
        json_reply({"error": "slow_down"}, 400),
        Reply(status=503),
        json_reply({"error": "authorization_pending"}, 400),
    ]

    def poll(request: Received) -> Reply | None:
        if answers:
            return answers.pop(0)
        demo_server.approve_device(code[0])
        return None

    code: list[str] = []
    # One second between polls from the start, and slow_down adds five: the override counts, the clock is real.
    demo_server.overrides = {"/token": poll}
    answers.pop(0)
    options = ("--issuer", demo_server.issuer, "--client-id", "tokenctl-demo", "--scope", "openid offline_access")
    with home.start("login", "-p", "t", *options, "--flow", "device") as process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if line.startswith("    "):
                code.append(line.strip())
    assert process.returncode == 0, "".join(said)
    assert len(code) == 1 and code[0].replace("-", "").isalnum()
    assert f"{demo_server.issuer}/device\n" in said
    assert "\N{REPLACEMENT CHARACTER}" not in "".join(said)


def test_a_max_age_that_is_no_number_is_2(home: Home, demo_server: FaultyServer) -> None:
    """The option is named, and nobody signs in for a check that cannot be made."""
    result = home.login(demo_server.issuer, "--param", "max_age=soon")
    assert result.status == 2 and "option: params: max_age must be a number of seconds" in result.stderr
    assert demo_server.requests == []


GRACE = ("--param", "login_hint=grace")


def test_another_account_needs_the_option(home: Home, demo_server: FaultyServer) -> None:
    """Without a terminal a login as another person is 2 and changes nothing, unless it is said to be meant."""
    assert home.login(demo_server.issuer).status == 0
    before = home.snapshot()
    refused = home.login(demo_server.issuer, *GRACE)
    assert (refused.status, refused.stdout) == (2, "") and refused.stderr.count("tokenctl: error: ") == 1
    for part in ("ada", "grace", "--switch-account"):
        assert part in refused.stderr
    assert home.snapshot() == before
    assert home.login(demo_server.issuer, *GRACE, "--switch-account").status == 0
    assert json.loads(home.run("show", "--json").stdout)["account"] == "grace"


@pytest.mark.parametrize(("typed", "account"), [("y", "grace"), ("YES", "grace"), ("n", "ada"), ("", "ada")])
def test_a_person_is_asked_about_another_account(
    home: Home, demo_server: FaultyServer, typed: str, account: str
) -> None:
    """At a terminal the answer decides, and no answer is a no."""
    assert home.login(demo_server.issuer).status == 0
    status, said = _login_on_a_terminal(home, demo_server, typed)
    assert said.count("[y/N]") == 1 and status == (0 if account == "grace" else 2), said
    assert json.loads(home.run("show", "--json").stdout)["account"] == account


def test_ci_is_not_asked_about_another_account(home: Home, demo_server: FaultyServer) -> None:
    """With CI set a terminal is nobody."""
    assert home.login(demo_server.issuer).status == 0
    status, said = _login_on_a_terminal(home, demo_server, "y", CI="true")
    assert status == 2 and "[y/N]" not in said and "--switch-account" in said


def _login_on_a_terminal(home: Home, server: FaultyServer, answer: str, **environ: str) -> tuple[int, str]:
    """Sign in as grace at a terminal, type the answer to the question, and return the exit status and what was said."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(home.folder)
        environ = {name: value for name, value in home.environ.items() if name != "CI"} | {"TERM": "dumb"} | environ
        os.execve(COMMAND[0], [*COMMAND, "login", "-p", "t", "--no-browser", *GRACE], environ)
    said, visited, typed = b"", False, False
    while True:
        try:
            said += os.read(terminal, 65536)
        except OSError:
            break
        address = next((line for line in said.decode().splitlines(keepends=True) if line.startswith("http")), "")
        if not visited and address.endswith("\n"):
            visited = True
            threading.Thread(target=fetch, args=(address.strip(),), daemon=True).start()
        if not typed and b"[y/N]: " in said:
            typed = True
            os.write(terminal, answer.encode() + b"\n")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), said.decode()


def test_pasting_the_address_completes_the_sign_in(home: Home, demo_server: FaultyServer) -> None:
    """At a terminal, pasting the address that the browser ended on does what the callback would have done."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(home.folder)
        options = ["login", "-p", "t", "--issuer", demo_server.issuer, "--client-id", "tokenctl-demo", "--no-browser"]
        environ = {**home.environ, "TERM": "xterm"}
        environ.pop("CI", None)
        os.execve(COMMAND[0], [*COMMAND, *options], environ)
    said = b""
    pasted, landed = False, ""
    while True:
        try:
            said += os.read(terminal, 65536)
        except OSError:
            break
        if b"paste that page" in said and not pasted:
            pasted = True
            url = next(line for line in said.decode().splitlines() if line.startswith("http"))
            landed = _where_it_ends(url)
            os.write(terminal, b"https://example.com/?state=wrong&code=x\n")
        if b"still waiting" in said and landed:
            os.write(terminal, landed.encode() + b"\n")
            landed = ""
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0, said.decode()
    assert b"still waiting" in said and b"signed in to t as" in said


def _where_it_ends(url: str) -> str:
    """Sign in as a browser on another machine: follow to the redirect, and do not reach it."""
    import urllib.error
    import urllib.request

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object, **__: object) -> None:
            return None

    try:
        urllib.request.build_opener(Stay, urllib.request.ProxyHandler({})).open(url)
    except urllib.error.HTTPError as error:
        with error:
            return str(error.headers["Location"])
    raise AssertionError("no redirect")


def test_the_browser_is_told_how_it_ended(home: Home, demo_server: FaultyServer) -> None:
    """The browser's last page waits for the end of the sign-in, and says when it failed."""
    import urllib.request

    demo_server.overrides = {"/token": lambda _: json_reply({"error": "invalid_client"}, 401)}
    pages: list[str] = []
    arrived = threading.Event()

    def visit(url: str) -> None:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=LONG) as answer:
            pages.append(answer.read().decode())
        arrived.set()

    assert home.login(demo_server.issuer, visit=visit).status == 5
    assert arrived.wait(LONG)
    assert "The sign-in did not finish" in pages[0]


def test_an_exact_redirect_uri(home: Home, make_server: Make) -> None:
    """A registered redirect URI is used to the character, port and all."""
    import socket

    server = make_server()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    asked: list[str] = []

    def visit(url: str) -> None:
        asked.append(url)
        fetch(url)

    assert home.login(server.issuer, "--port", str(port), visit=visit).status == 0
    assert f"redirect_uri=http%3A%2F%2F127.0.0.1%3A{port}%2Fcallback" in asked[0]


@pytest.mark.parametrize("flow", ["browser", "device"])
def test_quiet_says_how_to_sign_in_and_nothing_else(home: Home, demo_server: FaultyServer, flow: str) -> None:
    """What a person must do stays, whatever is left out; that it is done is a note."""

    def visit(url: str) -> None:
        if "user_code=" in url:
            demo_server.approve_device(url.partition("user_code=")[2])
        elif flow == "browser":
            fetch(url)

    result = home.login(demo_server.issuer, "-q", "--flow", flow, visit=visit)
    assert result.status == 0 and f"\n{demo_server.issuer}/" in f"\n{result.stderr}"
    assert "open this address" in result.stderr and "signed in" not in result.stderr and "hint" not in result.stderr
