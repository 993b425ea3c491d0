"""One run of the program: when its requests were sent."""

from tests.support.flows import PassingClock
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
