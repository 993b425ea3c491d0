"""What the journal forbids: each refusal says what to do next."""

import pytest

from tests.support.flows import at
from tokenctl.broker.permission import check_pause
from tokenctl.errors import Refused, TokenctlError, Unreachable
from tokenctl.model.profile import Profile
from tokenctl.storage.journal import AT_ONCE, Entry
from tokenctl.storage.memory_store import MemoryStore

NOW = 1_700_000_000


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        (Entry(session="a", fingerprint="b", not_before=NOW + 30), Unreachable),
        (Entry(session="a", fingerprint="b", not_before=NOW + 30, tries=AT_ONCE), Unreachable),
        (Entry(session="a", fingerprint="b", failed_at=NOW), Unreachable),
        (Entry(session="a", fingerprint="b", failed_at=NOW, refused="the server refused"), Refused),
    ],
    ids=["asked for a pause", "in doubt", "just asked", "just refused"],
)
def test_each_refusal_of_the_journal_has_a_hint(entry: Entry, kind: type[TokenctlError]) -> None:
    """Whoever may not ask is told what to do next."""
    runtime = at(NOW, MemoryStore())
    profile = Profile(name="t", issuer="https://login.example.com", client_id="abc")
    with pytest.raises(kind) as raised:
        check_pause(runtime, profile, entry, waited_since=NOW - 1)
    assert raised.value.hint
