"""The `TOKENCTL_*` variables: how their text becomes a setting."""

import pytest

from tokenctl.config.ad_hoc import ad_hoc
from tokenctl.config.variables import parsed, warnings
from tokenctl.errors import UsageError
from tokenctl.model.profile import Profile

ENVIRONMENT = {"TOKENCTL_ISSUER": "https://a.example", "TOKENCTL_CLIENT_ID": "c"}
NAME = "TOKENCTL_RENEWAL_ENDS_ACCESS_TOKEN"


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("True", True), ("FALSE", False), ("false", False), ("1", True), ("0", False), ("", None)],
)
def test_a_variable_can_be_true_or_false(text: str, value: bool | None) -> None:
    """In upper or lower case, or as a digit; empty counts as not set."""
    assert ad_hoc({**ENVIRONMENT, NAME: text}).renewal_ends_access_token is value


@pytest.mark.parametrize("text", ["yes", "2", "on", " true", "00"])
def test_a_variable_that_is_neither_is_refused(text: str) -> None:
    """Nobody guesses what was meant."""
    with pytest.raises(UsageError, match=f"environment: {NAME} must be true or false"):
        ad_hoc({**ENVIRONMENT, NAME: text})


@pytest.mark.parametrize(("text", "warned"), [("true", False), ("True", False), ("false", True)])
def test_a_variable_that_says_what_the_profile_says_needs_no_warning(text: str, warned: bool) -> None:
    """Over a profile of the config file it has no effect, and that is told where it would matter."""
    profile = Profile(name="work", renewal_ends_access_token=True)
    assert bool(list(warnings({NAME: text}, profile, ad_hoc=False))) is warned


@pytest.mark.parametrize(
    "text", ["https://a.example https://b.example/x,y", " https://a.example,\n https://b.example/x,y"]
)
def test_a_list_can_be_written_with_commas(text: str) -> None:
    """A comma before a blank separates; within an address it is a part of it."""
    assert parsed("resource", text, "here") == ["https://a.example", "https://b.example/x,y"]


@pytest.mark.parametrize("text", ['{"prompt": "select account"}', 'prompt="select account"'])
def test_a_table_can_be_written_as_profile_show_writes_it(text: str) -> None:
    """JSON and words."""
    assert parsed("params", text, "here") == {"prompt": "select account"}


def test_a_table_that_is_half_json_is_refused() -> None:
    """It would have been one parameter with a bracket in its name."""
    with pytest.raises(UsageError, match="params is not valid JSON"):
        parsed("params", '{"prompt"="login"}', "params")
