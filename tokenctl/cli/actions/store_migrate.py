"""What `tokenctl store migrate` does: move a session to another store."""

from tokenctl.broker import lifecycle
from tokenctl.cli.views import document
from tokenctl.config import editing
from tokenctl.errors import UsageError
from tokenctl.model.store import choice_of
from tokenctl.runtime import Runtime
from tokenctl.storage.lock import exclusive_config
from tokenctl.storage.opening import in_store


def migrate(runtime: Runtime, name: str | None, kind: str) -> None:
    """Move the profile's session to the store `kind`, and change the profile. Raises TokenctlError."""
    profile = runtime.profile(name)
    old, new = lifecycle.migrate(runtime, in_store(profile, kind))
    if profile.name in runtime.config.profiles and runtime.config.profiles[profile.name].store != kind:
        try:
            with exclusive_config(runtime.environ):
                editing.change(runtime.config, profile.name, {"store": kind})
        except UsageError as error:  # the session has moved; only a later login would use the old store
            runtime.terminal.warning(f"{error.message}: {error.hint}")
    new_name = document.store_name(new.kind, new.backend)
    if choice_of(old) == choice_of(new):
        runtime.terminal.message(f"the session of {profile.name} is in {new_name} already")
    else:
        old_name = document.store_name(old.kind, old.backend)
        runtime.terminal.message(f"the session of {profile.name} is now kept in {new_name}; it was in {old_name}")
