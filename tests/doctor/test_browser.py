"""What a sign-in by a person needs of this machine. `token` does not need it, so nothing here fails it."""

import socket
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.examined import by_check, case_of
from tokenctl.doctor import browser
from tokenctl.doctor.finding import Finding
from tokenctl.model.profile import Profile
from tokenctl.storage.memory_store import MemoryStore


def looked_at(environ: Mapping[str, str] = {}, **members: Any) -> dict[str, Finding]:
    """Look at this machine for a profile with these settings."""
    profile = Profile(name="t", issuer="https://a.example", **members)
    return by_check(browser.look(case_of(profile, environ, store=MemoryStore())))


def test_a_free_port_can_be_listened_at() -> None:
    """The system chooses it at the sign-in, so none is named."""
    found = looked_at()["listener"]
    assert found.status == "ok" and "a free port" in found.sentence


def test_the_port_of_the_profile_is_free_again_afterwards() -> None:
    """It is bound for a moment only."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    found = looked_at(port=port)["listener"]
    assert found.status == "ok" and f"http://127.0.0.1:{port}/callback" in found.sentence
    with socket.create_server(("127.0.0.1", port)):
        pass


@pytest.mark.parametrize("setting", ["port", "redirect_uri"])
def test_a_port_that_is_in_use_is_told(setting: str) -> None:
    """A sign-in by browser would fail; the session goes on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        settings: dict[str, Any] = {"port": port, "redirect_uri": f"http://127.0.0.1:{port}/callback"}
        found = looked_at({}, **{setting: settings[setting]})["listener"]
    assert (found.status, found.exit_status) == ("warning", 0)
    assert f"cannot listen on 127.0.0.1 port {port}" in found.sentence and "--port" in (found.remedy or "")


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({"SSH_CONNECTION": "x", "DISPLAY": ":0"}, "SSH_CONNECTION is set"),
        ({"CI": "true"}, "CI is set"),
        ({}, "there is no display"),
    ],
)
def test_no_browser_is_no_failure(environ: dict[str, str], why: str) -> None:
    """The address is printed, and can be opened on another machine."""
    found = looked_at({"PATH": "", **environ})["browser"]
    assert found.status == "ok" and why in found.sentence and "--no-browser" in found.sentence


def test_a_browser_is_told() -> None:
    """None is opened."""
    found = looked_at({"DISPLAY": ":0"})["browser"]
    assert (found.status, found.remedy) == ("ok", None)


def test_a_machine_needs_neither() -> None:
    """It signs in by itself."""
    assert looked_at(flow="client-credentials") == {}
