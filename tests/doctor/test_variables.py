"""The names of the variables that take part, and never a value."""

from tests.doctor.conftest import Setup
from tokenctl.doctor import variables


def test_names_without_values(setup: Setup) -> None:
    """Those of tokenctl come first, then those of other programs."""
    environ = {"TOKENCTL_PASSPHRASE": "s3cr3t", "https_proxy": "http://u:s3cr3t@p.example", "UNRELATED": "s3cr3t"}
    (found,) = variables.look(setup.case(environ=environ))
    assert found.status == "ok" and "s3cr3t" not in repr(found)
    assert found.sentence.startswith("TOKENCTL_CONFIG, TOKENCTL_PASSPHRASE, TOKENCTL_STATE_DIR; also set: ")
    assert "https_proxy" in found.more["variables"] and "UNRELATED" not in found.more["variables"]


def test_a_name_that_is_no_variable(setup: Setup) -> None:
    """It gets a warning with the nearest name; also where there is no profile."""
    for name in (None, "nobody"):
        _, found = variables.look(setup.case(name, {"TOKENCTL_PRFILE": "s3cr3t"}))
        assert (found.status, found.remedy) == ("warning", "correct its name, or: unset TOKENCTL_PRFILE")
        assert "'TOKENCTL_PROFILE'" in found.sentence and "s3cr3t" not in repr(found)


def test_a_setting_that_has_no_effect(setup: Setup) -> None:
    """Over a profile of the config file the environment sets little."""
    _, found = variables.look(setup.case(environ={"TOKENCTL_FLOW": "device"}))
    assert (found.status, found.remedy) == ("warning", "unset TOKENCTL_FLOW")
    assert "TOKENCTL_FLOW has no effect" in found.sentence
