"""One run of the program: when its requests were sent, and what `-v` tells of them."""

import re

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.servers.raw_server import OK, raw_server, saying
from tests.support.commandline import Home
from tests.support.flows import PassingClock
from tokenctl.errors import Unreachable
from tokenctl.model.profile import Profile
from tokenctl.oauth.wire import Request, Response
from tokenctl.runtime import Runtime


def test_a_response_says_when_its_request_was_sent() -> None:
    """By both clocks, as they were before the answer was waited for."""
    clock = PassingClock(1_800_000_000.9, up=("boot", 5000))

    def send(request: Request) -> Response:
        clock.time, clock.up = clock.time + 3600, ("boot", 3_605_000)
        return Response(status=200, received_at=int(clock.time))

    response = Runtime({}, send=send, clock=clock).send(Profile(name="t"), Request(url="https://a.example"))
    assert (response.sent_at, response.received_at) == (1_800_000_000, 1_800_003_600)
    assert (response.boot_id, response.booted_at_ms) == ("boot", 1_799_999_995_900)


def test_without_a_clock_that_every_process_has_the_wall_clock_is_all() -> None:
    """Other platforms than Linux have none."""
    moment = Runtime({}, clock=PassingClock(7.5, up=None)).moment()
    assert moment == {"sent_at": 7, "boot_id": None, "booted_at_ms": None}


# -- -v --------------------------------------------------------------------------------------------


def reported(runtime: Runtime, request: Request, capsys: pytest.CaptureFixture[str]) -> str:
    """What is written about a request; its time is left out."""
    try:
        runtime.send(Profile(name="t"), request)
    except Unreachable:
        pass
    return re.sub(r"\d+\.\d\d s", "N s", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (
            Request(url="https://a.example/x?code=SECRET", purpose="a reason"),
            "GET https://a.example/x: HTTP 503 after N s (a reason)",
        ),
        (
            Request(url="https://a.example/x", headers={"Authorization": "Bearer SECRET"}),
            "GET https://a.example/x: HTTP 503 after N s",
        ),
        (
            Request(url="https://a.example/t", form=(("code", "SECRET"), ("grant_type", "authorization_code"))),
            "POST https://a.example/t: HTTP 503 after N s (exchanging the code for tokens)",
        ),
        (
            Request(url="https://a.example/t", form=(("grant_type", "SECRET"),)),
            "POST https://a.example/t: HTTP 503 after N s",
        ),
    ],
)
def test_a_request_is_told_with_v(request_: Request, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Method, URL without its query, status, time, reason, and how long the server asks to wait; never a secret."""

    def send(request: Request) -> Response:
        return Response(status=503, received_at=0, retry_after=30, proxy="proxy.example:3128")

    told = reported(Runtime({}, send=send, verbose=True), request_, capsys)
    assert told == f"tokenctl: {said}, through the proxy proxy.example:3128, it asks to wait 30 s\n"
    assert reported(Runtime({}, send=send), request_, capsys) == ""


def test_a_request_without_a_response_is_told_too(
    demo_server: FaultyServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error comes after it, in its own words."""
    url = f"{demo_server.issuer}/token"
    demo_server.stop()
    assert (
        reported(Runtime({}, verbose=True), Request(url=url), capsys) == f"tokenctl: GET {url}: no response after N s\n"
    )


def test_the_proxy_is_the_one_that_the_runs_environment_names(capsys: pytest.CaptureFixture[str]) -> None:
    """And not the one of the process, where a program passes an environment."""
    with raw_server(saying(OK)) as port:
        runtime = Runtime({"http_proxy": f"someone:SECRET@127.0.0.1:{port}"}, verbose=True)
        told = reported(runtime, Request(url="http://issuer.example/jwks"), capsys)
    assert told.endswith(f": HTTP 200 after N s, through the proxy 127.0.0.1:{port}\n")


def test_every_request_of_a_session_has_a_reason(home: Home, demo_server: FaultyServer) -> None:
    """Also those of the worker, which is another process."""
    said = "".join(
        each.stderr
        for each in (home.login(demo_server.issuer, "-v"), home.run("refresh", "-v"), home.run("revoke", "-v"))
    )
    requests = [line for line in said.splitlines() if re.search(r"tokenctl: (GET|POST) ", line)]
    assert all(re.search(r": HTTP 200 after \d+\.\d\d s \([a-z]", line) for line in requests), requests
    for reason in (
        "reading the metadata",
        "exchanging the code",
        "reading the server's keys",
        "renewing: ",
        "signing out",
    ):
        assert any(f"({reason}" in line for line in requests), (reason, requests)
