"""The doctor tells which installed helpers would get no token, and why."""

import os
from pathlib import Path

import pytest

from tests.doctor.conftest import Setup
from tokenctl.doctor import helpers
from tokenctl.handoff.clients import installing
from tokenctl.handoff.clients.changes import Asked

ORIGIN = "https://registry.example.com"
OTHER = "https://other.example.com"


@pytest.fixture
def installed(setup: Setup) -> Setup:
    """A profile that is signed in, with docker set up for two registries."""
    setup.environ["HOME"] = str(setup.config.parent)
    setup.sign_in()
    for origin in (ORIGIN, OTHER):
        installing.install(setup.runtime(), Asked(client="docker", origin=origin))
    return setup


def files(setup: Setup) -> dict[Path, tuple[int, bytes]]:
    """Every file of the test, as it is."""
    found = [each for each in setup.config.parent.rglob("*") if each.is_file()]
    return {each: (os.stat(each).st_mtime_ns, each.read_bytes()) for each in found}


def test_nothing_is_installed(setup: Setup) -> None:
    """Which is in order; and no folder is made for the answer."""
    (found,) = helpers.look(setup.case())
    assert (found.status, found.sentence) == ("ok", "no helper is installed") and not setup.state.exists()


def test_all_would_answer(installed: Setup) -> None:
    """They are listed, and nothing is changed by the look."""
    before = files(installed)
    (found,) = helpers.look(installed.case())
    assert (found.status, found.remedy) == ("ok", None)
    assert found.sentence == f"docker at {ORIGIN}, docker at {OTHER} would get a token"
    assert [each["answers"] for each in found.more["helpers"]] == [True, True]
    assert files(installed) == before


def test_one_problem_of_several_helpers_is_said_once(installed: Setup) -> None:
    """`token` is another finding's matter: here it is a warning."""
    installed.sign_in(left=-60, refresh_token=None)
    (found,) = helpers.look(installed.case())
    assert (found.status, found.exit_status) == ("warning", 0)
    assert ORIGIN in found.sentence and OTHER in found.sentence and "tokenctl login" in (found.remedy or "")


def test_a_helper_that_is_not_bound(installed: Setup) -> None:
    """It has its own remedy, and the others are in order."""
    installed.config.write_text(installed.config.read_text().replace(f'"{OTHER}"', '"https://a.example.com"'))
    unbound, bound = helpers.look(installed.case())
    assert (unbound.status, unbound.remedy) == ("warning", f"tokenctl profile set t hosts+={OTHER}")
    assert (bound.status, bound.sentence) == ("ok", f"docker at {ORIGIN} would get a token")


def test_a_helper_that_is_not_in_the_clients_file(installed: Setup) -> None:
    """The remedy installs it again."""
    (installed.config.parent / ".docker" / "config.json").write_text("{}")
    remedies = [found.remedy for found in helpers.look(installed.case()) if found.status == "warning"]
    assert remedies == [f"tokenctl helper install docker --host {origin}" for origin in (ORIGIN, OTHER)]


def test_the_profile_of_p_alone(installed: Setup) -> None:
    """Without it, the helpers of every profile are looked at: a client finds its profile by the origin."""
    other = '[profiles.u]\nissuer = "https://a.example"\nclient_id = "c"\n'
    installed.config.write_text('default_profile = "u"\n' + installed.config.read_text() + other)
    sentences = [found.sentence for name in ("u", "t", None) for found in helpers.look(installed.case(name))]
    assert sentences[0] == "no helper is installed"
    assert sentences[1] == sentences[2] == f"docker at {ORIGIN}, docker at {OTHER} would get a token"


def test_receipts_that_nobody_can_read_are_a_warning(installed: Setup) -> None:
    """No command but those of `helper` ends with it."""
    (receipts,) = installed.state.rglob("installed.json")
    receipts.write_text("{")
    (found,) = helpers.look(installed.case())
    assert (found.status, found.exit_status) == ("warning", 0) and str(receipts) in found.sentence
