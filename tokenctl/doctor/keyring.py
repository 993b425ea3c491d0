"""Check: the keyring, or another store that keeps the session: that it answers, and is unlocked.

The session is read as `token` reads it. So a backend that `token` refuses is refused here in the same words, and the
file store's passphrase comes from where it comes for `token`, also from `passphrase_command`. No keyring opens a window.
"""

import time
from collections.abc import Iterator

from tokenctl.doctor import write_test
from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding
from tokenctl.doctor.trouble import OF_THE_STORE, finding_of
from tokenctl.errors import StoreTimedOut, TokenctlError
from tokenctl.storage import opening

NAME = "keyring"


def look(case: Case) -> Iterator[Finding]:
    """Read the session, and say how long the store took; with `--write-test`, write too."""
    vault, profile = case.vault, case.profile
    if vault is None or profile is None:
        yield Finding(check=NAME, status="could not check", sentence="it is not known which keyring is used")
        return
    if not vault.lasting:
        yield Finding(check=NAME, status="ok", sentence="none is needed: the memory store keeps nothing")
        return
    if isinstance(case.problem, StoreTimedOut):  # once is enough to wait for it
        yield finding_of(NAME, case.problem)
        return
    started = time.monotonic()
    try:
        store = vault.store
        session = store.read(profile.name)
        named = opening.named(case.runtime.environ, profile, store)
        more = {"store": store.kind, "backend": store.backend, "collection": store.collection}
    except TokenctlError as error:
        if case.failed_at("reading") is not None and not isinstance(error, OF_THE_STORE):
            yield Finding(
                check=NAME,
                status="could not check",
                sentence="it is not looked at, because the session cannot be read: see below",
            )
        else:
            yield finding_of(NAME, error)
        return
    milliseconds = round(1000 * (time.monotonic() - started))
    what = "answers" if session is None else "is unlocked, and answers"
    when = "; a login would keep its session there" if vault.previous is None else ""
    yield Finding(
        check=NAME,
        status="ok",
        sentence=f"{named} {what} in {milliseconds} ms{when}",
        more={**more, "milliseconds": milliseconds},
    )
    if case.write_test:
        yield from write_test.look(case.runtime, profile)
