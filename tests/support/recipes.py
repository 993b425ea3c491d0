"""The recipes of a topic page: its code blocks, and a home in which they run as they are printed."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE

from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.support.commandline import LONG, Home, Result, Started
from tokenctl.cli.help import page

API = "https://api.example.com"
"""The server that the recipes name; in the tests it is the demo's."""
PATHS = ("/tickets", "/v1/chat/completions", "/v1/messages", "/mcp")
"""Where the API answers."""
ANSWER = {"tickets": [1, 2, 3]}
"""What the API answers to everybody who presents an access token."""

_PARTS = re.compile(r"^##? ([^\n]*)$|^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
"""A heading, or a block of code."""


def blocks(topic: str) -> Iterator[tuple[str, str, str]]:
    """Find the code of a page: the heading above it, its language, and its text."""
    heading = ""
    for title, language, text in _PARTS.findall(page(topic)):
        if language:
            yield heading, language, text
        else:
            heading = title


class Stage:
    """A home that is signed in to the demo's server as `work`. The same server is the API of the recipes.

    `names` says what is replaced in a recipe before it runs; nothing else is changed. `seen` has the requests that the
    API got.
    """

    def __init__(self, folder: Path, server: FaultyServer) -> None:
        self.server = server
        self.seen: list[Received] = []
        server.overrides = dict.fromkeys(PATHS, self._answer)
        path = f"{folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.home = Home(folder, {"PATH": path, "XDG_RUNTIME_DIR": str(folder)})
        self.names = {API: server.issuer}
        assert self.home.login(server.issuer, profile="work").status == 0

    def recipe(self, topic: str, heading: str) -> list[str]:
        """Return the texts of the code blocks under a heading."""
        found = [text for each, _, text in blocks(topic) if each == heading]
        for old, new in self.names.items():
            found = [text.replace(old, new) for text in found]
        return found

    def add_program(self, name: str, text: str) -> None:
        """Put a program on PATH, before those of the machine."""
        path = self.home.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def start(self, *words: str, **environ: str) -> Started:
        """Start a program in the home, with further variables; it is for a `with` block."""
        return Started(
            words, env={**self.home.environ, **environ}, cwd=self.home.folder, text=True, stdout=PIPE, stderr=PIPE
        )

    def run(self, *words: str, **environ: str) -> Result:
        """Run a program to its end, with further variables."""
        with self.start(*words, **environ) as process:
            stdout, stderr = process.communicate(timeout=LONG)
        return Result(status=process.returncode, stdout=stdout, stderr=stderr)

    def script(self, text: str) -> Result:
        """Run lines of a shell."""
        return self.run("sh", "-eu", "-c", text)

    def program(self, text: str, **environ: str) -> Result:
        """Run a Python program, with further variables."""
        (self.home.folder / "program.py").write_text(text)
        return self.run(sys.executable, "-W", "error", "program.py", **environ)

    def _answer(self, request: Received) -> Reply:
        self.seen.append(request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or self.server.sessions.access_claims(token) is None:
            return json_reply({"error": "invalid_token"}, 401, www_authenticate='Bearer error="invalid_token"')
        return json_reply(ANSWER)
