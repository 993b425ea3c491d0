"""What `tokenctl store show` does: say where a session is kept."""

from functools import partial
from typing import Any

from tokenctl.cli.options import each_profile
from tokenctl.cli.output import answer
from tokenctl.cli.views import document
from tokenctl.errors import StoreError
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults


def show(runtime: Runtime, name: str | None, *, every: bool, as_json: bool) -> int:
    """Show the store of the profile, or of `every` one, and return the exit status. Raises TokenctlError."""
    describe = partial(_describe, runtime)
    found, status = each_profile(runtime, describe) if every else ([describe(name)], 0)
    if as_json:
        answer(document.as_text(found if every else found[0]))
    elif found:
        answer("\n\n".join(_lines(each) for each in found))
    return status


def _describe(runtime: Runtime, name: str | None) -> dict[str, Any]:
    vault = vaults.open(runtime, runtime.profile(name))
    store, found, problem = vault.store, None, None
    try:
        found = vault.newest() is not None
    except StoreError as error:
        problem = error.message
    return {
        "profile": vault.profile.name,
        "store": store.kind,
        "backend": store.backend,
        "kept_in": document.store_name(store.kind, store.backend),
        "entry": vault.entry,
        "session": found,
        "session_problem": problem,
        "copy_pending": vault.behind,
    }


def _lines(found: dict[str, Any]) -> str:
    session = {True: "yes", False: "no", None: f"unknown: {found['session_problem']}"}[found["session"]]
    named = {name.replace("_", " "): found[name] for name in ("profile", "store", "backend", "kept_in", "entry")}
    named |= {"session": session, "renewed and not yet there": "yes" if found["copy_pending"] else "no"}
    return "\n".join(f"{name}: {value}" for name, value in named.items())
