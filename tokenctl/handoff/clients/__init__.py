"""The clients that `tokenctl helper install` sets up: how each one's own configuration file is read and changed.

A client is a module with functions over the text of that file. They write nothing, and read nothing but what the client
itself reads besides, such as the files that git's configuration includes:

    path(environ)              the file that the client reads for this person
    is_there(text, wanted)     whether our helper is set up for the origin
    added(text, wanted)        the text with our helper; raises UsageError: Unreadable, Foreign
    removed(text, wanted)      the text without our helper, and everything else as it is; raises Unreadable
    scripts(environ, wanted)   the private scripts and links that the client needs besides
    hints(wanted)              what the person still has to do, a sentence each

`changes` finds out what install and uninstall have to change: `file_text` what the file becomes, `bound_hosts` what our
config file becomes. `installing` makes the change, with its `companions`: scripts and folders. `receipts` has what was
written, and `patch` the exact change of a text, so that it can be undone. `status` tells what is installed.

Who adds a client writes its file and a row in `client`, and its line in `LINES`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Protocol

    from tokenctl.handoff.clients.wanted import Script, Wanted

    class Client(Protocol):
        """The functions of a client's module; see above."""

        def path(self, environ: Mapping[str, str], /) -> Path:
            """Return the file that the client reads for this person."""

        def is_there(self, text: str, wanted: Wanted, /) -> bool:
            """Tell whether our helper is set up for the origin, and the profile where it is named."""

        def added(self, text: str, wanted: Wanted, /) -> str:
            """Return the text with our helper. Raises UsageError."""

        def removed(self, text: str, wanted: Wanted, /) -> str:
            """Return the text without our helper. Raises UsageError."""

        def scripts(self, environ: Mapping[str, str], wanted: Wanted, /) -> Sequence[Script]:
            """List the private scripts and links that the client needs."""

        def hints(self, wanted: Wanted, /) -> Sequence[str]:
            """List what the person still has to do."""


LINES = {
    "git": "~/.gitconfig",
    "docker": "~/.docker/config.json, also of podman, skopeo and buildah",
    "kubectl": "~/.kube/config",
    "cargo": "~/.cargo/config.toml",
    "terraform": "~/.terraformrc, also of OpenTofu",
    "go": "the file of 'go env -w'",
    "bazel": "~/.bazelrc",
    "pnpm": "~/.npmrc",
    "pip": "pip.conf",
    "uv": "uv.toml",
    "claude-code": "~/.claude.json, or the settings.json that --config-file names",
    "codex": "~/.codex/config.toml",
}
"""Name of a client -> the file that is changed, for a list, in the order of the list."""


def client(name: str) -> "Client":
    """Import the client with this name. Raises KeyError for a name that is not in `LINES`."""
    found: Client
    match name:
        case "git":
            from tokenctl.handoff.clients import git as found
        case "docker":
            from tokenctl.handoff.clients import docker as found
        case "kubectl":
            from tokenctl.handoff.clients import kubectl as found
        case "cargo":
            from tokenctl.handoff.clients import cargo as found
        case "terraform":
            from tokenctl.handoff.clients import terraform as found
        case "go":
            from tokenctl.handoff.clients import go as found
        case "bazel":
            from tokenctl.handoff.clients import bazel as found
        case "pnpm":
            from tokenctl.handoff.clients import pnpm as found
        case "pip":
            from tokenctl.handoff.clients import pip as found
        case "uv":
            from tokenctl.handoff.clients import uv as found
        case "claude-code":
            from tokenctl.handoff.clients import claude_code as found
        case "codex":
            from tokenctl.handoff.clients import codex as found
        case _:
            raise KeyError(name)
    return found
