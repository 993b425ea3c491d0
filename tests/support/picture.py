"""Draws the README's picture of `show`: `python -m tests.support.picture` writes .github/show.svg."""

import io
import re

from rich.console import Console
from rich.text import Text

from tests.support.paths import ROOT
from tokenctl.cli.views.panels import panel

NOW = 1_795_500_000
SAMPLE = {
    "profile": "work",
    "state": "fresh",
    "issuer": "https://login.example.com",
    "client_id": "tokenctl",
    "flow": "browser",
    "subject": "248289761001",
    "account": "ada@example.com",
    "scope": "openid offline_access api",
    "token_type": "Bearer",
    "access_token": {
        "fingerprint": "sha256:72b217cf",
        "format": "jwt",
        "obtained_at": NOW - 220,
        "expires_at": NOW + 680,
        "expires_in": 680,
    },
    "refresh_token": {"present": True, "fingerprint": "sha256:e5500403", "expires_at": NOW + 6 * 86400},
    "store": {"kind": "keyring", "backend": "keyring.backends.SecretService.Keyring"},
    "generation": 7,
    "last_refresh_at": NOW - 220,
}


def draw() -> str:
    """Draw the sample as SVG, with nothing in it that a viewer would have to load."""
    console = Console(record=True, width=88, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text("$ tokenctl show", style="bold"))
    console.print(panel(SAMPLE, NOW))
    return re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="tokenctl show"), flags=re.DOTALL)


if __name__ == "__main__":
    target = ROOT / ".github" / "show.svg"
    target.write_text("\n".join(line.rstrip() for line in draw().splitlines()) + "\n")
