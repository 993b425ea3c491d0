"""What the environment says: each variable says something, or is an error; each setting has one."""

import json
from dataclasses import fields
from pathlib import Path

import pytest

from tokenctl.config import config_file, environment, variables
from tokenctl.errors import UsageError
from tokenctl.model.profile import CHECKS, Profile, from_members
from tokenctl.storage.state_dir import state_home

MACHINE = {"TOKENCTL_ISSUER": "https://a.example", "TOKENCTL_CLIENT_ID": "c"}
PERSON = '[profiles.me]\nissuer = "https://a.example"\nclient_id = "c"\nscope = "wide"\n'


@pytest.fixture
def config(tmp_path: Path) -> config_file.Config:
    """A config file with the profile of a person."""
    path = tmp_path / "config.toml"
    path.write_text(PERSON)
    return config_file.load({}, str(path))


NOTHING = ["", " ", "\t", "\n", "$CI_SECRET", "${Secret}", "$(my.secret)", "${{ secrets.X }}", "%X%"]


@pytest.mark.parametrize("name", variables.NAMES)
def test_a_variable_that_says_nothing_is_2_and_named(config: config_file.Config, name: str) -> None:
    """Whatever it is for: empty, blank, or a reference that a CI system left; no person's profile answers for it."""
    for value in NOTHING:
        for named in (None, "me"):
            with pytest.raises(UsageError) as caught:
                environment.choose(config, {name: value}, named)
            assert caught.value.message.startswith(f"{name} ") and caught.value.exit_status == 2
            said = caught.value.message + (caught.value.hint or "")
            secret = name.endswith(("SECRET", "API_KEY", "ID_TOKEN", "PASSPHRASE"))
            assert not value.strip() or (value in said) != secret


@pytest.mark.parametrize("value", ["", "$STATE", " "])
def test_the_two_places_are_not_taken_for_the_usual_ones(value: str) -> None:
    """Commands that choose no profile read the config file and the state directory too."""
    with pytest.raises(UsageError, match="TOKENCTL_CONFIG"):
        config_file.config_path({"TOKENCTL_CONFIG": value})
    with pytest.raises(UsageError, match="TOKENCTL_STATE_DIR"):
        state_home({"TOKENCTL_STATE_DIR": value})


@pytest.mark.parametrize("secret", ["$ecret", "a$CI", "$1", "100%", "$(x) y", "%a%", "{x}", "$", "$$"])
def test_a_secret_may_have_any_character(config: config_file.Config, secret: str) -> None:
    """Only a text that is a reference as a whole is refused."""
    found = environment.choose(config, MACHINE | {"TOKENCTL_CLIENT_SECRET": secret})
    assert found.flow == "client-credentials"


EXAMPLES: dict[str, tuple[str, object]] = {
    "issuer": ("https://a.example", "https://a.example"),
    "scope": ("a b", "a b"),
    "resource": ("urn:x urn:y", ["urn:x", "urn:y"]),
    "hosts": ("https://a.example, http://[::1]:80", ["https://a.example", "http://[::1]"]),
    "flow": ("device", "device"),
    "store": ("file", "file"),
    "passphrase_command": ("pass show 'a b'", ["pass", "show", "a b"]),
    "env": ("AUTH=Bearer {access_token}", "AUTH=Bearer {access_token}"),
    "min_ttl": ("2m", "2m"),
    "port": ("8400", 8400),
    "token_endpoint_auth_method": ("client_secret_post", "client_secret_post"),
    "client_key_file": ("/k", "/k"),
    "assertion_algorithm": ("ES256", "ES256"),
    "assertion_audience": ("token_endpoint", "token_endpoint"),
    "source": ("github", "github"),
    "source_file": ("/t", "/t"),
    "source_variable": ("MINE", "MINE"),
    "source_command": ('["spire-agent", "api"]', ["spire-agent", "api"]),
    "identity_use": ("jwt-bearer", "jwt-bearer"),
    "narrow_by": ("token-exchange", "token-exchange"),
    "params": ("prompt=login max_age=60", {"prompt": "login", "max_age": "60"}),
    "ca_file": ("/ca", "/ca"),
    "renewal_ends_access_token": ("true", True),
    "audit": ("off", "off"),
    "cache": ("0", False),
}
"""Setting -> its variable's text, and the same in the config file. A setting that is not here is any text."""
HOST = {"https://a.example": {"username": "me", "prefix": "token "}}
API = {"login": {"url": "https://a.example", "body": {"k": "{api_key}"}, "access_token": "/t"}}


def example(name: str) -> tuple[str, object]:
    """A setting's variable, and the config file's value that it stands for."""
    if name == "api":
        return json.dumps(API), API
    if name == "host":
        return json.dumps(HOST), HOST
    return EXAMPLES.get(name, ("https://a.example/x", "https://a.example/x"))


@pytest.mark.parametrize("name", CHECKS)
def test_each_setting_of_the_profile_env_has_a_variable(config: config_file.Config, name: str) -> None:
    """It means what the config file's setting means: lists are words or JSON, tables are pairs or JSON."""
    text, value = example(name)
    key = {"client_key_file": {"token_endpoint_auth_method": "private_key_jwt"}}.get(name, {})
    found = environment.choose(config, MACHINE | {f"TOKENCTL_{name.upper()}": text})
    assert getattr(found, name) == getattr(from_members("env", {name: value, **key}, "here"), name)
    assert getattr(found, name) != Profile.__dataclass_fields__[name].default


@pytest.mark.parametrize("name", CHECKS)
def test_over_a_profile_of_the_file_only_harmless_variables_act(config: config_file.Config, name: str) -> None:
    """Another one moves nothing: it is said to have no effect, or contradicts the name."""
    text, _ = example(name)
    environ = {f"TOKENCTL_{name.upper()}": text}
    before = config.profiles["me"]
    if name == "client_id":
        with pytest.raises(UsageError, match="TOKENCTL_CLIENT_ID"):
            environment.choose(config, environ, "me")
        return
    found = environment.choose(config, environ, "me")
    acts = {each.name for each in fields(Profile) if getattr(found, each.name) != getattr(before, each.name)}
    acts |= set(environment.asked(environ, before))
    warned = "".join(variables.warnings(environ, before, ad_hoc=False))
    harmless = {"scope", "resource", "audience", "min_ttl", "store", "cache"}
    assert acts == {name} & harmless
    assert ("has no effect" in warned) == (name not in {"issuer", *harmless}), warned


def test_a_line_end_that_a_page_of_a_ci_system_adds_is_not_part_of_a_setting(config: config_file.Config) -> None:
    """Neither where it describes the profile, nor where it agrees with a named one."""
    environ = {name: f"{value}\r\n" for name, value in MACHINE.items()}
    found = environment.choose(config, environ | {"TOKENCTL_CLIENT_SECRET": "s\n"})
    assert (found.issuer, found.client_id) == ("https://a.example", "c")
    assert environment.choose(config, environ, "me").name == "me"


def test_a_file_with_an_identity_may_be_named_as_any_other(
    config: config_file.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its path may be relative, as that of a client secret; the renewals of the session find it all the same."""
    (tmp_path / "token").write_text("t")
    monkeypatch.chdir(tmp_path)
    found = environment.choose(config, MACHINE | {"TOKENCTL_ID_TOKEN_FILE": "token"})
    assert (found.flow, found.source, found.source_file) == ("workload", "file", str(tmp_path / "token"))


def test_every_variable_is_known_to_itself() -> None:
    """No variable that acts is warned of as unknown."""
    found = [
        each for name in variables.NAMES for each in variables.warnings({name: "x"}, Profile(name="env"), ad_hoc=True)
    ]
    assert found == []
