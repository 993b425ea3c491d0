"""What `tokenctl proxy` does: serve requests to one upstream with the token, until it is ended."""

import contextlib
import os
import secrets
import shlex
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tokenctl.adapters import signals
from tokenctl.adapters.private_files import replace_private
from tokenctl.errors import TokenctlError, UsageError
from tokenctl.handoff import binding
from tokenctl.handoff.live_token import LiveToken
from tokenctl.handoff.masking import mask_text
from tokenctl.handoff.proxy import listening
from tokenctl.handoff.proxy.paths import is_harmful, readings
from tokenctl.handoff.proxy.rules import Allow
from tokenctl.handoff.proxy.server import Proxy, running
from tokenctl.handoff.token_folder import token_folder
from tokenctl.model.profile import Profile
from tokenctl.runtime import Runtime


class Wanted(NamedTuple):
    """What a proxy is asked for: the upstream's URL, whether to bind it for this run, and what is allowed."""

    url: str
    bind: bool
    allow: tuple[str, ...]
    secret_header: str = "x-api-key"


def profile_of(runtime: Runtime, name: str | None, wanted: Wanted) -> Profile:
    """Choose the profile whose token the upstream gets. Raises UsageError."""
    if not wanted.bind:
        return binding.profile_for(runtime, name, wanted.url)
    binding.origin_of(wanted.url)
    return runtime.profile(name)


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
    with (
        signals.ended_by_signals(),
        _listener(port, path) as listener,
        _secret_in_file(runtime, proxy.secret, secret_file) as kept,
        running(runtime, live, proxy, listener) as ended,
    ):
        address = os.path.abspath(path) if path else "http://{}:{}".format(*listener.getsockname())
        _say_how_to_use(runtime, profile, proxy, address, kept)
        _warn_without_token(runtime, live)
        ended.wait()


def _listener(port: int, path: str | None) -> contextlib.AbstractContextManager[socket.socket]:
    return listening.on_port(port) if path is None else listening.on_path(path)


@contextlib.contextmanager
def _secret_in_file(runtime: Runtime, secret: str, named: str | None) -> Iterator[Path]:
    """Write the secret to a private file for the block. Raises UsageError or TokenctlError."""
    with contextlib.ExitStack() as stack:
        file = Path(named).absolute() if named else stack.enter_context(token_folder(runtime.environ)) / "proxy_secret"
        try:
            replace_private(file, secret.encode())
        except OSError as reason:
            raise UsageError(
                f"the secret cannot be written to {file}: {reason.strerror}",
                hint="name a file in a folder of yours with --secret-file",
            ) from None
        try:
            yield file
        finally:
            with contextlib.suppress(OSError):
                if file.read_text() == secret:  # another proxy may have written its own since
                    file.unlink()


def _say_how_to_use(runtime: Runtime, profile: Profile, proxy: Proxy, address: str, file: Path) -> None:
    on_path = not address.startswith("http:")
    runtime.terminal.instruction(
        f"{address} is a proxy for {proxy.upstream} with the token of {profile.name!r}; its secret is in {file}"
    )
    curl = f"curl --unix-socket {shlex.quote(address)}" if on_path else "curl"
    url = "http://localhost/" if on_path else f"{address}/"
    runtime.terminal.hint(f"{{ printf 'Authorization: Bearer '; cat {shlex.quote(str(file))}; }} | {curl} -H @- {url}")


def _warn_without_token(runtime: Runtime, live: LiveToken) -> None:
    """Say now what each request would be answered with."""
    try:
        live.get()
    except TokenctlError as error:
        runtime.terminal.warning(f"there is no token now, so requests are answered with an error: {error.message}")
        if error.hint:
            runtime.terminal.hint(error.hint)
