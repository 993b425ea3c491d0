"""Draws the README's picture of `show`: `python -m tests.picture` writes .github/show.svg."""

import html
import io
import re
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.text import Text

from tests.support.flows import SetClock
from tests.support.paths import ROOT
from tests.support.sessions import session
from tokenctl.cli.views import document
from tokenctl.cli.views.panels import panel
from tokenctl.model.profile import Profile
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults
from tokenctl.storage.memory_store import MemoryStore

NOW = 1_795_500_000
PICTURE = ROOT / ".github" / "show.svg"
SESSION = session(
    7,
    issuer="https://login.example.com",
    client_id="tokenctl",
    access_token="eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIyNDgyODk3NjEwMDEifQ.c2lnbmF0dXJl",
    subject="248289761001",
    account="ada@example.com",
    scope="openid offline_access api",
    obtained_at=NOW - 220,
    expires_at=NOW + 680,
    refresh_token_expires_at=NOW + 6 * 86400,
    refreshed_at=NOW - 220,
)


def sample() -> dict[str, Any]:
    """Describe a session as `show` does, as if the keyring of the desktop had it."""
    profile = Profile(name="work", issuer=SESSION.issuer, client_id=SESSION.client_id, scope=SESSION.scope)
    with TemporaryDirectory() as folder:
        runtime = Runtime({"TOKENCTL_STATE_DIR": folder}, store=MemoryStore(), clock=SetClock(lambda: NOW))
        found = document.of_session(runtime, vaults.open(runtime, profile), SESSION)
    return found | {"store": {"kind": "keyring", "backend": "keyring.backends.SecretService.Keyring"}}


def draw() -> str:
    """Draw the sample as SVG, with nothing in it that a viewer would have to load."""
    console = Console(record=True, width=88, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text("$ tokenctl show", style="bold"))
    console.print(panel(sample(), NOW))
    return re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="tokenctl show"), flags=re.DOTALL)


def words(svg: str) -> list[str]:
    """List the words that a picture shows; times of day are left out, since they depend on the time zone."""
    texts = html.unescape(" ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg))).split()
    return [each for each in texts if not re.fullmatch(r"[\d:-]+|[─│╭╮╰╯━╸╺]+", each)]


if __name__ == "__main__":
    PICTURE.write_text("\n".join(line.rstrip() for line in draw().splitlines()) + "\n")
