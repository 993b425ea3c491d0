"""The refresh token grant."""

from tests.support.responses import SECRET
from tokenctl.oauth.client_auth import Client
from tokenctl.oauth.refresh_token import refresh_request


def test_the_refresh_token_goes_into_the_body_without_a_scope() -> None:
    """No scope means the one that was granted, so a refresh can never ask for more; resources go along."""
    built = refresh_request("https://a.example/token", Client(client_id="c"), SECRET, ("https://x.example", "urn:y"))
    assert (built.method, built.url, built.headers) == ("POST", "https://a.example/token", {})
    assert built.form == (
        ("grant_type", "refresh_token"),
        ("refresh_token", SECRET),
        ("resource", "https://x.example"),
        ("resource", "urn:y"),
        ("client_id", "c"),
    )


def test_a_confidential_client_proves_itself_at_every_refresh() -> None:
    """With Basic, the body has neither id nor secret."""
    client = Client(client_id="c", auth_method="client_secret_basic", secret="s")
    built = refresh_request("https://a.example/token", client, SECRET)
    assert built.headers == {"Authorization": "Basic Yzpz"} and "client" not in str(built.content)
    assert SECRET not in repr(built)
