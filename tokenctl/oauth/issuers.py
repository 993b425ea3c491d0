"""Issuers as people type them, and hints to the exact one. Nothing here is accepted silently: it is only said.

A table of providers, with their aliases, takes the place of `USUAL` later.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from tokenctl.errors import Refused
from tokenctl.oauth.wire import safe_url

WELL_KNOWN = "/.well-known/"
LONGEST = 300
"""Characters of an issuer that a hint repeats, at most."""
_ENTRA = "https://login.microsoftonline.com/TENANT-ID/v2.0, with the ID of your tenant"
USUAL: Mapping[str, str] = {
    **dict.fromkeys(("github.com", "www.github.com", "api.github.com"), "https://github.com/login/oauth"),
    **dict.fromkeys(
        ("google.com", "www.google.com", "oauth2.googleapis.com", "accounts.google.com"), "https://accounts.google.com"
    ),
    **dict.fromkeys(("gitlab.com", "www.gitlab.com"), "https://gitlab.com"),
    **dict.fromkeys(("login.microsoftonline.com", "login.microsoft.com", "sts.windows.net"), _ENTRA),
}
"""Host that a person types -> the issuer of the server that is meant."""


def other_issuer_hint(typed: str, said: object) -> str:
    """Say what to do when the metadata at the issuer `typed` is of the issuer `said`."""
    if isinstance(said, str) and "{" in said:
        return (
            "the address is for every tenant, and a template is no issuer: use the issuer of your own tenant,"
            f" {_of_tenant(said)}"
        )
    if not isinstance(said, str) or len(said) > LONGEST or not _is_safe(said):
        return "the server's metadata is wrong, so no other spelling helps: ask the server's operator to correct its issuer"
    if _host(said) == _host(typed):
        return f"if that is the server you mean, use its own spelling: --issuer {said}"
    return usual_hint(typed) or (
        "the address may be wrong, or an alias: use the issuer of the server's documentation, to the character"
    )


def no_metadata_hint(typed: str) -> str:
    """Say what to do when no address of the issuer has metadata."""
    usual = usual_hint(typed)
    if usual:
        return usual
    path = urlsplit(typed).path
    slash = "a final slash" if not path.endswith("/") else "no final slash"
    return (
        f"check --issuer: does it need a path, or {slash}?"
        " For a server without metadata set token_endpoint and the others in the profile"
    )


def usual_hint(typed: str) -> str | None:
    """Name the issuer of a well-known server that people type otherwise; None when it is typed so, or is not known."""
    usual = USUAL.get(_host(typed))
    return None if usual in (None, typed) else f"use --issuer {usual}"


def spelling_hint(typed: str) -> str | None:
    """Say how to write what a person typed as an issuer, such as a host alone; None when nothing is known."""
    url = typed if "://" in typed else f"https://{typed}"
    if url.startswith("http://"):
        url = "https://" + url.removeprefix("http://")
    usual = usual_hint(url)
    if usual or url == typed or not _is_safe(url) or "?" in url:
        return usual
    return f"use --issuer {url}"


def without_well_known(typed: str) -> str | None:
    """Return the issuer of a metadata document whose address was typed; None when it is no such address."""
    before, found, after = typed.partition(WELL_KNOWN)
    if not found:
        return None
    return before + "".join(after.partition("/")[1:])


def _of_tenant(template: str) -> str:
    start, _, rest = template.partition("{")
    return f"such as {start}TENANT-ID{rest.partition('}')[2]}"


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removesuffix(".")  # lower case
    except ValueError:
        return ""


def _is_safe(url: str) -> bool:
    try:
        safe_url(url, "it")
    except Refused:
        return False
    return True
