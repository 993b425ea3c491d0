"""Check: what a sign-in by a person needs of this machine: a port for the redirect, and a browser. Neither is used."""

from collections.abc import Iterator

from tokenctl.adapters.redirect_listener import listening
from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding
from tokenctl.errors import UsageError
from tokenctl.model.profile import Profile

NAME = "sign-in"


def look(case: Case) -> Iterator[Finding]:
    """Bind the port for a moment, and say whether a browser would open. `token` needs neither, so nothing here fails it."""
    profile = case.profile
    if profile is None or profile.by_machine:
        return
    yield _listener(profile)
    yield _browser(case)


def _listener(profile: Profile) -> Finding:
    try:
        with listening(profile.redirect_uri, profile.port) as callback:
            uri = callback.redirect_uri
    except UsageError as error:
        sentence = f"a sign-in by browser fails here: {error.message}"
        return Finding(check="listener", status="warning", sentence=sentence, remedy=error.hint)
    fixed = profile.port is not None or profile.redirect_uri is not None
    which = uri if fixed else "a free port of this machine"
    return Finding(
        check="listener", status="ok", sentence=f"a sign-in can listen at {which} for the browser to come back"
    )


def _browser(case: Case) -> Finding:
    runtime = case.runtime
    if runtime.browser.present:
        return Finding(check="browser", status="ok", sentence="'tokenctl login' opens the browser of this machine")
    why = runtime.browser.why_absent
    return Finding(
        check="browser",
        status="ok",
        sentence=f"no browser opens here{f' ({why})' if why else ''}: 'tokenctl login' prints the address, which can be opened on"
        " any machine, as with --no-browser",
    )
