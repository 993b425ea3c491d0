"""The warning for a token that does not live for as long as was asked."""

import pytest

from tests.support.flows import at
from tests.support.sessions import session
from tokenctl.cli.actions.fresh import warn_if_short
from tokenctl.storage.memory_store import MemoryStore

TOKEN = session()
"""It lives for 900 seconds."""


@pytest.mark.parametrize(
    ("left", "min_ttl", "said"),
    [
        (400, 400, ""),
        (900, None, ""),
        (10, None, ""),
        (399, 400, "this token still lives for 399 s, not for the 400 s of --min-ttl"),
        (0, 1, "this token still lives for 0 s, not for the 1 s of --min-ttl"),
        (899, 3600, "the server's tokens live for 900 s"),
    ],
)
def test_a_min_ttl_that_is_not_met_is_said(
    left: int, min_ttl: int | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the server could give more: another process renewed a while ago, or a renewal failed."""
    assert TOKEN.expires_at is not None
    warn_if_short(at(TOKEN.expires_at - left, MemoryStore()), TOKEN, min_ttl)
    written = capsys.readouterr().err
    assert said in written and written.startswith("tokenctl: warning: " if said else "") and bool(said) == bool(written)
    assert not said or ("the server's tokens" in written) == (min_ttl == 3600)
