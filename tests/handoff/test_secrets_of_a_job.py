"""What a child and an error message must not get of a machine's secrets."""

import pytest

from tests.support.demo_server import Make
from tokenctl.adapters.transport import Transport
from tokenctl.errors import UsageError
from tokenctl.handoff.environment import child_environment
from tokenctl.model.profile import from_members
from tokenctl.oauth.wire import Request


def test_the_child_does_not_get_the_jobs_identity() -> None:
    """Whoever holds it can sign in as the job: no variable with it, or with a key's file, is handed on."""
    environ = {"TOKENCTL_ID_TOKEN": "identity", "MINE": "identity", "TOKENCTL_CLIENT_KEY_FILE": "/k", "KEPT": "x"}
    assert child_environment(environ, {"A": "b"}, "MINE") == {"KEPT": "x", "A": "b"}


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "client_secret_jwt", "none"])
def test_a_private_key_is_never_a_password(method: str) -> None:
    """A key file goes with private_key_jwt alone, and by itself it means that."""
    with pytest.raises(UsageError, match="private_key_jwt"):
        from_members("t", {"client_key_file": "/k", "token_endpoint_auth_method": method}, "x")
    assert from_members("t", {"client_key_file": "/k"}, "x").auth_method == "private_key_jwt"


def test_a_header_that_cannot_be_sent_is_not_quoted(make_server: Make) -> None:
    """The HTTP library's own error has the whole header in it, a credential mostly."""
    server = make_server()
    with pytest.raises(UsageError) as caught:
        Transport().send(Request(url=f"{server.issuer}/jwks", headers={"X-Key": "canary-key\n"}))
    assert "canary" not in caught.value.message + (caught.value.hint or "")
    assert server.requests == []
