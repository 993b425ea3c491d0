"""What `tokenctl profile list` and `tokenctl profile show` do: show the profiles of the config file. No keyring is read."""

from tokenctl.cli.output import answer, stdout_is_terminal
from tokenctl.cli.views import document, profiles
from tokenctl.config import environment
from tokenctl.errors import UsageError
from tokenctl.runtime import Runtime


def list_all(runtime: Runtime, *, as_json: bool) -> None:
    """List the profiles of the config file. Raises TokenctlError."""
    config = runtime.config
    found = [profiles.document(config, each) for each in config.profiles.values()]
    if as_json:
        answer(document.as_text(found))
    elif not found:
        runtime.terminal.message(f"there is no profile in {config.path}")
        runtime.terminal.hint("make one by signing in: tokenctl login")
    elif stdout_is_terminal():
        from tokenctl.cli.views import panels, tables

        panels.draw(tables.profiles(found))
    else:
        answer("\n".join(profiles.line(each) for each in found))


def show(runtime: Runtime, name: str | None, profile_name: str | None, *, as_json: bool) -> None:
    """Show the settings of the profile that is named, else of the one that is chosen. Raises TokenctlError."""
    check_one_name(name, profile_name)
    wanted = profile_name or name or runtime.environ.get("TOKENCTL_PROFILE") or None
    found = profiles.document(runtime.config, environment.of_file(runtime.config, wanted))
    if as_json:
        answer(document.as_text(found))
    elif stdout_is_terminal():
        from tokenctl.cli.views import panels, tables

        panels.draw(tables.settings(found))
    else:
        answer("\n".join(profiles.lines(found)))


def check_one_name(option: str | None, argument: str | None) -> None:
    """Raise UsageError when `-p` names another profile than the argument."""
    if option is not None and argument is not None and option != argument:
        raise UsageError(f"two profiles are named: {argument!r:.70}, and {option!r:.70} with -p", hint="leave -p out")
