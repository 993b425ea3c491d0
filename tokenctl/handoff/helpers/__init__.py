"""The helpers: each speaks the credential protocol of another tool. One pure file a protocol, one table.

A protocol is a module with four functions, which do no input and output:

    reads(words)                     what of stdin is read before the question is known; see `Reads`
    read(words, content, environ)    the question: a `Question`, also for what cannot be understood
    found(question, given, now)      the answer with the token, or with several
    failed(question, error)          the answer when there should be a token, and there is none

`conversation` reads the questions of a client. `quick` answers from the kernel's keyring, before anything else is
loaded; `answering` asks the broker. `again` tells whether a client was refused with what it was given, which is in the
files of `remembered`. `install` is in `handoff.clients`.

Who adds a protocol writes its file, a row in `protocol`, and its line in `LINES`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from tokenctl.errors import TokenctlError
    from tokenctl.handoff.helpers.question import Answer, Given, Question, Reads

    class Helper(Protocol):
        """The functions of a protocol's module; see above."""

        def reads(self, words: Sequence[str], /) -> Reads:
            """Tell what is read of stdin."""

        def read(self, words: Sequence[str], content: bytes, environ: Mapping[str, str], /) -> Question:
            """Read the question."""

        def found(self, question: Question, given: Sequence[Given], now: int, /) -> Answer:
            """Answer with the token."""

        def failed(self, question: Question, error: TokenctlError, /) -> Answer:
            """Answer with a failure."""


LINES = {
    "git": "git: a token for fetch and push",
    "docker": "docker, podman, skopeo, buildah: a token for a registry",
    "kubectl": "kubectl: a token for a cluster",
    "cargo": "cargo: a token for a registry of crates",
    "terraform": "terraform and OpenTofu: a token for a registry of modules",
    "go": "go: tokens for module proxies and private modules",
    "bazel": "Bazel: a token for caches and downloads",
    "pnpm": "pnpm: a token for a registry of packages",
    "gcp": "Google Cloud libraries: a token of your identity provider",
    "sasl": "mail programs: the first line of a SASL sign-in",
    "mcp-headers": "Claude Code: a header for an MCP server",
    "api-key": "Claude Code, Codex, mutt, msmtp: the token alone",
}
"""Name of a helper -> who calls it, and what it gives, in the order of the list."""


def protocol(name: str) -> "Helper":
    """Import the protocol with this name, and no other one. Raises KeyError for a name that is not in `LINES`."""
    helper: Helper
    match name:
        case "git":
            from tokenctl.handoff.helpers import git as helper
        case "docker":
            from tokenctl.handoff.helpers import docker as helper
        case "kubectl":
            from tokenctl.handoff.helpers import kubectl as helper
        case "cargo":
            from tokenctl.handoff.helpers import cargo as helper
        case "terraform":
            from tokenctl.handoff.helpers import terraform as helper
        case "go":
            from tokenctl.handoff.helpers import go as helper
        case "bazel":
            from tokenctl.handoff.helpers import bazel as helper
        case "pnpm":
            from tokenctl.handoff.helpers import pnpm as helper
        case "gcp":
            from tokenctl.handoff.helpers import gcp as helper
        case "sasl":
            from tokenctl.handoff.helpers import sasl as helper
        case "mcp-headers":
            from tokenctl.handoff.helpers import mcp_headers as helper
        case "api-key":
            from tokenctl.handoff.helpers import api_key as helper
        case _:
            raise KeyError(name)
    return helper
