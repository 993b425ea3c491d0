"""Which profile is used, and why: the rules of design 5.2, by the resolver of `token`."""

import pytest

from tests.doctor.conftest import Setup
from tokenctl.doctor import choice
from tokenctl.doctor.finding import Finding

MACHINE = {"TOKENCTL_ISSUER": "https://e.example", "TOKENCTL_CLIENT_ID": "c", "TOKENCTL_CLIENT_SECRET": "s3cr3t"}


def looked(setup: Setup, name: str | None = None, **environ: str) -> list[Finding]:
    """What the check finds."""
    return [*choice.look(setup.case(name, environ))]


@pytest.mark.parametrize(
    ("name", "environ", "profile", "why"),
    [
        ("b", {"TOKENCTL_PROFILE": "a"}, "b", "-p names it"),
        (None, {"TOKENCTL_PROFILE": "b"}, "b", "TOKENCTL_PROFILE names it"),
        (None, {}, "a", "it is the default_profile"),
        (None, MACHINE, "env", "TOKENCTL_ISSUER and TOKENCTL_CLIENT_ID describe it in the environment"),
        ("env", MACHINE, "env", "-p names it"),
    ],
)
def test_why_it_is_this_profile(
    setup: Setup, name: str | None, environ: dict[str, str], profile: str, why: str
) -> None:
    """The first rule that holds is said, with the config file."""
    setup.write("a", "b", head='default_profile = "a"\n')
    (found,) = looked(setup, name, **environ)
    assert found.status == "ok" and found.sentence.startswith(f"{profile} is used, because {why}; ")
    assert str(setup.config) in found.sentence and found.more["profile"] == profile


def test_the_only_profile_needs_no_name(setup: Setup) -> None:
    """It is said to be the only one."""
    (found,) = looked(setup)
    assert "because it is the only one" in found.sentence


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"TOKENCTL_PROFILE": "tt"}, "there is no profile 'tt'"),
        ({"TOKENCTL_CLIENT_ID": ""}, "TOKENCTL_CLIENT_ID is set and empty"),
        ({"CI": "true"}, "CI is set, and profile 't' is a person's"),
    ],
)
def test_no_profile_can_be_chosen(setup: Setup, environ: dict[str, str], said: str) -> None:
    """It fails with the words and the status of `token`."""
    (found,) = looked(setup, **environ)
    assert (found.status, found.exit_status) == ("failed", 2)
    assert said in found.sentence and found.remedy


def test_the_value_of_a_variable_is_not_told(setup: Setup) -> None:
    """Where a variable contradicts the profile, both are named, and the examination leaves out the value."""
    from tokenctl.doctor.checks import CHECKS
    from tokenctl.doctor.examination import examine

    case = setup.case("t", {"TOKENCTL_ISSUER": "https://hunter2.example", "TOKENCTL_CLIENT_ID": "c"})
    made = examine(case, [each for each in CHECKS if each.name == "profile"])
    assert "TOKENCTL_ISSUER" in made.findings[0].sentence and "hunter2" not in repr(made)


def test_a_file_that_is_not_toml(setup: Setup) -> None:
    """The line is named, and nothing else is said of the file."""
    setup.config.write_text("[profiles.t\n")
    (found,) = looked(setup)
    assert (found.status, found.exit_status) == ("failed", 2) and "line 1" in found.sentence


def test_a_mistake_in_another_profile_is_a_warning(setup: Setup) -> None:
    """The profile in use works all the same."""
    setup.config.write_text(
        setup.config.read_text() + '[profiles.other]\nissuer = "https://a.example"\ncolour = "red"\n'
    )
    used, other = looked(setup, "t")
    assert used.status == "ok"
    assert (other.status, other.exit_status) == ("warning", 0) and "'colour'" in other.sentence


def test_many_profiles_with_a_mistake_are_counted(setup: Setup) -> None:
    """They do not hide what else was found."""
    setup.write("t", *(f"p{number}" for number in range(1000)), more='colour = "red"\n')
    setup.config.write_text(setup.config.read_text().replace('colour = "red"\n', "", 1))
    found = looked(setup, "t")
    assert len(found) < 10 and found[-1].sentence.startswith("995 more profiles")


def test_a_config_file_that_others_can_write_to(setup: Setup) -> None:
    """It says where a person signs in."""
    setup.config.chmod(0o666)
    _, found = looked(setup)
    assert found.status == "warning" and found.remedy == f"chmod go-w {setup.config}"
