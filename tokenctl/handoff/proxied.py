"""A child that gets no token: only the address of a proxy, and the proxy's secret. The proxy ends with the child."""

from collections.abc import Sequence
from dataclasses import replace

from tokenctl.adapters import signals
from tokenctl.handoff import environment, supervised
from tokenctl.handoff.child import Child
from tokenctl.handoff.live_token import LiveToken
from tokenctl.handoff.masking import mask_text
from tokenctl.handoff.proxy import listening
from tokenctl.handoff.proxy.server import Proxy, running
from tokenctl.runtime import Runtime


def run_with_proxy(runtime: Runtime, live: LiveToken, proxy: Proxy, child: Child, wanted: Sequence[str]) -> int:
    """Run the child beside a proxy on a free port of this machine, and return the child's exit status.

    `wanted` are the variables that would have the token: `NAME` or `NAME=TEMPLATE`. Signals are relayed as in
    `run_with_token_file`. Raises NotExecutable or UsageError.
    """
    mask_text(runtime.environ, runtime.terminal, proxy.secret)
    with signals.relayed() as relay, listening.on_port() as listener:
        url = f"http://{listening.HOST}:{listener.getsockname()[1]}"
        environ = child.environ | environment.without_other_proxy(child.environ)
        environ |= {environment.PROXY_VARIABLE: url, environment.SECRET_VARIABLE: proxy.secret}
        environ |= environment.variables(wanted, environment.of_proxy(url, proxy.secret))
        with running(runtime, live, proxy, listener):
            return supervised.exit_status(supervised.start(replace(child, environ=environ), relay), relay)
