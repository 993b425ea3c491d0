"""The config file and the environment."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tokenctl.config import variables
from tokenctl.config.config_file import check, config_path, home, load
from tokenctl.config.editing import change, set_default
from tokenctl.config.environment import asked, choose, override
from tokenctl.errors import UsageError
from tokenctl.model.profile import Profile, from_members, members_of

TWO = """default_profile = "work"
[profiles.work]
issuer = "https://a.example"
client_id = "c"
scope = "openid"
[profiles.home]
issuer = "https://b.example"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The config file, empty."""
    path = tmp_path / "config.toml"
    path.write_text("")
    return path


def env(path: Path, **more: str) -> dict[str, str]:
    """An environment with that config file."""
    return {"TOKENCTL_CONFIG": str(path), **more}


@pytest.mark.parametrize(
    ("environ", "named", "expected"),
    [
        ({"HOME": "/h"}, None, ("/h/.config/tokenctl/config.toml", False)),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "/x"}, None, ("/x/tokenctl/config.toml", False)),
        ({"HOME": "/h", "XDG_CONFIG_HOME": ""}, None, ("/h/.config/tokenctl/config.toml", False)),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "x"}, None, ("/h/.config/tokenctl/config.toml", False)),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "./x"}, None, ("/h/.config/tokenctl/config.toml", False)),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "/x", "TOKENCTL_CONFIG": "/e.toml"}, None, ("/e.toml", True)),
        ({"HOME": "/h", "TOKENCTL_CONFIG": "/e.toml"}, "/n.toml", ("/n.toml", True)),
        ({"HOME": "/h", "TOKENCTL_CONFIG": ""}, "/n.toml", ("/n.toml", True)),
    ],
)
@pytest.mark.skipif("sys.platform != 'linux'", reason="the other platforms have folders of their own")
def test_the_file_is_where_option_environment_and_platform_say(
    environ: dict[str, str], named: str | None, expected: tuple[str, bool]
) -> None:
    """In that order; a relative XDG folder would be the current directory, and is ignored."""
    assert config_path(environ, named) == (Path(expected[0]), expected[1])


@pytest.mark.parametrize("value", ["", ".", "relative/home", "./x"])
def test_a_home_is_never_relative(value: str) -> None:
    """A HOME that means the current directory means nothing."""
    assert home({"HOME": value}).is_absolute()


def test_nothing_is_read_from_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository that somebody clones cannot bring a configuration."""
    for name in (
        "config.toml",
        "tokenctl.toml",
        ".tokenctl.toml",
        "tokenctl/config.toml",
        ".config/tokenctl/config.toml",
    ):
        (tmp_path / "cwd" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "cwd" / name).write_text(TWO)
    monkeypatch.chdir(tmp_path / "cwd")
    for environ in ({"HOME": str(tmp_path)}, {"HOME": "."}, {"HOME": str(tmp_path), "XDG_CONFIG_HOME": "."}):
        assert load(environ).profiles == {}


def test_a_missing_default_file_is_an_empty_one(tmp_path: Path) -> None:
    """Nobody promised it."""
    assert load({"HOME": str(tmp_path)}).profiles == {}


@pytest.mark.parametrize("by_option", [True, False])
def test_a_missing_file_that_was_named_is_a_usage_error(tmp_path: Path, by_option: bool) -> None:
    """Whoever names a file wants that one."""
    path = tmp_path / "absent.toml"
    with pytest.raises(UsageError, match=r"absent\.toml does not exist"):
        load({} if by_option else env(path), str(path) if by_option else None)


def test_a_decent_file_is_read(file: Path) -> None:
    """Profiles in the file's order, and the default one's name."""
    file.write_text(TWO)
    config = load(env(file))
    assert list(config.profiles) == ["work", "home"] and config.default_profile == "work" and config.path == file
    assert config.profiles["home"] == Profile(name="home", issuer="https://b.example")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("x\n", "line 1"),
        ('default_profile = "a"\n\n[profiles.a\n', "line 3"),
        ("[profiles.a]\nport = 1\nport = 2\n", "line 3"),
        ("[profiles.a]\n[profiles.a]", "line 2"),
        ("a = 1979-13-45", "line 1"),
        ('a = "\x1b"', "line 1"),
        ("unknown = 1", "'unknown'"),
        ("[profile.work]", "'profile'"),
        ("profiles = 7", "profiles"),
        ("[[profiles]]", "profiles"),
        ("profiles.work = 7", "profiles"),
        ("[[profiles.work]]", "profiles"),
        ('default_profile = "absent"', "default_profile"),
        ("default_profile = 7", "default_profile"),
        ("default_profile = true\n[profiles.a]", "default_profile"),
        ("[profiles.work]\nport = 0", r"profiles\.work: port"),
        ("[profiles.work]\nresource = [7]", r"profiles\.work: resource"),
        ("[profiles.work]\nissuer = 1979-05-27", r"profiles\.work: issuer"),
        ("[profiles.work]\nmin_ttl = nan", r"profiles\.work: min_ttl"),
        ("[profiles.work]\nclient_secret = 's'", r"profiles\.work: 'client_secret'"),
        ("[profiles.work.nested]", r"profiles\.work: 'nested'"),
        ("[profiles.'a/../b']", "'a/../b'"),
        ("[profiles.'']", "''"),
        ('[profiles."a\\nb"]', "a"),
    ],
)
def test_a_malformed_file_is_named_with_its_line_or_key(file: Path, text: str, what: str) -> None:
    """A person finds the place to mend from the message alone."""
    file.write_text(text)
    with pytest.raises(UsageError, match=what) as caught:
        check(load(env(file)))
    assert str(file) in caught.value.message


@pytest.mark.parametrize(
    ("mistake", "what"),
    [("prot = 1", r"profiles\.home: 'prot'"), ("port = 0", r"profiles\.home: port"), ("port =", "TOML: .*line 7")],
)
def test_a_mistake_in_one_profile_does_not_refuse_another_one(file: Path, mistake: str, what: str) -> None:
    """What is asked for is read; the profile with the mistake, and an edit of the file, are refused."""
    file.write_text(TWO.replace('issuer = "https://b.example"', mistake))
    config = load(env(file))
    assert choose(config, {}).issuer == "https://a.example" and list(config.profiles) == ["work", "home"]
    with pytest.raises(UsageError, match=what):
        choose(config, {}, "home")
    for edit in (partial(set_default, config, "home"), partial(change, config, "work", {"port": 1})):
        with pytest.raises(UsageError, match=what):
            edit()


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ("[profiles.Work]", "differ only in upper and lower case"),
        ("[profile.x]", "'profile'"),
        ("[profiles]\ncolour = 1", "profiles must be tables"),
    ],
)
def test_what_has_to_do_with_every_profile_is_always_checked(file: Path, more: str, what: str) -> None:
    """Their names and the top level: there a mistake can be about the profile that is asked for."""
    file.write_text(f"{TWO}{more}\n")
    with pytest.raises(UsageError, match=what):
        load(env(file))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("defualt_profile = 'a'\n[profiles.a]", "did you mean 'default_profile'?"),
        ("[profile.work]", "did you mean 'profiles'?"),
        ("issuer = 'https://a.example'", "issuer belongs into the table of a profile: write it below [profiles.NAME]"),
        ("colour = 1", "the top level has default_profile and [profiles.NAME] only"),
        ("default_profile = 'wrok'\n[profiles.work]", "did you mean 'work'?"),
        (
            "default_profile = 'x'\n[profiles.work]\n[profiles.home]",
            "name another one there, or remove default_profile; the profiles are: work, home",
        ),
        ("[profiles.work]\nisuer = 'https://a.example'", "did you mean 'issuer'?"),
    ],
)
def test_a_typo_gets_the_nearest_name(file: Path, text: str, hint: str) -> None:
    """At the top level, in a profile, and in the name of the default profile."""
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        check(load(env(file)))
    assert caught.value.hint == hint


@pytest.mark.parametrize("text", ['default_profile = ["a"]', "default_profile = {}\n[profiles.a]"])
def test_a_default_profile_that_is_no_text_is_named(file: Path, text: str) -> None:
    """A list or a table is no name."""
    file.write_text(text)
    with pytest.raises(UsageError, match="default_profile"):
        load(env(file))


@pytest.mark.parametrize("text", ["x = " + "[" * 10_000, "x = " + "9" * 5000])
def test_an_absurd_file_is_named(file: Path, text: str) -> None:
    """Endless brackets and digits are malformed like everything else."""
    file.write_text(text)
    with pytest.raises(UsageError, match=r"config\.toml"):
        load(env(file))


def test_a_file_that_cannot_be_read_is_named(file: Path) -> None:
    """Other bytes than UTF-8, or a folder in its place."""
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"config\.toml is not UTF-8"):
        load(env(file))
    with pytest.raises(UsageError, match="cannot be read"):
        load(env(file.parent))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary() | st.text(alphabet="[]{}=\"'.#\n\\ profiles.defaultwk1T:-", max_size=60).map(str.encode))
def test_any_file_is_a_config_or_a_usage_error(file: Path, content: bytes) -> None:
    """No bytes make the reader fail in another way."""
    file.write_bytes(content)
    try:
        config = load(env(file))
        assert config.path == file
        check(config)
    except UsageError as reason:
        said = reason.message
    else:
        said = str(file)
    assert str(file) in said


@pytest.mark.parametrize(
    ("named", "environ", "expected"),
    [
        ("home", {"TOKENCTL_PROFILE": "work"}, "home"),
        (None, {"TOKENCTL_PROFILE": "home"}, "home"),
        (None, {}, "work"),
    ],
)
def test_the_profile_is_the_named_then_the_default_one(
    file: Path, named: str | None, environ: dict[str, str], expected: str
) -> None:
    """Option, then environment, then file."""
    file.write_text(TWO)
    assert choose(load(env(file)), environ, named).name == expected


def test_the_only_profile_needs_no_name(file: Path) -> None:
    """With several and no default, one must be named, and the hint lists them."""
    file.write_text("[profiles.one]")
    assert choose(load(env(file)), {}).name == "one"
    file.write_text("[profiles.one]\n[profiles.two]")
    with pytest.raises(UsageError, match="several") as caught:
        choose(load(env(file)), {})
    assert "one, two" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "named", "what"),
    [("", None, "no profile yet"), ("", "x", "'x'"), (TWO, "x", "'x'"), (TWO, "a b", "'a b'")],
)
def test_an_absent_profile_is_a_usage_error(file: Path, text: str, named: str | None, what: str) -> None:
    """Exit status 2, and a way to make it."""
    file.write_text(text)
    with pytest.raises(UsageError, match=what) as caught:
        choose(load(env(file)), {}, named)
    assert caught.value.exit_status == 2 and caught.value.hint


def test_the_environment_sets_little_over_a_profile(file: Path) -> None:
    """Store and min_ttl; scope, resource and audience are asked for within the session; nothing else moves."""
    file.write_text(TWO)
    config = load(env(file))
    environ = {"TOKENCTL_SCOPE": "a b", "TOKENCTL_RESOURCE": "urn:x urn:y"}
    environ |= {"TOKENCTL_MIN_TTL": "5m", "TOKENCTL_STORE": "file", "TOKENCTL_FLOW": "password"}
    environ |= {"TOKENCTL_TOKEN_ENDPOINT": "https://evil.example", "TOKENCTL_SOURCE_COMMAND": "evil"}
    assert choose(config, environ) == replace(config.profiles["work"], min_ttl=300, store="file")
    work = choose(config, {})
    assert asked(environ, work) == {"scope": "a b", "resource": ("urn:x", "urn:y")}
    assert asked({"TOKENCTL_SCOPE": "openid"}, work) == {}  # what the session is for anyway
    with pytest.raises(UsageError, match="environment: TOKENCTL_STORE must"):
        choose(config, {"TOKENCTL_STORE": "nowhere"})
    with pytest.raises(UsageError, match="environment: TOKENCTL_RESOURCE: "):
        asked({"TOKENCTL_RESOURCE": "x"}, work)


def test_options_go_over_everything() -> None:
    """They are checked like a file's settings."""
    profile = Profile(name="x", scope="file", issuer="https://a.example")
    assert override(profile, {"scope": "option"}, "option") == Profile(
        name="x", scope="option", issuer="https://a.example"
    )
    with pytest.raises(UsageError, match="option: port"):
        override(profile, {"port": 0}, "option")


MACHINE = {"TOKENCTL_ISSUER": "https://a.example", "TOKENCTL_CLIENT_ID": "c"}


@pytest.mark.parametrize(
    ("more", "flow", "store"),
    [
        ({}, "auto", "keyring"),
        ({"TOKENCTL_CLIENT_SECRET": "s"}, "client-credentials", "memory"),
        ({"TOKENCTL_CLIENT_SECRET_FILE": __file__}, "client-credentials", "memory"),
        ({"TOKENCTL_API_KEY": "s"}, "api-key", "memory"),
        ({"TOKENCTL_ID_TOKEN": "s"}, "workload", "memory"),
        ({"TOKENCTL_ID_TOKEN_FILE": __file__}, "workload", "memory"),
        ({"TOKENCTL_CLIENT_KEY_FILE": "/k"}, "client-credentials", "memory"),
        ({"TOKENCTL_CLIENT_SECRET": "s", "TOKENCTL_ID_TOKEN": "s", "TOKENCTL_FLOW": "workload"}, "workload", "memory"),
        ({"TOKENCTL_CLIENT_SECRET": "s", "TOKENCTL_FLOW": "device"}, "device", "keyring"),
        (
            {"TOKENCTL_CLIENT_SECRET": "s", "TOKENCTL_ID_TOKEN": "s", "TOKENCTL_FLOW": "client-credentials"},
            *("client-credentials", "memory"),
        ),
        (
            {"TOKENCTL_CLIENT_KEY_FILE": "/k", "TOKENCTL_ID_TOKEN": "s", "TOKENCTL_FLOW": "client-credentials"},
            *("client-credentials", "memory"),
        ),
        ({"TOKENCTL_CLIENT_SECRET": "s", "TOKENCTL_STORE": "file"}, "client-credentials", "file"),
        ({"TOKENCTL_FLOW": "client-credentials", "TOKENCTL_STORE": "file"}, "client-credentials", "file"),
        ({"TOKENCTL_ID_TOKEN_FILE": __file__, "TOKENCTL_SOURCE": "kubernetes"}, "workload", "memory"),
        ({"TOKENCTL_ID_TOKEN": "s", "TOKENCTL_SOURCE": "gitlab"}, "workload", "memory"),
        ({"TOKENCTL_PROFILE": "env"}, "auto", "keyring"),
    ],
)
def test_the_environment_alone_makes_a_profile(file: Path, more: dict[str, str], flow: str, store: str) -> None:
    """It is called env; with a client secret it is a machine's, and keeps nothing."""
    found = choose(load(env(file)), {**MACHINE, **more})
    assert (found.name, found.issuer, found.client_id, found.flow, found.store) == (
        *("env", "https://a.example", "c"),
        *(flow, store),
    )


@pytest.mark.parametrize("missing", sorted(MACHINE))
def test_half_an_environment_names_what_is_missing(file: Path, missing: str) -> None:
    """Issuer and client id make it whole."""
    environ = {name: value for name, value in MACHINE.items() if name != missing} | {"TOKENCTL_PROFILE": "env"}
    with pytest.raises(UsageError, match=f"^{missing} is not set"):
        choose(load(env(file)), environ)


def test_a_profile_of_the_file_may_be_called_env(file: Path) -> None:
    """It is then that one."""
    file.write_text("[profiles.env]\nissuer = 'https://b.example'")
    assert choose(load(env(file)), {}, "env").issuer == "https://b.example"


def test_a_private_key_in_the_environment_signs(file: Path, tmp_path: Path) -> None:
    """From the variable or its file, a PEM key means private_key_jwt; it is never a password."""
    key = "-----BEGIN PRIVATE KEY-----\nMII=\n-----END PRIVATE KEY-----\n"
    (tmp_path / "key").write_text(key)
    for more in ({"TOKENCTL_CLIENT_SECRET": key}, {"TOKENCTL_CLIENT_SECRET_FILE": str(tmp_path / "key")}):
        found = choose(load(env(file)), MACHINE | more)
        assert (found.flow, found.auth_method) == ("client-credentials", "private_key_jwt")


def test_a_token_api_comes_from_the_environment(file: Path) -> None:
    """As JSON, and then there is no issuer to name; a text that is no JSON is named by its variable."""
    api = {"login": {"url": "https://a.example", "body": {"k": "{api_key}"}, "access_token": "/t"}}
    environ = {"TOKENCTL_PROFILE": "env", "TOKENCTL_API_KEY": "k", "TOKENCTL_API": json.dumps(api)}
    found = choose(load(env(file)), environ)
    assert found.api is not None and found.api.login.url == "https://a.example" and found.flow == "api-key"
    with pytest.raises(UsageError, match="TOKENCTL_API is not valid JSON"):
        choose(load(env(file)), environ | {"TOKENCTL_API": "x"})


OTHER = {"TOKENCTL_ISSUER": "https://b.example", "TOKENCTL_CLIENT_ID": "d"}


# -- who is asked for ------------------------------------------------------------------------------

JOB = """default_profile = "me"
[profiles.me]
issuer = "https://a.example"
client_id = "c"
[profiles.ci]
issuer = "https://a.example"
client_id = "c"
flow = "client-credentials"
[profiles.job]
issuer = "https://a.example"
client_id = "c"
flow = "workload"
[profiles.web]
issuer = "https://a.example"
client_id = "c"
token_endpoint_auth_method = "client_secret_basic"
"""


@pytest.mark.parametrize(
    ("name", "environ", "both"),
    [
        ("me", {"TOKENCTL_ISSUER": "https://b.example"}, ("https://a.example", "https://b.example")),
        ("me", {"TOKENCTL_CLIENT_ID": "d"}, ("'me'", "'d'")),
        ("me", {"TOKENCTL_ID_TOKEN": "t"}, ("'me'", "TOKENCTL_ID_TOKEN")),
        ("ci", {"TOKENCTL_ID_TOKEN": "t"}, ("'ci'", "TOKENCTL_ID_TOKEN")),
        ("job", {"TOKENCTL_ID_TOKEN_FILE": __file__}, ("'job'", "TOKENCTL_ID_TOKEN")),
        ("me", {"TOKENCTL_ISSUER": ""}, ("TOKENCTL_ISSUER", "empty")),
    ],
)
@pytest.mark.parametrize("by_variable", [False, True])
def test_a_variable_that_contradicts_the_name_is_refused(
    file: Path, name: str, environ: dict[str, str], both: tuple[str, str], by_variable: bool
) -> None:
    """Exit 2, and both are named; neither wins in silence."""
    file.write_text(JOB)
    with pytest.raises(UsageError) as caught:
        choose(
            load(env(file)),
            environ | ({"TOKENCTL_PROFILE": name} if by_variable else {}),
            None if by_variable else name,
        )
    assert all(each in caught.value.message for each in both)


@pytest.mark.parametrize(
    ("name", "environ"),
    [
        ("me", {"TOKENCTL_ISSUER": "https://a.example", "TOKENCTL_CLIENT_ID": "c"}),
        ("job", {"TOKENCTL_ID_TOKEN": "t", "CI": "true"}),
        ("me", {"CI": "true"}),
        ("ci", {"TOKENCTL_CLIENT_SECRET": "s"}),
        ("web", {"TOKENCTL_CLIENT_SECRET": "s"}),
        ("me", {"TOKENCTL_CLIENT_SECRET": "s", "TOKENCTL_ISSUER": "https://a.example"}),
    ],
)
def test_a_variable_that_agrees_with_the_name_is_fine(file: Path, name: str, environ: dict[str, str]) -> None:
    """The named profile is the one."""
    file.write_text(JOB)
    assert choose(load(env(file)), environ, name).name == name


@pytest.mark.parametrize(
    ("text", "name", "environ", "said"),
    [
        (JOB, None, {"TOKENCTL_ISSUER": "https://b.example"}, "TOKENCTL_CLIENT_ID is not set, and TOKENCTL_ISSUER"),
        (JOB, None, {"TOKENCTL_CLIENT_ID": "c"}, "TOKENCTL_ISSUER is not set, and TOKENCTL_CLIENT_ID"),
        (JOB, None, {"TOKENCTL_ID_TOKEN": "t"}, "TOKENCTL_ISSUER and TOKENCTL_CLIENT_ID are not set, and TOKENCTL_ID_TOKEN"),
        (JOB, None, {"TOKENCTL_ID_TOKEN_FILE": __file__, "TOKENCTL_ISSUER": "https://b.example"}, "TOKENCTL_CLIENT_ID is not set"),
        (JOB, None, {"TOKENCTL_ISSUER": ""}, "TOKENCTL_ISSUER is set and empty"),
        (JOB, None, {"TOKENCTL_CLIENT_ID": "", "CI": "true"}, "TOKENCTL_CLIENT_ID is set and empty"),
        (JOB, None, {"TOKENCTL_ID_TOKEN": ""}, "TOKENCTL_ID_TOKEN is set and empty"),
        (JOB, None, {"TOKENCTL_ID_TOKEN_FILE": ""}, "TOKENCTL_ID_TOKEN_FILE is set and empty"),
        (JOB, None, {"CI": "true"}, "CI is set, and profile 'me' is a person's"),
        (JOB, None, {"TF_BUILD": "True"}, "TF_BUILD is set, and profile 'me' is a person's"),
        (JOB, None, {"JENKINS_URL": "https://j.example", "BUILD_ID": "7"}, "JENKINS_URL and BUILD_ID are set, and profile"),
        ("[profiles.one]", None, {"CI": "1"}, "'one' is a person's"),
        (JOB, None, {"CI": "1", "TOKENCTL_ISSUER": "https://b.example", "TOKENCTL_CLIENT_ID": "c"}, "none of TOKENCTL_CLIENT_SECRET, "),
        (JOB, None, {"TOKENCTL_CLIENT_SECRET": "s"}, "TOKENCTL_CLIENT_SECRET is set, and profile 'me'"),
        (JOB, "me", {"TOKENCTL_API_KEY": "s"}, "TOKENCTL_API_KEY is set, and profile 'me'"),
        (JOB, "web", {"TOKENCTL_API_KEY": "s"}, "TOKENCTL_API_KEY is set, and profile 'web'"),
        (JOB, None, {"TOKENCTL_CLIENT_SECRET": ""}, "TOKENCTL_CLIENT_SECRET is set and empty"),
        (JOB, "ci", {"TOKENCTL_CLIENT_SECRET": ""}, "TOKENCTL_CLIENT_SECRET is set and empty"),
        (JOB, "ci", {"TOKENCTL_API_KEY_FILE": "/no/such/file"}, "/no/such/file cannot be read"),
        ("", None, {"CI": "true"}, "CI is set, and nothing says who is asked: TOKENCTL_ISSUER and"),
        ("", None, {"TOKENCTL_API_KEY": "k"}, "TOKENCTL_API_KEY is set, and nothing says who is asked: TOKENCTL_ISSUER"),
        (JOB, None, OTHER | {"TOKENCTL_FLOW": "client-credentials"}, "TOKENCTL_CLIENT_SECRET is not set, and the client-"),
        (JOB, None, OTHER | {"TOKENCTL_FLOW": "api-key"}, "TOKENCTL_API_KEY is not set, and the api-key flow"),
        (JOB, None, OTHER | {"TOKENCTL_ID_TOKEN": "t", "TOKENCTL_SOURCE": "github"}, "TOKENCTL_ID_TOKEN is set, and the"),
        (JOB, None, OTHER | {"TOKENCTL_ID_TOKEN_FILE": __file__, "TOKENCTL_SOURCE_FILE": "/t"}, "TOKENCTL_ID_TOKEN is set"),
        (JOB, None, {**dict.fromkeys(("TOKENCTL_CLIENT_SECRET", "TOKENCTL_ID_TOKEN"), "x"),
                     "TOKENCTL_ISSUER": "https://b.example", "TOKENCTL_CLIENT_ID": "c"}, "each is for another flow"),
        *((JOB, None, OTHER | {"TOKENCTL_ID_TOKEN": "t", "TOKENCTL_FLOW": flow}, f"TOKENCTL_ID_TOKEN is set, and the {flow} flow")
          for flow in ("auto", "browser", "device", "client-credentials")),
        (JOB, None, OTHER | {"TOKENCTL_ID_TOKEN": "t", "TOKENCTL_FLOW": "device", "CI": "1"}, "TOKENCTL_ID_TOKEN is set, and the dev"),
        (JOB, None, OTHER | {"TOKENCTL_API_KEY": "k", "TOKENCTL_FLOW": "browser"}, "TOKENCTL_API_KEY is set, and the browser flow"),
        (JOB, None, OTHER | {"TOKENCTL_CLIENT_SECRET": "s", "TOKENCTL_CLIENT_KEY_FILE": "/k"}, "are both set"),
    ],
)  # fmt: skip
def test_a_job_never_falls_through_to_a_person(
    file: Path, text: str, name: str | None, environ: dict[str, str], said: str
) -> None:
    """What is set and cannot be used is exit 2 with that reason, whatever the config file has."""
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        choose(load(env(file)), environ, name)
    assert said in caught.value.message


def test_a_variable_chooses_the_environment_whatever_the_file_has(file: Path) -> None:
    """Without a name, who is named by a variable is asked; also if the file has a default, or a profile called env."""
    file.write_text(JOB + "[profiles.env]\nissuer = 'https://a.example'\nscope = 'wide'\n")
    environ = {"TOKENCTL_ISSUER": "https://b.example", "TOKENCTL_CLIENT_ID": "d", "TOKENCTL_CLIENT_SECRET": "s"}
    found = choose(load(env(file)), environ | {"CI": "true"})
    assert (found.name, found.issuer, found.client_id, found.scope) == ("env", "https://b.example", "d", None)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("TOKENCTL_SCOPES", "TOKENCTL_SCOPES is no variable of tokenctl; did you mean 'TOKENCTL_SCOPE'?"),
        (
            "TOKENCTL_CLIENTSECRET",
            "TOKENCTL_CLIENTSECRET is no variable of tokenctl; did you mean 'TOKENCTL_CLIENT_SECRET'?",
        ),
        ("TOKENCTL_ZZZZZZZZZZ", "TOKENCTL_ZZZZZZZZZZ is no variable of tokenctl"),
        ("TOKENCTL_FLOW", "TOKENCTL_FLOW has no effect"),
        ("TOKENCTL_CA_FILE", "TOKENCTL_CA_FILE has no effect"),
        ("TOKENCTL_STATE_DIR", ""),
        ("TOKENCTL_API_KEY_FILE", ""),
        ("TOKENCTL_MIN_TTL", ""),
        ("TOKENCTL_MINE", ""),
        ("NOT_OURS", ""),
    ],
)
def test_a_variable_without_effect_is_named(name: str, said: str) -> None:
    """A typing error gets the nearest name; of a variable that is used nothing is said."""
    profile = Profile(name="x", source_variable="TOKENCTL_MINE")
    found = list(variables.warnings({name: "device"}, profile, ad_hoc=False))
    assert [each.startswith(said) for each in found] == ([True] if said else []), found


def test_what_a_profile_says_can_be_written_and_read() -> None:
    """Only what differs from the defaults, in the forms that a file has."""
    profile = Profile(name="x", issuer="https://a.example", resource=("urn:a",), params=(("a", "b"),), min_ttl=5)
    members = members_of(profile)
    assert members == {"issuer": "https://a.example", "resource": ["urn:a"], "params": {"a": "b"}, "min_ttl": 5}
    assert from_members("x", members, "here") == profile
