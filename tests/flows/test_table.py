"""The table of flows has every flow that a profile or a session may name."""

import pytest

from tokenctl import flows
from tokenctl.errors import UsageError
from tokenctl.model.choices import FLOWS
from tokenctl.model.secret_variables import SECRETS
from tokenctl.model.session import MACHINE_FLOWS

NAMES = [name for name in FLOWS if name != "auto"]


@pytest.mark.parametrize("name", NAMES)
def test_every_name_means_its_own_flow(name: str) -> None:
    """No name falls through to another flow."""
    assert flows.of(name).name == name


def test_a_name_that_is_not_in_the_table_is_refused() -> None:
    """Such as the flow of a session that a newer tokenctl stored."""
    with pytest.raises(UsageError, match="knows no flow 'saml'"):
        flows.of("saml")


def test_the_flows_of_machines_are_known_without_the_table() -> None:
    """The list that costs nothing to load says the same as the table."""
    assert {name for name in NAMES if flows.of(name).by_machine} == set(MACHINE_FLOWS)


@pytest.mark.parametrize("name", NAMES)
def test_no_child_gets_the_secret_of_a_flow(name: str) -> None:
    """The variable of each flow's secret is among those that no child gets."""
    assert flows.of(name).secret.variable in SECRETS
