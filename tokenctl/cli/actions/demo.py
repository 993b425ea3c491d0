"""What `tokenctl demo` does: show the whole life of a session, without an account."""

import sys
import threading

from tokenctl.adapters.signals import ended_by_signals
from tokenctl.adapters.terminal import Terminal
from tokenctl.cli.output import answer
from tokenctl.demo import tour
from tokenctl.demo.authorization_server import AuthorizationServer
from tokenctl.demo.http_server import DemoServer
from tokenctl.demo.sessions import Sessions
from tokenctl.errors import UsageError

_SERVING = """\
The demo's authorization server runs at {issuer} until Ctrl-C.
Access tokens live 15 minutes. Refresh tokens live 7 days and rotate: one that is used twice ends the session.

A person (these use your own keyring; add --store file where there is none):
  tokenctl login -p demo --issuer {issuer} --client-id tokenctl-demo --scope "openid offline_access api"
  tokenctl login -p demo --flow device
  tokenctl show -p demo
  tokenctl token -p demo --format header | curl -s -H @- {issuer}/api/hello
  tokenctl revoke -p demo

A machine (no session is stored):
  export TOKENCTL_ISSUER={issuer} TOKENCTL_CLIENT_ID=tokenctl-demo-ci TOKENCTL_CLIENT_SECRET=demo-ci-secret
  tokenctl token -p env --format header | curl -s -H @- {issuer}/api/hello
"""


def run(host: str | None, port: int | None, *, serve: bool) -> None:
    """Run the tour, or with `serve` the demo's server until Ctrl-C. Raises TokenctlError."""
    if not serve and (host is not None or port is not None):
        raise UsageError("--host and --port need --serve", hint="add --serve, or leave them out")
    with ended_by_signals():
        if serve:
            _serve("127.0.0.1" if host is None else host, port)
        else:
            tour.run(bold=sys.stdout.isatty())


def _serve(host: str, port: int | None) -> None:
    try:
        with DemoServer(AuthorizationServer(Sessions()), host=host, port=port or 0) as server:
            answer(_SERVING.format(issuer=server.issuer))
            threading.Event().wait()
    except KeyboardInterrupt:  # the normal end, not an error
        Terminal().message("stopped")
    except ValueError:
        raise UsageError(
            f"the demo's server listens on this machine only, not on {host!r:.80}", hint="leave --host out"
        ) from None
    except OSError as reason:
        raise UsageError(
            f"cannot listen on {host} port {port}: {reason.strerror}", hint="choose another --port"
        ) from None
