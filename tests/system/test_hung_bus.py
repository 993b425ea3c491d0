"""A keyring that stops answering in the middle: every command ends by itself, says so, and loses nothing.

Here at a few messages of each command; `python -m tests.bench.hung_bus` does it at every one.
"""

from collections.abc import Iterator

import pytest

from tests.bench.hung_bus import Stage
from tests.servers.hung_bus import StallingBus
from tests.servers.secret_service import SecretService
from tests.support.real_parts import available

pytestmark = pytest.mark.real

FIRST, MIDDLE, LAST = 0.0, 0.5, 1.0
POINTS = [
    ("token (fresh)", FIRST),
    ("token (fresh)", LAST),
    ("show", MIDDLE),
    ("token (expired)", FIRST),
    ("token (expired)", MIDDLE),
    ("token (expired)", LAST),
    ("first login", MIDDLE),
    ("login", FIRST),
    ("login", LAST),
    ("refresh", MIDDLE),
    ("revoke", MIDDLE),
]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """One signed-in HOME, server and keyring for all of them: each run leaves it healthy."""
    with available(), Stage() as stage:
        yield stage


@pytest.mark.parametrize(("command", "where"), POINTS)
def test_a_keyring_that_stops_answering(stage: Stage, command: str, where: float) -> None:
    """Exit 3 that says why, or, renewed already, 0 and safe; and a healthy command then finds the same session."""
    number = 0
    if where != FIRST:
        healthy = stage.attempt(command)
        assert (healthy.result.status, healthy.complaints) == (0, ())
        number = round(where * (healthy.messages - 1))
    run = stage.attempt(command, number)
    assert run.stalled_at is not None and run.complaints == (), run


def test_the_bus_stalls_where_it_is_told_to(secret_service: SecretService) -> None:
    """The stalling bus delivers as many messages as it should, and names the ones that came."""
    import jeepney.io.blocking as blocking
    from jeepney import message_bus

    with StallingBus(secret_service.environ["DBUS_SESSION_BUS_ADDRESS"], 2) as bus:
        connection = blocking.open_dbus_connection(bus.environ["DBUS_SESSION_BUS_ADDRESS"])  # and says Hello
        with connection:
            assert connection.send_and_get_reply(message_bus.ListNames(), timeout=120).body
            with pytest.raises(TimeoutError):
                connection.send_and_get_reply(message_bus.GetId(), timeout=0.2)
        assert (bus.sent, bus.stalled_at, bus.connections) == (["Hello", "ListNames", "GetId"], "GetId", 1)
