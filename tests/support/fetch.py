"""A browser in the shortest form: it gets a page and follows redirects."""

from tokenctl.demo.commands import request_status


def fetch(url: str, access_token: str | None = None) -> int:
    """Get a page, with an access token or without, and return its status."""
    return request_status(url, access_token=access_token)
