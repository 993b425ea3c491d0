"""The pages that a person sees in the browser: HTML without scripts, under a strict Content Security Policy."""

import base64
import hashlib
from html import escape
from urllib.parse import urlsplit

from tokenctl.demo.authorization_server import DeviceAuthorization
from tokenctl.demo.messages import Reply
from tokenctl.demo.registry import Client, Grant, User

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --desk: #f1f3f7; --ink: #1a2233; --soft: #5b6579;
  --line: #dde2ea; --accent: #2447c9; --on-accent: #fff; --tint: #eef2ff; --alarm: #a3261c; }
@media (prefers-color-scheme: dark) { :root { --paper: #1b212d; --desk: #10141c; --ink: #e8ecf4;
  --soft: #9aa5b9; --line: #323b4c; --accent: #8ea6ff; --on-accent: #10141c; --tint: #232c42;
  --alarm: #ff9c92; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px;
  background: var(--desk); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 440px; background: var(--paper); border: 1px solid var(--line);
  border-radius: 16px; padding: 32px; box-shadow: 0 12px 40px rgb(16 24 48 / 10%); }
h1 { margin: 0 0 8px; font-size: 24px; line-height: 1.25; letter-spacing: -.01em; }
h2, legend, .name { margin: 0; padding: 0; font-size: 14px; font-weight: 600; color: var(--soft); }
p { margin: 0 0 24px; color: var(--soft); }
p strong { color: var(--ink); overflow-wrap: anywhere; }
ul { margin: 8px 0 24px; padding: 0; list-style: none; border: 1px solid var(--line);
  border-radius: 10px; }
li { padding: 10px 14px; overflow-wrap: anywhere; }
li + li { border-top: 1px solid var(--line); }
li small, label small { display: block; color: var(--soft); font-size: 14px; }
fieldset { margin: 0 0 24px; padding: 0; border: 0; }
.account { display: flex; gap: 12px; align-items: center; margin-top: 8px; padding: 10px 14px;
  border: 1px solid var(--line); border-radius: 10px; cursor: pointer; }
.account:has(:checked) { border-color: var(--accent); background: var(--tint); }
input[type=radio] { width: 18px; height: 18px; margin: 0; accent-color: var(--accent); }
input[type=text], output { display: block; width: 100%; margin: 8px 0 24px; padding: 12px;
  border: 1px solid var(--line); border-radius: 10px; background: var(--paper); color: var(--ink);
  font: 600 24px/1.2 ui-monospace, monospace; letter-spacing: .12em; text-align: center; }
input[type=text] { text-transform: uppercase; }
::placeholder { font-weight: 400; opacity: .5; }
.buttons { display: flex; gap: 12px; }
button { flex: 1; padding: 12px 16px; border: 1px solid var(--line); border-radius: 10px;
  background: var(--paper); color: var(--ink); font: inherit; font-weight: 600; cursor: pointer; }
button.go { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.alarm { color: var(--alarm); }
footer { margin-top: 24px; padding-top: 16px; border-top: 1px solid var(--line);
  color: var(--soft); font-size: 14px; }
"""
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
SCOPES = {
    "openid": "Know who you are",
    "profile": "See your name",
    "email": "See your e-mail address",
    "offline_access": "Stay signed in while you are away",
    "api": "Call the demo API for you",
    "read": "Read what the demo API holds",
    "write": "Change what the demo API holds",
}
BUTTONS = (
    '<div class="buttons"><button name="decision" value="deny">Deny</button>'
    '<button class="go" name="decision" value="approve">Approve</button></div>'
)


def sign_in(client: Client, grant: Grant, users: tuple[User, ...], redirect_uri: str) -> Reply:
    """Make the sign-in and consent page. Its form posts to its own URL, which has the parameters of the request."""
    name, back = escape(client.name), urlsplit(redirect_uri)
    body = f"<h1>Sign in to {name}</h1><p><strong>{name}</strong> asks for access to your account.</p>"
    body += f'<form method="post">{_accounts(users, grant.subject)}'
    body += f"{_requested(grant.scope, grant.resources)}{BUTTONS}</form>"
    # CSP checks the redirect after a form too. It cannot name an IPv6 address: there the scheme alone is allowed.
    target = "http:" if "[" in back.netloc else f"{back.scheme}://{back.netloc}"
    return _page(f"Sign in to {client.name}", body, form_action=f"'self' {target}")


def enter_code(problem: str = "") -> Reply:
    """Make the first device page: a person types the user code."""
    body = "<h1>Connect a device</h1><p>Enter the code that your device or terminal shows.</p>"
    body += f'<p class="alarm" role="alert">{escape(problem)}</p>' if problem else ""
    body += '<form method="get" action="/device"><label for="code" class="name">Code</label>'
    body += '<input type="text" id="code" name="user_code" placeholder="XXXX-XXXX" maxlength="16"'
    body += ' autocomplete="off" autocapitalize="characters" spellcheck="false" required autofocus>'
    body += '<div class="buttons"><button class="go">Continue</button></div></form>'
    return _page("Connect a device", body, status=400 if problem else 200)


def connect_device(client: Client, waiting: DeviceAuthorization, users: tuple[User, ...]) -> Reply:
    """Make the second device page: a person compares the user code, reads what is requested, and decides."""
    name, code = escape(client.name), escape(waiting.user_code)
    body = f"<h1>Connect a device</h1><p><strong>{name}</strong> on another device or terminal asks"
    body += " for access to your account. Go on only if it shows this code:</p>"
    body += f'<form method="post" action="/device"><output>{code}</output>'
    body += f'<input type="hidden" name="user_code" value="{code}">{_accounts(users)}'
    body += f"{_requested(waiting.scope, waiting.resources)}{BUTTONS}</form>"
    return _page("Connect a device", body)


def done(title: str, text: str) -> Reply:
    """Make the last device page."""
    return _page(title, f"<h1>{escape(title)}</h1><p>{escape(text)}</p>")


def problem(title: str, text: str, status: int = 400) -> Reply:
    """Make the page for a request that must not be answered with a redirect."""
    return _page(title, f"<h1>{escape(title)}</h1><p>{escape(text)}</p>", status=status)


def _accounts(users: tuple[User, ...], subject: str | None = None) -> str:
    chosen = subject or users[0].subject
    rows = [
        f'<label class="account"><input type="radio" name="username" value="{escape(user.username)}"'
        f"{' checked' if user.subject == chosen else ''}>"
        f"<span>{escape(user.name)}<small>{escape(user.email)}</small></span></label>"
        for user in users
    ]
    return f"<fieldset><legend>Account</legend>{''.join(rows)}</fieldset>"


def _requested(scope: tuple[str, ...], resources: tuple[str, ...]) -> str:
    rows = [f"{escape(SCOPES.get(name, name))}<small>{escape(name)}</small>" for name in scope]
    rows += [f"Use it at<small>{escape(resource)}</small>" for resource in resources]
    return f"<h2>This will allow it to</h2><ul>{''.join(f'<li>{row}</li>' for row in rows)}</ul>"


def _page(title: str, body: str, status: int = 200, form_action: str = "'self'") -> Reply:
    document = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><style>{STYLE}</style></head><body><main>{body}'
        "<footer>A demonstration: this server runs on your own computer, and its accounts need no"
        " password.</footer></main></body></html>"
    )
    policy = (
        f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; img-src data:; base-uri 'none';"
        f" form-action {form_action}; frame-ancestors 'none'"
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",  # not no-referrer: that would make a form's Origin "null"
        "X-Frame-Options": "DENY",
    }
    return Reply(status=status, headers=headers, body=document.encode())
