"""The table of flows has every flow that a profile or a session may name."""

import pytest

from tokenctl import flows
from tokenctl.errors import UsageError
from tokenctl.model.profile import FLOWS
from tokenctl.model.session import MACHINE_FLOWS


@pytest.mark.parametrize("name", [name for name in FLOWS if name != "auto"])
def test_every_name_means_its_own_flow(name: str) -> None:
    """No name falls through to another flow."""
    assert flows.of(name).name == name


def test_a_name_that_is_not_in_the_table_is_refused() -> None:
    """Such as the flow of a session that a newer tokenctl stored."""
    with pytest.raises(UsageError, match="knows no flow 'saml'"):
        flows.of("saml")


def test_the_flows_of_machines_are_flows() -> None:
    """What can begin again without a person has a row too."""
    assert {flows.of(name).name for name in MACHINE_FLOWS} == set(MACHINE_FLOWS)
