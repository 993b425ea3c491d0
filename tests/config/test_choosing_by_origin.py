"""The profile for a URL: the one that is bound to its origin, and never one that was not meant."""

from pathlib import Path

import pytest

from tokenctl.config import config_file, environment
from tokenctl.config.config_file import Config
from tokenctl.errors import UsageError

API, GIT = "https://api.example.com", "https://git.example.com"
PERSON = 'issuer = "https://a.example"\nclient_id = "c"\n'
JOB = {"CI": "true"}
ENV = {
    "TOKENCTL_ISSUER": "https://a.example",
    "TOKENCTL_CLIENT_ID": "c",
    "TOKENCTL_CLIENT_SECRET": "s",
    "TOKENCTL_HOSTS": API,
}


def config_of(tmp_path: Path, **profiles: str) -> Config:
    """A config file with profiles of a person; each has these lines more."""
    path = tmp_path / "config.toml"
    path.write_text("".join(f"[profiles.{name}]\n{PERSON}{more}\n" for name, more in profiles.items()))
    return config_file.load({}, str(path))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """One profile for each of two servers, and one that is bound to none."""
    return config_of(tmp_path, work=f'hosts = ["{API}"]', git=f'hosts = "{GIT}"', other="")


def test_the_one_profile_that_is_bound_is_chosen(config: Config) -> None:
    """Whatever the default is."""
    assert environment.choose_for(config, {}, None, API).name == "work"
    assert environment.choose_for(config, {}, None, GIT).name == "git"


def test_a_name_chooses_and_must_be_bound(config: Config) -> None:
    """By `-p` or by TOKENCTL_PROFILE, and `-p` counts more; another profile that is bound does not take its place."""
    assert environment.choose_for(config, {"TOKENCTL_PROFILE": "git"}, "work", API).name == "work"
    assert environment.choose_for(config, {"TOKENCTL_PROFILE": "work"}, None, API).name == "work"
    for environ, named in (({}, "git"), ({"TOKENCTL_PROFILE": "git"}, None), ({"TOKENCTL_PROFILE": "work"}, "other")):
        with pytest.raises(UsageError, match=f"is not bound to {API}") as caught:
            environment.choose_for(config, environ, named, API)
        assert f"hosts+={API}" in str(caught.value.hint)


@pytest.mark.parametrize(
    "origin", ["https://api.example.com:8443", "http://api.example.com", "https://api.example.com."]
)
def test_what_is_not_equal_is_not_bound(config: Config, origin: str) -> None:
    """Another port, scheme or spelling."""
    with pytest.raises(UsageError, match="no profile is bound"):
        environment.choose_for(config, {}, None, origin)


def test_two_profiles_for_one_origin_are_an_error(tmp_path: Path) -> None:
    """Nobody knows which account is meant; with a name it is clear."""
    config = config_of(tmp_path, work=f'hosts = ["{API}"]', home=f'hosts = ["{API}"]')
    with pytest.raises(UsageError, match="'work' and 'home' are both bound"):
        environment.choose_for(config, {}, None, API)
    assert environment.choose_for(config, {}, "home", API).name == "home"


def test_a_profile_with_a_mistake_is_not_in_the_way(tmp_path: Path) -> None:
    """Another one that is bound is chosen; where none is, the mistake may be the reason, and is told."""
    config = config_of(tmp_path, broken='flow = "nonsense"', work=f'hosts = ["{API}"]')
    assert environment.choose_for(config, {}, None, API).name == "work"
    with pytest.raises(UsageError, match="nonsense"):
        environment.choose_for(config, {}, None, GIT)


def test_the_environment_alone_can_be_bound(config: Config) -> None:
    """TOKENCTL_HOSTS binds the profile `env`, and a profile of the file does not answer in its place."""
    assert environment.choose_for(config, ENV, None, API).name == "env"
    with pytest.raises(UsageError, match="'env' is not bound") as caught:
        environment.choose_for(config, ENV, None, GIT)
    assert f"TOKENCTL_HOSTS={GIT}" in str(caught.value.hint)


def test_a_variable_does_not_bind_a_profile_of_the_file(config: Config) -> None:
    """What a workspace brings must not send a person's token to its server."""
    with pytest.raises(UsageError, match="no profile is bound"):
        environment.choose_for(config, {"TOKENCTL_HOSTS": "https://evil.example"}, None, "https://evil.example")


def test_a_job_gets_a_persons_token_only_by_name(config: Config) -> None:
    """A URL is no name."""
    with pytest.raises(UsageError, match="only by name"):
        environment.choose_for(config, JOB, None, API)
    assert environment.choose_for(config, JOB, "work", API).name == "work"
    assert environment.choose_for(config, JOB | {"TOKENCTL_PROFILE": "work"}, None, API).name == "work"
    assert environment.choose_for(config, JOB | ENV, None, API).name == "env"
