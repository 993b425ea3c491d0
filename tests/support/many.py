"""Many signed-in profiles: one person signs in, and the session is kept under more names."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace

from tests.support.commandline import Home
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults


def sign_in_too(home: Home, names: Iterable[str], environ: Mapping[str, str] = {}) -> None:
    """Sign in under more names: the session of profile `t`, as an own one, and the same settings.

    `environ` is what the store of these profiles depends on.
    """
    runtime = Runtime(home.environ)
    profile = runtime.profile("t")
    session = vaults.open(runtime, profile).newest()
    assert isinstance(session, Session)
    runtime.environ = {**home.environ, **environ}
    text = home.config.read_text()
    settings = text.partition("[profiles.t]")[2].partition("[")[0]
    for name in names:
        own = replace(session, id=secrets.token_hex(8))
        vaults.open_for_login(runtime, replace(profile, name=name)).keep(own)
        text += f"\n[profiles.{name}]{settings}"
    home.write_config(text)
