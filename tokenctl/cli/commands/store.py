"""`tokenctl store`: where each session is kept, and moving one from there to somewhere else."""

from dataclasses import replace
from typing import Any

import click

from tokenctl.broker import lifecycle as moving
from tokenctl.cli.options import as_json, each_profile, every, with_runtime
from tokenctl.cli.output import answer
from tokenctl.cli.views import document
from tokenctl.config import editing as config_edit
from tokenctl.errors import StoreError, UsageError
from tokenctl.model.profile import Profile
from tokenctl.runtime import Runtime


@click.group("store")
def command() -> None:
    """Show where sessions are kept, or move one."""


@command.command("show")
@every
@as_json
@with_runtime
def show(runtime: Runtime, name: str | None, every: bool, as_json: bool) -> int:
    """Show where the profile's session is kept.

    And whether it can be read there, and whether a renewed one is on its way.
    """
    places: list[dict[str, Any]] = []

    def look(name: str | None) -> None:
        places.append(_place(runtime, runtime.profile(name)))

    status = 0
    if every:
        status = each_profile(runtime, look)
    else:
        look(name)
    if as_json:
        answer(document.as_text(places if every else places[0]))
    elif places:
        answer("\n\n".join(_lines(each) for each in places))
    return status


def _place(runtime: Runtime, profile: Profile) -> dict[str, Any]:
    store = runtime.store(profile)
    found, problem = None, None
    try:
        found = store.read(profile.name) is not None
    except StoreError as error:
        problem = error.message
    entry = f"service tokenctl:{profile.name}, username session"
    kept = {"file": str(runtime.folder(profile) / "session.sealed"), "memory": "nowhere"}.get(store.kind, entry)
    return {
        "profile": profile.name,
        "store": store.kind,
        "backend": store.backend,
        "kept_in": document.place(store),
        "entry": kept,
        "session": found,
        "session_problem": problem,
        "copy_pending": runtime.has_redo_log(profile),
    }


def _lines(place: dict[str, Any]) -> str:
    found = {True: "yes", False: "no", None: f"unknown: {place['session_problem']}"}[place["session"]]
    named = {name.replace("_", " "): place[name] for name in ("profile", "store", "backend", "kept_in", "entry")}
    named |= {"session": found, "renewed and not yet there": "yes" if place["copy_pending"] else "no"}
    return "\n".join(f"{name}: {value}" for name, value in named.items())


@command.command("migrate")
@click.option(
    "--to",
    "kind",
    type=click.Choice(["keyring", "session", "file"]),
    required=True,
    help="Where the session shall be kept from now on.",
)
@with_runtime
def migrate(runtime: Runtime, name: str | None, kind: str) -> None:
    """Move the profile's session to another store.

    It is written there and read back before anything is removed here. The profile in the config file is
    changed to match.
    """
    profile = runtime.profile(name)
    backend = profile.keyring_backend if kind == "keyring" else None
    old, new = moving.migrate(runtime, replace(profile, store=kind, keyring_backend=backend))
    if profile.name in runtime.config.profiles and runtime.config.profiles[profile.name].store != kind:
        try:
            with runtime.config_locked():
                config_edit.set_store(runtime.config, profile.name, kind)
        except UsageError as error:  # the session is where it should be; only a later login would be surprised
            runtime.terminal.warning(f"{error.message}: {error.hint}")
    if (old.kind, old.backend) == (new.kind, new.backend):
        runtime.terminal.message(f"the session of {profile.name} is in {document.place(new)} already")
    else:
        runtime.terminal.message(
            f"the session of {profile.name} is now kept in {document.place(new)}; it was in {document.place(old)}"
        )
