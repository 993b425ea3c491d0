"""What `tokenctl proxy` does: serve requests to one upstream with the token, until it is ended."""

import os
import secrets
import shlex
from pathlib import Path
from typing import NamedTuple

from tokenctl.adapters import signals
from tokenctl.errors import TokenctlError, UsageError, explained_on
from tokenctl.handoff import binding
from tokenctl.handoff.live_token import LiveToken
from tokenctl.handoff.masking import mask_text
from tokenctl.handoff.proxy import listening
from tokenctl.handoff.proxy.paths import is_harmful, readings
from tokenctl.handoff.proxy.rules import Allow
from tokenctl.handoff.proxy.secret_file import written
from tokenctl.handoff.proxy.server import Proxy, running
from tokenctl.model.profile import Profile
from tokenctl.runtime import Runtime


class Wanted(NamedTuple):
    """What a proxy is asked for: the upstream's URL, whether to bind it for this run, and what is allowed."""

    url: str
    bind: bool
    allow: tuple[str, ...]
    secret_header: str = "x-api-key"


@explained_on("proxy")
def profile_of(runtime: Runtime, name: str | None, wanted: Wanted) -> Profile:
    """Choose the profile whose token the upstream gets. Raises UsageError."""
    if not wanted.bind:
        return binding.profile_for(runtime, name, wanted.url)
    binding.origin_of(wanted.url)
    return runtime.profile(name)


@explained_on("proxy")
def proxy_of(profile: Profile, wanted: Wanted) -> Proxy:
    """Make what the proxy serves, with a new secret. Raises UsageError."""
    return Proxy(
        upstream=_upstream(wanted.url),
        secret=secrets.token_urlsafe(32),
        secret_header=wanted.secret_header,
        allow=tuple(map(Allow.parse, wanted.allow)),
        ca_file=profile.ca_file,
    )


def _upstream(url: str) -> str:
    """Return the upstream's origin and its path prefix. Raises UsageError."""
    path = url.partition("://")[2].partition("/")[2]
    if "?" in url or "#" in url:
        raise UsageError(f"{url!r:.80} has a query or a fragment", hint="write the server and a path at most")
    found = readings(f"/{path}".encode())
    if found is None or any(map(is_harmful, found)):
        raise UsageError(f"{url!r:.80} has a path with a segment . or .., or a backslash")
    return f"{binding.origin_of(url)}/{path}".rstrip("/")


@explained_on("proxy")
def serve(
    runtime: Runtime, name: str | None, wanted: Wanted, *, port: int, path: str | None, secret_file: str | None
) -> None:
    """Serve until Ctrl-C or another signal ends this process: on a port, or on the unix socket `path`.

    The secret is in `secret_file`, or in a file that only this run has. Raises TokenctlError.
    """
    profile = profile_of(runtime, name, wanted)
    proxy = proxy_of(profile, wanted)
    mask_text(runtime.environ, runtime.terminal, proxy.secret)
    live = LiveToken(runtime, profile, runtime.asked(profile))
    on_socket = None if path is None else Path(os.path.abspath(path))
    with (
        signals.ended_by_signals(),
        listening.on_port(port) if on_socket is None else listening.on_path(on_socket) as listener,
        written(proxy.secret, secret_file, runtime.environ) as file,
        running(runtime, live, proxy, listener) as ended,
    ):
        address = on_socket or f"http://{listening.HOST}:{listener.getsockname()[1]}"
        runtime.terminal.instruction(
            f"{address} is a proxy for {proxy.upstream} with the token of {profile.name!r}; its secret is in {file}"
        )
        runtime.terminal.hint(_how_to_use(address, file))
        _warn_without_token(runtime, live)
        while not ended.wait(_LOOK_UP):
            pass


_LOOK_UP = 3600.0 if os.name == "posix" else 0.5
"""Seconds. On Windows a wait does not end at Ctrl-C, but only afterwards."""


def _how_to_use(address: Path | str, file: Path) -> str:
    """Return a command that keeps the secret out of the arguments, which every user of the machine can read."""
    curl = f"curl -H @- {address}/"
    if isinstance(address, Path):
        curl = f"curl -H @- --unix-socket {shlex.quote(str(address))} http://localhost/"
    return f"{{ printf 'Authorization: Bearer '; cat {shlex.quote(str(file))}; }} | {curl}"


def _warn_without_token(runtime: Runtime, live: LiveToken) -> None:
    """Say now what each request would be answered with."""
    try:
        live.get()
    except TokenctlError as error:
        runtime.terminal.warning(f"there is no token now, so requests are answered with an error: {error.message}")
        if error.hint:
            runtime.terminal.hint(error.hint)
