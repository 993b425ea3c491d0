"""`tokenctl proxy`: forward requests to one server with the token, for a program that does not hold it."""

import re
from typing import TYPE_CHECKING

import click

from tokenctl.cli.grammar import Command, Names
from tokenctl.cli.options import allow, bind, with_runtime

if TYPE_CHECKING:
    from tokenctl.runtime import Runtime


def listen(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Read the address to listen on as its port. Raises click.BadParameter."""
    if value is None:
        return None
    found = re.fullmatch(r"127\.0\.0\.1:([0-9]{1,5})", value)
    if found is None or int(found[1]) > 65535:
        raise click.BadParameter(f"{value!r:.60} must be 127.0.0.1:PORT, so that only this machine can connect")
    return int(found[1])


_NOT_FOR_SECRETS = {
    *("authorization", "host", "cookie", "content-length", "content-type", "origin", "expect"),
    *("connection", "keep-alive", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade"),
}


def header(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """Read the name of a header that can have the secret. Raises click.BadParameter."""
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", value):
        raise click.BadParameter(f"{value!r:.60} is not the name of a header")
    if value.lower() in _NOT_FOR_SECRETS:
        raise click.BadParameter(f"{value} has a meaning of its own; name another header, such as x-api-key")
    return value


_EXAMPLES = """\
  # prints its address, and the file that has its secret
  tokenctl proxy https://api.example.com
  # for a container that gets this folder and no network
  tokenctl proxy https://api.example.com --socket ~/p/api.sock --secret-file ~/p/secret
  # nothing but reading the list of models
  tokenctl proxy https://api.example.com --allow 'GET /v1/models'"""


@click.command("proxy", cls=Command, examples=_EXAMPLES)
@click.argument("url", metavar="URL")
@click.option(
    "--listen", "port", callback=listen, metavar="127.0.0.1:PORT", help="Listen on this port; else on a free one."
)
@click.option(
    "--socket", "path", type=Names("file"), metavar="PATH", help="Listen on a unix socket that only you can open."
)
@click.option("--secret-file", type=Names("file"), metavar="FILE", help="Write the secret to this file.")
@click.option(
    "--secret-header",
    callback=header,
    default="x-api-key",
    show_default=True,
    metavar="NAME",
    help="A header in which a client can present the secret, beside Authorization.",
)
@allow
@bind
@with_runtime
def command(
    runtime: "Runtime",
    name: str | None,
    url: str,
    port: int | None,
    path: str | None,
    secret_file: str | None,
    secret_header: str,
    allow: tuple[str, ...],
    bind: bool,
) -> None:
    """Forward requests to one server with the token.

    It is for a program that must not hold the token. A client presents the secret of the proxy as the Bearer token, as the password, or in a header. The proxy takes it
    out, puts a fresh access token in, and sends the request to URL: a server of the profile's 'hosts', with a path prefix
    if you like. It runs until Ctrl-C. 'tokenctl exec --proxy' runs one for a single command.
    """
    if port is not None and path is not None:
        raise click.UsageError("--listen and --socket contradict each other")
    from tokenctl.cli.actions.proxy import Wanted, serve

    serve(
        runtime,
        name,
        Wanted(url, bind, allow, secret_header),
        port=port or 0,
        path=path,
        secret_file=secret_file,
    )
