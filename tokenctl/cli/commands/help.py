"""`tokenctl help`: the help of a command, or the page of a topic."""

import click

from tokenctl.cli.grammar import Command, Names
from tokenctl.cli.help import TOPICS, page
from tokenctl.cli.output import answer, stdout_is_terminal
from tokenctl.errors import UsageError, did_you_mean

_EXAMPLES = """\
  tokenctl help
  tokenctl help login
  tokenctl help profile set
  tokenctl help keyrings"""


@click.command("help", cls=Command, examples=_EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("words", nargs=-1, metavar="[COMMAND|TOPIC]", type=Names("topic"))
@click.pass_context
def command(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Show the help of a command, or the page of a topic.

    \b
    Topics:
      audit            is somebody else using my session: the event log and its anomalies
      ci               pipelines and scripts: GitHub, GitLab, a plain shell
      config           the config file, and every setting of a profile
      environment      every variable, and who is asked for
      exit-statuses    what each exit status means, and how a script uses it
      helpers          git, docker, kubectl and other tools: one command a client
      keyrings         what each keyring promises, and what to do where there is none
      networks         proxies, certificates and slow networks
      proxy            a proxy that adds the token, so that a program never holds it
      python           Python programs: httpx, requests, async services, notebooks
      reliability      why no session is lost to a race, a crash or a retry
      security         what is protected from whom, and what is not
      servers          real authorization servers: what they need, and what is special there
      signing-in       a first login, the redirect URI, no browser, secrets
      token-apis       sessions at token APIs that are not OAuth
      troubleshooting  what you see, what it means, and what to do
    """  # noqa: D301 (click reads the \b)
    root = ctx.find_root()
    if not words:
        answer(f"{root.get_help()}\n\n{_list_of_topics()}")
    elif words[0] in TOPICS:
        _show(page(words[0]))
    else:
        answer(_help_of(root, words))


def _help_of(root: click.Context, words: tuple[str, ...]) -> str:
    """Return the help of a command, which several words name where it is in a group. Raises UsageError."""
    ctx = root
    for word in words:
        group = ctx.command
        found = group.get_command(ctx, word) if isinstance(group, click.Group) else None
        if found is None:
            raise _unknown(ctx, word, words)
        ctx = click.Context(found, info_name=word, parent=ctx)
    return ctx.get_help()


def _unknown(ctx: click.Context, word: str, words: tuple[str, ...]) -> UsageError:
    """Say that the word names no command there, and which there are."""
    known = ctx.command.list_commands(ctx) if isinstance(ctx.command, click.Group) else []
    if ctx.parent is None:
        message = f"there is no command and no topic {word!r:.60}"
        hint = did_you_mean(word, [*TOPICS, *known]) or f"the topics are: {', '.join(TOPICS)}; or run 'tokenctl help'"
    else:
        message = f"there is no command {' '.join(words)!r:.60}"
        path = ctx.command_path
        hint = did_you_mean(word, known) or (
            f"the commands are: {', '.join(known)}" if known else f"run 'tokenctl help {path.partition(' ')[2]}'"
        )
    return UsageError(message, hint=hint)


def _list_of_topics() -> str:
    width = max(map(len, TOPICS)) + 2
    return "Topics (tokenctl help TOPIC):\n" + "\n".join(f"  {name:<{width}}{line}" for name, line in TOPICS.items())


def _show(text: str) -> None:
    if stdout_is_terminal():
        from tokenctl.cli.views.page import draw_page

        draw_page(text)
    else:
        answer(text.rstrip("\n"))
