"""The pages that the redirect listener shows: fixed bytes, without scripts, outside resources or text of a server."""

import base64
import hashlib

_STYLE = """
:root{color-scheme:light dark;--ground:#f4f5f7;--card:#fff;--ink:#1d2430;--soft:#5d6778;--edge:#e1e5eb;--mark:#1a7f4e;--halo:#e3f4ea}
@media(prefers-color-scheme:dark){:root{--ground:#12161d;--card:#1b212b;--ink:#eef1f6;--soft:#9aa6b8;--edge:#2a323f;--mark:#4cc38a;--halo:#16352a}}
.bad{--mark:#b3372f;--halo:#fbe7e5}
@media(prefers-color-scheme:dark){.bad{--mark:#f2766d;--halo:#3a1f1e}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--ground);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{width:min(26rem,calc(100vw - 2rem));padding:2.5rem 2.25rem 1.75rem;background:var(--card);border:1px solid var(--edge);
border-radius:16px;text-align:center;box-shadow:0 12px 32px rgba(16,24,40,.07)}
.mark{width:4rem;height:4rem;margin:0 auto 1.25rem;border-radius:50%;background:var(--halo);display:grid;place-items:center}
svg{width:2rem;height:2rem;fill:none;stroke:var(--mark);stroke-width:2.6;stroke-linecap:round;stroke-linejoin:round}
h1{margin:0 0 .5rem;font-size:1.4rem;font-weight:650;letter-spacing:-.01em}
p{margin:0;color:var(--soft)}
footer{margin-top:2rem;padding-top:1rem;border-top:1px solid var(--edge);font:13px/1 ui-monospace,"SF Mono",Menlo,"DejaVu Sans Mono",monospace;color:var(--soft)}
"""

SECURITY_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
)
"""The Content-Security-Policy of every page: it allows this style sheet and nothing else."""


def _page(title: str, text: str, path: str, kind: str) -> bytes:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>{title} - tokenctl</title><style>{_STYLE}</style><body class="{kind}"><main>'
        f'<div class="mark"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="{path}"/></svg></div>'
        f"<h1>{title}</h1><p>{text}</p><footer>tokenctl</footer></main>\n"
    ).encode()


_CROSS = "M7 7l10 10M17 7L7 17"
SIGNED_IN = _page("You are signed in", "Close this tab and go back to your terminal.", "M5 12.5l4.5 4.5L19 7.5", "good")
FAILED = _page("The sign-in did not finish", "Your terminal says why, and what to do next.", _CROSS, "bad")
UNEXPECTED = _page("This sign-in is unknown", "tokenctl did not ask for it, and has ignored it.", _CROSS, "bad")
UNPROVEN = _page(
    "The server reports an error", "Your terminal shows what it says. The sign-in goes on waiting there.", _CROSS, "bad"
)
NOT_FOUND = _page("There is nothing here", "tokenctl only waits here for the end of a sign-in.", _CROSS, "bad")
