"""`tokenctl help`: the help of a command, or the page of a topic."""

import sys

import click

from tokenctl.cli.commands import load
from tokenctl.cli.help import TOPICS, page
from tokenctl.cli.output import answer
from tokenctl.errors import UsageError


@click.command("help", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("name", required=False, metavar="[COMMAND|TOPIC]")
@click.pass_context
def command(ctx: click.Context, name: str | None) -> None:
    """Show the help of a command, or the page of a topic.

    \b
    Topics:
      ci               pipelines and scripts: GitHub, GitLab, a plain shell
      config           the config file, and every setting of a profile
      environment      every variable, and who is asked for
      exit-statuses    what each exit status means, and how a script uses it
      keyrings         what each keyring promises, and what to do where there is none
      networks         proxies, certificates and slow networks
      reliability      why no session is lost to a race, a crash or a retry
      security         what is protected from whom, and what is not
      token-apis       sessions at token APIs that are not OAuth
      troubleshooting  what you see, what it means, and what to do
    """  # noqa: D301 (click reads the \b)
    root = ctx.find_root()
    if name is None:
        answer(f"{root.get_help()}\n\n{_list_of_topics()}")
    elif name in TOPICS:
        _show(page(name))
    else:
        found = load(name)
        if found is None:
            raise UsageError(
                f"there is no command and no topic {name!r:.60}",
                hint=f"the topics are: {', '.join(TOPICS)}; or run 'tokenctl help'",
            )
        answer(found.get_help(click.Context(found, info_name=name, parent=root)))


def _list_of_topics() -> str:
    width = max(map(len, TOPICS)) + 2
    return "Topics (tokenctl help TOPIC):\n" + "\n".join(f"  {name:<{width}}{line}" for name, line in TOPICS.items())


def _show(text: str) -> None:
    if sys.stdout is not None and sys.stdout.isatty():
        from tokenctl.cli.views.page import draw_page

        draw_page(text)
    else:
        answer(text.rstrip("\n"))
