"""The pages that a person sees in the browser: HTML without scripts, under a strict Content Security Policy."""

import base64
import hashlib
from html import escape

from tokenctl.demo.authorization_server import DeviceAuthorization
from tokenctl.demo.messages import Reply
from tokenctl.demo.registry import USERS, Client
from tokenctl.demo.sessions import Grant

STYLE = """
:root { color-scheme: light dark; }
body { max-width: 26rem; margin: 3rem auto; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; }
label, li { display: block; padding: .4rem 0; overflow-wrap: anywhere; }
fieldset, ul { margin: 1rem 0; padding: .5rem 1rem; border: 1px solid #8886; border-radius: .5rem; }
small, footer { color: GrayText; font-size: .875rem; }
li small { display: block; }
[name=user_code] { width: 100%; box-sizing: border-box; text-transform: uppercase; }
output, button, [name=user_code] { padding: .7rem 1.5rem; border: 1px solid #8886; border-radius: .5rem; font: inherit; }
button[value=approve] { border-color: #2447c9; background: #2447c9; color: #fff; }
footer { margin-top: 2rem; }
"""
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    # `http:` is for the redirect after a form, to any loopback port.
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; img-src data:; base-uri 'none';"
    " form-action 'self' http:; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # not no-referrer: that would make a form's Origin "null"
}
SCOPES = {
    "openid": "Know who you are",
    "offline_access": "Stay signed in while you are away",
    "api": "Call the demo API for you",
}
FOOTER = "A demonstration: this server runs on your own computer, and its accounts need no password."


def sign_in(client: Client, grant: Grant) -> Reply:
    """Make the sign-in and consent page."""
    body = f"<p>{escape(client.name)} asks for access to your account.</p>{_form(grant)}"
    return _page(f"Sign in to {client.name}", body)


def enter_code(problem: str = "") -> Reply:
    """Make the first device page: a person types the user code."""
    body = f'<p role="alert">{escape(problem)}</p><form action="/device"><p><label for="code">'
    body += "Enter the code that your device or terminal shows.</label>"
    body += '<input id="code" name="user_code" maxlength="16" autocomplete="off" required autofocus></p>'
    return _page("Connect a device", f"{body}<button>Continue</button></form>", 400 if problem else 200)


def connect_device(client: Client, device: DeviceAuthorization) -> Reply:
    """Make the second device page: a person compares the user code, reads what is requested, and decides."""
    body = f"<p>{escape(client.name)} on another device or terminal asks for access to your account."
    body += f" Go on only if it shows this code:</p><output>{device.user_code}</output>"
    return _page("Connect a device", body + _form(device.grant))


def message(title: str, text: str, status: int = 200) -> Reply:
    """Make a page that only says something."""
    return _page(title, f"<p>{escape(text)}</p>", status)


def _form(grant: Grant) -> str:
    """Make the form of both consent pages. It posts to the page's own URL, which has the parameters of the request."""
    accounts = "".join(
        f'<label><input type="radio" name="username" value="{user.username}"'
        f"{' checked' if user.subject == grant.subject else ''}> {user.name} <small>{user.email}</small></label>"
        for user in USERS
    )
    rows = [(SCOPES.get(name, name), name) for name in grant.scope]
    rows += [("Use it at", resource) for resource in grant.resources]
    requested = "".join(f"<li>{escape(text)}<small>{escape(name)}</small></li>" for text, name in rows)
    return (
        f'<form method="post"><fieldset><legend>Account</legend>{accounts}</fieldset>This will allow it to<ul>{requested}</ul>'
        '<button name="decision" value="deny">Deny</button> <button name="decision" value="approve">Approve</button>'
        "</form>"
    )


def _page(title: str, body: str, status: int = 200) -> Reply:
    document = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        f"<style>{STYLE}</style><h1>{escape(title)}</h1>{body}<footer>{FOOTER}</footer></html>"
    )
    return Reply(status=status, headers=HEADERS, body=document.encode())
