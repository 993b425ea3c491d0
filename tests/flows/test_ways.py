"""The ways to sign in, and whether a person is there for one."""

from typing import Any

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.support.flows import here, machine_profile, profile_of
from tokenctl import flows
from tokenctl.errors import UsageError
from tokenctl.flows import sign_in, ways
from tokenctl.model.session import MACHINE_FLOWS
from tokenctl.runtime import Runtime


def check(server: FaultyServer, environ: dict[str, str], *, no_browser: bool = False, **members: Any) -> None:
    """Prepare a sign-in as `login` does, and check that a person is there for it."""
    profile = profile_of(server, **{"flow": "auto", **members})
    ways.check_person(sign_in.prepare(Runtime(here(environ)), profile, no_browser=no_browser))


@pytest.mark.parametrize("members", [{}, {"flow": "browser"}])
def test_a_job_does_not_wait_for_a_person(demo_server: FaultyServer, members: dict[str, Any]) -> None:
    """With CI set nobody comes, and the error is there at once, with what a job can do."""
    with pytest.raises(UsageError, match=r"CI is set, and the \w+ flow needs a person") as caught:
        check(demo_server, {"CI": "true"}, **members)
    assert "tokenctl help ci" in (caught.value.hint or "") and "--no-browser" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("environ", "members"),
    [
        ({}, {}),
        ({"CI": ""}, {}),
        ({"CI": "true"}, {"flow": "device"}),
        ({"CI": "true"}, {"no_browser": True}),
        ({"CI": "true", "BROWSER": "x"}, {"flow": "browser"}),
    ],
)
def test_a_person_who_was_asked_for_is_waited_for(
    demo_server: FaultyServer, environ: dict[str, str], members: dict[str, Any]
) -> None:
    """Without CI, or where an option or the profile says that somebody reads the log."""
    check(demo_server, environ, **members)


def test_a_machine_needs_no_person(demo_server: FaultyServer) -> None:
    """A job's own flows go on."""
    profile = machine_profile(demo_server)
    ways.check_person(sign_in.prepare(Runtime(here({"CI": "true"})), profile, "demo-ci-secret"))


def test_each_way_is_a_flow() -> None:
    """The table of ways agrees with the table of flows."""
    for way in ways.WAYS:
        flow = flows.of(way.flow)
        assert flow.name == way.flow and flow.by_machine is not way.of_person
        assert (way.flow in MACHINE_FLOWS) is not way.of_person
