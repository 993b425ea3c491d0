"""Terraform's credentials_helper."""

from pathlib import Path

import pytest

from tests.support.wanted import WANTED, wanted
from tokenctl.handoff.clients import terraform
from tokenctl.handoff.clients.wanted import Foreign


def test_golden() -> None:
    """The block is the first; the script is in the only folder where Terraform looks."""
    assert terraform.added("", WANTED) == 'credentials_helper "tokenctl" {\n  args = []\n}\n'
    assert terraform.added("", wanted(named=True)) == 'credentials_helper "tokenctl" {\n  args = ["-p", "t"]\n}\n'
    [script] = terraform.scripts({"HOME": "/h"}, WANTED)
    assert script.path == Path("/h/.terraform.d/plugins/terraform-credentials-tokenctl")
    assert script.content == b'#!/bin/sh\nexec /opt/tokenctl/bin/terraform-credentials-tokenctl "$@"\n'


def test_another_profile() -> None:
    """There is one helper for all hosts, so two profiles cannot both be named."""
    text = terraform.added("", wanted(named=True))
    with pytest.raises(Foreign) as caught:
        terraform.added(text, wanted(named=True, profile="u"))
    assert "leave -p out" in str(caught.value.hint)


def test_written_otherwise() -> None:
    """Our block is found however a person has laid it out."""
    text = 'a = 1\ncredentials_helper tokenctl { args = [ "-p" , // whose\n "t", ] } # mine\n'
    assert terraform.is_there(text, wanted(named=True))
    assert terraform.removed(text, WANTED) == "a = 1\n # mine\n"


def test_file() -> None:
    """The variable of Terraform counts, and its old name."""
    assert terraform.path({"HOME": "/h"}) == Path("/h/.terraformrc")
    assert terraform.path({"HOME": "/h", "TF_CLI_CONFIG_FILE": "/x", "TERRAFORM_CONFIG": "/y"}) == Path("/x")
