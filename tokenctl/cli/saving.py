"""What a login that has succeeded writes into the config file: its options, and that the client has a secret."""

from dataclasses import replace

from tokenctl.cli.wanted import Wanted
from tokenctl.config import editing
from tokenctl.errors import UsageError
from tokenctl.model.choices import AUTH_METHODS
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage.lock import exclusive_config


def save(runtime: Runtime, wanted: Wanted, session: Session) -> bool:
    """Write what the login has changed of the profile, and tell whether anything was written. Raises UsageError.

    A person's client that proved itself with a secret gets its `token_endpoint_auth_method`: so the next login knows,
    also after `revoke` has removed the secret, that it needs one before a browser opens. Where only that would be
    new, and the file cannot be written, the login is good all the same.
    """
    known = wanted.saved or runtime.config.profiles.get(wanted.profile.name)
    if known is None:  # the profile `env`
        return False
    profile = _with_client_authentication(known, session)
    if wanted.saved is None and profile == known:
        return False
    try:
        with exclusive_config(runtime.environ):
            editing.save(runtime.config, profile)
    except UsageError as error:
        if wanted.saved is not None:
            raise
        runtime.terminal.detail(f"the profile does not say that its client has a secret: {error.message}")
        return False
    return True


def _with_client_authentication(profile: Profile, session: Session) -> Profile:
    method = session.token_endpoint_auth_method
    if session.by_machine or profile.auth_method is not None or method == "none" or method not in AUTH_METHODS:
        return profile
    return replace(profile, token_endpoint_auth_method=method)
