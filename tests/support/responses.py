"""What a server could answer, as values: for the table tests, and drawn at random for the properties."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from hypothesis import strategies as st

from tokenctl.oauth.wire import Response

NOW = 1_700_000_000
SECRET = "s3cr3t-refresh-token"

TOKENS: Mapping[str, Any] = {"access_token": "at", "token_type": "Bearer", "expires_in": 900}


def answer(
    document: object = None, status: int = 200, content_type: str = "application/json", retry_after: int | None = None
) -> Response:
    """One answer: bytes as they are, None as an empty body, everything else as JSON."""
    document = b"" if document is None else document
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Response(status=status, received_at=NOW, body=body, content_type=content_type, retry_after=retry_after)


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**300, max_value=10**400)
    | st.floats()
    | st.text()
    | st.sampled_from(["", SECRET, f"no: {SECRET}", "\ud800", "a\r\nb", "https://a.example", "invalid_grant", "Bearer"])
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)


def answers(*names: str) -> st.SearchStrategy[Response]:
    """Any status with any bytes, any JSON, or an object that has the parser's own members with any values in them."""
    members = st.fixed_dictionaries({}, optional=dict.fromkeys(names, values))
    bodies = st.binary() | (members | values).map(lambda found: json.dumps(found).encode())
    return st.builds(
        Response,
        status=st.sampled_from([200, 201, 204, 302, 400, 401, 403, 404, 429, 500, 503]) | st.integers(100, 599),
        received_at=st.just(NOW),
        body=bodies,
        content_type=st.sampled_from(["application/json", "text/html; charset=utf-8", ""]),
        retry_after=st.none() | st.integers(0, 300),
    )


@contextmanager
def only(*kinds: type[Exception]) -> Iterator[None]:
    """Let nothing but these errors happen, and the known secret be in none of them."""
    said = ""
    try:
        yield
    except kinds as error:
        said = f"{error} {getattr(error, 'hint', '')}"
    assert SECRET not in said
