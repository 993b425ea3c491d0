"""Token exchange: what was asked for is what must come."""

import pytest

from tests.support.responses import TOKENS, answer
from tokenctl.errors import Refused
from tokenctl.oauth.token_exchange import ACCESS_TOKEN, JWT, check_issued

REFRESH_TOKEN = "urn:ietf:params:oauth:token-type:refresh_token"


def test_an_access_token_is_what_was_asked_for() -> None:
    """The answer says that it is one; what an error means is not decided here."""
    check_issued(answer({**TOKENS, "issued_token_type": ACCESS_TOKEN}))
    check_issued(answer({"error": "invalid_request"}, 400))
    check_issued(answer({"error": "invalid_target"}, 200))
    check_issued(answer(b"<html>"))


@pytest.mark.parametrize(
    "issued", [JWT, REFRESH_TOKEN, ACCESS_TOKEN + "x", "", "access_token", None, 7, [ACCESS_TOKEN]]
)
def test_everything_else_is_refused(issued: object) -> None:
    """A JWT too, and an answer that does not say (RFC 8693 section 2.2.1 requires it): exit 5, both kinds named."""
    with pytest.raises(Refused, match=ACCESS_TOKEN) as caught:
        check_issued(answer({**TOKENS, "issued_token_type": issued}))
    assert caught.value.exit_status == 5
    assert not str(issued).startswith("urn:") or repr(issued) in caught.value.message
