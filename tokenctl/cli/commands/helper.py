"""`tokenctl helper`: speak the credential protocol of another tool, and set that tool up."""

from typing import TYPE_CHECKING

import click

from tokenctl.cli.commands import helper_setup
from tokenctl.cli.grammar import Command, Group, Names, shared_options
from tokenctl.cli.options import runtime_of, with_runtime
from tokenctl.handoff.helpers import LINES

if TYPE_CHECKING:
    from tokenctl.runtime import Runtime

_EXAMPLES = """\
  tokenctl helper install git --host https://git.example.com
  tokenctl helper status
  # what git asks, and what it gets
  printf 'protocol=https\\nhost=git.example.com\\n\\n' | tokenctl helper git get
  # one line for each client
  tokenctl help helpers"""


_ELSEWHERE = {
    **dict.fromkeys(("list", "ls", "show"), "status"),
    **dict.fromkeys(("add", "setup", "set-up", "enable", "configure"), "install"),
    **dict.fromkeys(("remove", "rm", "delete", "disable"), "uninstall"),
    **dict.fromkeys(("podman", "skopeo", "buildah"), "docker"),
}
"""What a person may call a command, and what it is called here."""


class _Group(Group):
    def elsewhere(self, word: str) -> str | None:
        """Return the hint for a word that other tools have."""
        own = _ELSEWHERE.get(word.lower())
        return f"here it is 'tokenctl helper {own}'" if own else None


@click.group("helper", cls=_Group, examples=_EXAMPLES, invoke_without_command=True)
@shared_options
@click.pass_context
def command(ctx: click.Context) -> None:
    """Give tokens to git, docker, kubectl and other tools.

    A client calls its helper by itself, as its configuration says; 'tokenctl helper install' writes that. A token is given
    only for the servers in the hosts of a profile. Without a command: list the clients, and what is installed.
    """
    if ctx.invoked_subcommand is None:
        from tokenctl.cli.actions import helper_status

        helper_status.overview(runtime_of(ctx))


# -- the protocols: one command each -----------------------------------------------------------------------

_VERBS = {
    "git": ("get", "store", "erase", "capability"),
    "docker": ("get", "store", "erase", "list", "version"),
    "terraform": ("get", "store", "forget"),
    "bazel": ("get",),
    "sasl": ("oauthbearer", "xoauth2"),
}
"""Name of a helper -> the first words that its client says."""
_OPTIONS = {
    "cargo": (click.Option(["--cargo-plugin"], is_flag=True, help="Speak cargo's protocol, not only print a token."),),
    "api-key": (click.Option(["--ttl"], metavar="SECONDS", help="How long the client keeps the token; else 300."),),
    "sasl": (
        click.Option(["--user"], metavar="NAME", help="The mail address that signs in."),
        click.Option(["--host"], metavar="HOST", help="The mail server."),
        click.Option(["--port"], metavar="N", help="Its port."),
    ),
}
"""Name of a helper -> the options of its protocol."""
_EXAMPLE = {
    "git": "printf 'protocol=https\\nhost=git.example.com\\n\\n' | tokenctl helper git get",
    "docker": "echo registry.example.com:5000 | tokenctl helper docker get",
    "kubectl": "tokenctl helper kubectl -p work",
    "cargo": "tokenctl helper cargo --cargo-plugin",
    "terraform": "tokenctl helper terraform get registry.example.com",
    "go": "tokenctl helper go https://modules.example.com",
    "bazel": 'echo \'{"uri": "https://cache.example.com/x"}\' | tokenctl helper bazel get',
    "pnpm": "tokenctl helper pnpm -p work",
    "gcp": "tokenctl helper gcp -p work",
    "sasl": "tokenctl helper sasl oauthbearer -p work \\\n    --user me@example.com --host imap.example.com --port 993",
    "mcp-headers": "CLAUDE_CODE_MCP_SERVER_URL=https://mcp.example.com tokenctl helper mcp-headers",
    "api-key": "tokenctl helper api-key -p work",
}
"""Name of a helper -> a call as its client makes it."""
_OWN = ("--profile", "--config", "--verbose", "--quiet", "--help")
_VALUED = ("-p", "--profile", "--config")


class _Helper(Command):
    """A command whose words are the client's: they are passed on as they are, and the protocol reads them.

    The shared options and every word with one dash are tokenctl's, wherever they stand. `plain.read_helper` reads the same.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options. Raises click.UsageError."""
        own: list[str] = []
        words: list[str] = []
        left = list(args)
        while left:
            word = left.pop(0)
            is_own = word.partition("=")[0] in _OWN or (word.startswith("-") and word[1:2] not in ("", "-"))
            (own if is_own else words).append(word)
            if word in _VALUED:
                own += left[:1]
                del left[:1]
        return super().parse_args(ctx, [*own, "--", *words])


def _speaker(helper: str) -> _Helper:
    """Make the command of one protocol."""

    @click.command(
        helper,
        cls=_Helper,
        help=f"Answer {LINES[helper]}.\n\nWhat the client says is passed on as it is: 'tokenctl help helpers'.",
        examples=f"  {_EXAMPLE[helper]}",
    )
    @click.argument(
        "words",
        nargs=-1,
        metavar="[WORD]...",
        type=Names("words" if helper in _VERBS else "text", *_VERBS.get(helper, ())),
    )
    @with_runtime
    def speak(runtime: "Runtime", name: str | None, words: tuple[str, ...]) -> int:
        from tokenctl.cli.actions import helper as action

        return action.speak(runtime, name, helper, words)

    for option in _OPTIONS.get(helper, ()):
        option.expose_value = False
        speak.params.append(option)
    return speak


for _name in LINES:
    command.add_command(_speaker(_name))
helper_setup.add_to(command)
