"""The proxy, attacked with raw bytes: what the upstream sees is what it may see, whatever a client sends."""

import secrets
from collections.abc import Iterator

import pytest

from tests.handoff.proxy import attacks
from tests.handoff.proxy.attacks import Attack
from tests.servers.recording_upstream import RecordingUpstream
from tests.support.proxied import Proxied, proxied
from tokenctl.handoff.proxy.rules import Allow

pytestmark = pytest.mark.quick  # the first case of each; the others are slow

ALLOW = tuple(Allow.parse(each) for each in ("GET /v1", "HEAD /v1", "POST /v1"))


@pytest.fixture(scope="module")
def shared() -> Iterator[Proxied]:
    """One proxy for all attacks, so that each meets the connections that the ones before it have left."""
    with RecordingUpstream() as upstream, proxied(upstream, allow=ALLOW) as proxy:
        yield proxy


@pytest.fixture
def proxy(shared: Proxied) -> Proxied:
    """The shared proxy, whose upstream has forgotten what came before."""
    shared.upstream.forget()
    return shared


@pytest.fixture(scope="module")
def without_allow() -> Iterator[Proxied]:
    """A proxy that allows every method and path that is allowed at all."""
    with RecordingUpstream() as upstream, proxied(upstream) as proxy:
        yield proxy


def survives(proxy: Proxied, attack: Attack) -> None:
    """Send an attack; expect its answer, honest answers to honest requests afterwards, and a clean upstream."""
    tag = b"honest-" + secrets.token_hex(8).encode()
    with proxy.connect() as client:
        answer = client.send(proxy.filled(attack.sent)).answer_or_end(attack.method)
        status = answer.status if answer else None
        proxy.honest(client, tag)
        while answer is not None and answer.body != tag:
            answer = client.answer_or_end()
            assert answer is None or answer.status in attack.statuses | attacks.REFUSALS or answer.body == tag
    proxy.goes_on()
    proxy.check()
    honest = b"/base/v1/honest"
    seen = tuple((each.first, each.target, each.body) for each in proxy.upstream.requests if each.target != honest)
    assert attack.seen is None or seen == attack.seen
    assert status in attack.statuses or (status is None and not attack.seen), status


@pytest.mark.parametrize("attack", attacks.LENGTHS, ids=str)
def test_the_length_of_a_body_cannot_be_told_in_two_ways(proxy: Proxied, attack: Attack) -> None:
    """No request is hidden in the body of another one (request smuggling)."""
    survives(proxy, attack)


@pytest.mark.parametrize("attack", attacks.LINES, ids=str)
def test_lines_that_are_no_http_make_no_header(proxy: Proxied, attack: Attack) -> None:
    """Line ends, folded lines, control characters and wrong names add no header and no request."""
    survives(proxy, attack)


@pytest.mark.parametrize("attack", attacks.SECRETS, ids=str)
def test_only_the_secret_opens_and_the_secret_stays_here(proxy: Proxied, attack: Attack) -> None:
    """Without the secret nothing passes; with it the upstream sees the token once, and never the secret."""
    survives(proxy, attack)


@pytest.mark.parametrize("attack", attacks.HOSTS, ids=str)
def test_a_page_in_a_browser_gets_nothing(proxy: Proxied, attack: Attack) -> None:
    """A foreign Host (DNS rebinding) or any Origin is refused, and what is for the connection goes no further."""
    survives(proxy, attack)


@pytest.mark.parametrize("attack", attacks.TARGETS, ids=str)
def test_a_target_reaches_the_upstream_byte_for_byte_or_not_at_all(proxy: Proxied, attack: Attack) -> None:
    """Dot segments in every encoding, other forms of a target, and what `--allow` does not allow are refused."""
    survives(proxy, attack)


@pytest.mark.parametrize("attack", attacks.WITHOUT_ALLOW, ids=str)
def test_what_nobody_allowed_and_nobody_forbade(without_allow: Proxied, attack: Attack) -> None:
    """Without `--allow` every path and method passes, except for what is never a request to one upstream."""
    without_allow.upstream.forget()
    survives(without_allow, attack)
