"""`tokenctl profile`: the profiles of the config file, shown and changed."""

import json
import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.support.commandline import LONG, Home
from tokenctl.cli import main as cli
from tokenctl.config.config_file import load
from tokenctl.model.profile import Profile
from tokenctl.runtime import Runtime

CONFIG = """\
default_profile = "work"

[profiles.work]  # mine
issuer = "https://a.example"
client_id = "c"
scope = "openid"

[profiles.ci]
issuer = "https://b.example"
client_id = "d"
flow = "client-credentials"
resource = ["urn:x", "urn:y"]
"""


class Here:
    """A config file and a state directory, and the program in this process."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path = folder / "tokenctl" / "config.toml"
        self.environ = {"XDG_CONFIG_HOME": str(folder), "TOKENCTL_STATE_DIR": str(folder / "state")}
        self._capsys = capsys

    def write(self, text: str = CONFIG) -> None:
        """Write the config file."""
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_text(text)

    def run(self, *words: str, status: int = 0) -> tuple[str, str]:
        """Run `tokenctl profile`, check its exit status, and return what it wrote to stdout and stderr."""
        assert cli.run(["profile", *words], obj=Runtime(self.environ)) == status
        written = self._capsys.readouterr()
        return written.out, written.err

    def profile(self, name: str) -> Profile:
        """Read a profile of the config file."""
        return load(self.environ).profiles[name]


@pytest.fixture
def here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Here:
    """A folder without a config file."""
    return Here(tmp_path, capsys)


def test_the_list_is_one_line_a_profile_in_a_pipe(here: Here) -> None:
    """Name, issuer, flow and the mark of the default one, with tabs between them."""
    here.write()
    assert here.run("list")[0] == (
        "work\thttps://a.example\tauto\tdefault\nci\thttps://b.example\tclient-credentials\t-\n"
    )


def test_the_list_is_json_for_machines(here: Here) -> None:
    """With the settings that differ from the defaults."""
    here.write()
    work, ci = json.loads(here.run("list", "--json")[0])
    assert work == {
        "profile": "work",
        "default": True,
        "issuer": "https://a.example",
        "client_id": "c",
        "flow": "auto",
        "settings": {"issuer": "https://a.example", "client_id": "c", "scope": "openid"},
    }
    assert (ci["default"], ci["settings"]["resource"]) == (False, ["urn:x", "urn:y"])
    assert json.loads(here.run("show", "ci", "--json")[0]) == ci


def test_without_a_profile_the_list_says_what_to_do(here: Here) -> None:
    """An empty answer, an empty list for a machine, and no failure."""
    out, err = here.run("list")
    assert out == "" and "there is no profile in" in err and "tokenctl login" in err
    assert here.run("list", "--json") == ("[]\n", "")


def test_settings_are_shown_as_set_reads_them(here: Here) -> None:
    """Without a name, those of the profile that commands would use."""
    here.write()
    assert here.run("show")[0].splitlines() == [
        "profile: work",
        "default: yes",
        "issuer: https://a.example",
        "client_id: c",
        "scope: openid",
    ]
    assert "resource: urn:x urn:y\n" in here.run("show", "ci")[0]
    assert here.run("show", "-p", "ci") == here.run("show", "ci")
    assert "two profiles are named" in here.run("show", "work", "-p", "ci", status=2)[1]


SET = [
    ("scope=openid api", "scope", "openid api"),
    ("resource=urn:a urn:b", "resource", ("urn:a", "urn:b")),
    ("min_ttl=1h30m", "min_ttl", 5400),
    ("port=8400", "port", 8400),
    ("params=prompt=login max_age=60", "params", (("prompt", "login"), ("max_age", "60"))),
    ("source_command=pass show 'a b'", "source_command", ("pass", "show", "a b")),
    ("issuer=https://x.example/?a=b", "issuer", "https://x.example/?a=b"),
]


@pytest.mark.parametrize(("word", "name", "value"), SET, ids=[each[1] for each in SET])
def test_a_value_is_typed_as_in_the_environment(here: Here, word: str, name: str, value: object) -> None:
    """Lists as words, tables as pairs; and the file has what was typed."""
    here.write()
    here.run("set", "work", word)
    assert getattr(here.profile("work"), name) == value
    assert here.path.read_text().startswith('default_profile = "work"\n\n[profiles.work]  # mine\n')


def test_a_token_api_is_set_as_json(here: Here) -> None:
    """It is the one setting that is too deep for words."""
    api = {"login": {"url": "https://a.example/login", "body": {"key": "{api_key}"}, "access_token": "/token"}}
    out, err = here.run("set", "api", "flow=api-key", f"api={json.dumps(api)}")
    assert (out, here.profile("api").api is not None) == ("", True) and "made profile api" in err


def test_a_new_name_makes_a_profile(here: Here) -> None:
    """The first one is the default, the file is private, and the next step is said."""
    out, err = here.run("set", "home", "issuer=https://h.example", "client_id=h")
    assert (out, load(here.environ).default_profile) == ("", "home")
    assert here.path.stat().st_mode & 0o777 == 0o600
    assert f"made profile home in {here.path}" in err and "tokenctl login -p home" in err


def test_a_mistyped_name_that_makes_a_profile_is_told(here: Here) -> None:
    """Without an issuer it was meant for the profile that there is; the hint takes it back."""
    here.write()
    near = next(iter(load(here.environ).profiles))
    said = here.run("set", near + "k", "min_ttl=5m")[1]
    assert f"did you mean {near!r}?" in said and f"tokenctl profile remove {near}k" in said
    assert "did you mean" not in here.run("set", near + "s", "issuer=https://a.example", "client_id=c")[1]


LISTS = [
    (["hosts+=https://a.example/ http://127.0.0.1:80"], "hosts", ("https://a.example", "http://127.0.0.1")),
    (["hosts+=https://a.example", "hosts+=https://b.example"], "hosts", ("https://a.example", "https://b.example")),
    (["resource+=urn:z urn:x", "resource-=urn:y"], "resource", ("urn:x", "urn:z")),
    (["resource-=urn:y urn:x"], "resource", ()),
    (["scope+=api openid"], "scope", "api openid"),
    (["scope-=api", "scope+=openid", "audience=b"], "scope", "openid"),
]


@pytest.mark.parametrize(("words", "name", "value"), LISTS, ids=[" ".join(each[0]) for each in LISTS])
def test_a_value_is_added_to_a_list_or_removed_from_it(here: Here, words: list[str], name: str, value: object) -> None:
    """Each value is there once; and a list whose last value is removed is no setting any more."""
    here.write(CONFIG + 'scope = "api"\n')
    assert "changed" in here.run("set", "ci", *words)[1]
    found = getattr(here.profile("ci"), name)
    assert (set(found.split()) if name == "scope" else found) == (set(str(value).split()) if name == "scope" else value)
    assert value or name not in here.path.read_text()


def test_a_value_is_added_to_a_list_that_is_not_there(here: Here) -> None:
    """Also where the profile is made by it."""
    here.write()
    here.run("set", "work", "hosts+=https://a.example")
    here.run("set", "new", "issuer=https://n.example", "scope+=openid api")
    assert (here.profile("work").hosts, here.profile("new").scope) == (("https://a.example",), "openid api")


WRONG = [
    ("hosts-=https://a.example", "'https://a.example' is not in hosts of 'work'"),
    ("hosts+=a.example", "hosts: 'a.example' is not an origin"),
    ("hosts+=http://a.example", "must be https"),
    ("hosts=https://a.example/v1", "is more than an origin"),
    ("scope-=api", "'api' is not in scope of 'work'"),
    ("min_ttl+=5m", "min_ttl is not a list"),
    ("hosts+=", "hosts has no value"),
    ("audience=y", "audience is given twice"),
    ("colour+=red", "is not a setting of a profile"),
    ("scope", "is not KEY=VALUE"),
    ("scope=", "scope has no value"),
    ("colour=red", "is not a setting of a profile"),
    ("port=0", "port must be a number"),
    ("flow=password", "flow must be one of"),
    ("api={", "is not valid JSON"),
    ("source_command='pass", "without its other half"),
    ("client_secret=s3cr3t", "a secret is never in the config file"),
    ("client-secret=s3cr3t", "a secret is never in the config file"),
]


@pytest.mark.parametrize(("word", "said"), WRONG, ids=[each[0] for each in WRONG])
def test_a_wrong_setting_changes_nothing(here: Here, word: str, said: str) -> None:
    """Also none of the right ones beside it, and no secret is repeated."""
    here.write()
    out, err = here.run("set", "work", "audience=x", word, status=2)
    assert out == "" and said in err and "s3cr3t" not in err
    assert here.path.read_text() == CONFIG


def test_a_setting_is_removed(here: Here) -> None:
    """Its default counts again; one that was not there is no failure, and one that does not exist is."""
    here.write()
    here.run("unset", "ci", "flow", "resource", "port")
    assert here.profile("ci") == Profile(name="ci", issuer="https://b.example", client_id="d")
    assert "did you mean 'issuer'?" in here.run("unset", "ci", "isuer", status=2)[1]
    assert "there is no profile 'home'" in here.run("unset", "home", "scope", status=2)[1]


def test_the_default_profile_is_chosen(here: Here) -> None:
    """From the profiles that there are."""
    here.write()
    here.run("default", "ci")
    assert here.path.read_text() == CONFIG.replace('"work"', '"ci"')
    assert "there is no profile 'home'" in here.run("default", "home", status=2)[1]


def test_a_profile_that_is_signed_out_is_removed(here: Here) -> None:
    """The default one too; where several are left, one can be chosen."""
    here.write(CONFIG + "[profiles.home]\n")
    out, err = here.run("remove", "work")
    assert out == "" and list(load(here.environ).profiles) == ["ci", "home"] and "tokenctl profile default ci" in err
    assert load(here.environ).default_profile is None
    assert "there is no profile 'work'" in here.run("remove", "work", status=2)[1]


def test_a_change_says_what_it_means_for_the_session(home: Home, demo_server: FaultyServer) -> None:
    """And is true: the session of the older settings is not given out, and is back with them."""
    assert home.login(demo_server.issuer).status == 0
    harmless = home.run("profile", "set", "t", "min_ttl=1m")
    assert harmless.status == 0 and "session" not in harmless.stderr and home.run("token").status == 0
    changed = home.run("profile", "set", "t", "scope=openid")
    assert changed.status == 0 and "is not given out any more" in changed.stderr
    assert "tokenctl login -p t" in changed.stderr and home.run("token").status == 4
    assert "is not given out" in home.run("profile", "set", "t", "scope=openid offline_access").stderr
    assert home.run("token").status == 0
    moved = home.run("profile", "set", "t", "store=session")
    assert "tokenctl store migrate -p t --to session" in moved.stderr
    kept = home.run("profile", "remove", "t")
    assert kept.status == 2 and "hint: run 'tokenctl revoke -p t'" in kept.stderr and home.has_profile("t")
    assert home.run("revoke", "-p", "t").status == 0
    assert home.run("profile", "remove", "t").status == 0
    assert home.run("profile", "list", "--json").stdout == "[]\n"


def test_edits_of_many_processes_at_once_lose_nothing(home: Home) -> None:
    """Each sets another setting or makes another profile, through a link to a file of mode 0640 with comments."""
    target = home.folder / "dotfiles.toml"
    target.write_text("# mine\n[profiles.work]  # work\n# about nothing\n")
    target.chmod(0o640)
    home.config.parent.mkdir(parents=True)
    home.config.symlink_to(target)
    edits = [
        ("work", "scope=a"),
        ("work", "audience=b"),
        ("work", "port=1"),
        ("work", "env=E"),
        ("a", "port=2"),
        ("b", "port=3"),
    ]
    with ExitStack() as stack:
        started = [stack.enter_context(home.start("profile", "set", *each)) for each in edits]
        for process in started:
            assert process.wait(LONG) == 0, process.stderr and process.stderr.read()
    profiles = load({"TOKENCTL_CONFIG": str(target)}).profiles
    assert profiles["work"] == Profile(name="work", scope="a", audience="b", port=1, env="E")
    assert {name: each.port for name, each in profiles.items()} == {"work": 1, "a": 2, "b": 3}
    assert home.config.is_symlink() and target.stat().st_mode & 0o777 == 0o640
    assert (
        target.read_text().startswith("# mine\n[profiles.work]  # work\n") and "# about nothing" in target.read_text()
    )
    assert not [each for each in os.listdir(home.folder) if each.endswith(".next")]
