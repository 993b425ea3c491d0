"""The recipes of the page `proxy`: each runs as it is printed, except for the API's name and the proxy's port."""

import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.support.commandline import LONG
from tests.support.real_parts import Missing, available, program
from tests.support.recipes import ANSWER, Stage, blocks

TOPIC, FIRST = "proxy", "A proxy, so that a program never holds the token"
OWN, CURL, BASE_URL = (
    "A command with a proxy of its own",
    "curl",
    "OpenAI, Anthropic, and other clients with a base URL",
)
SEVERAL, SOCKET = "A proxy for several programs", "A socket in the place of a port"
CONTAINER, EDITOR = "A container that gets only the socket", "VS Code"
ANSWERED = json.dumps(ANSWER)
PORT = "8400"
"""The port that the recipes name; in the tests it is a free one."""

AGENT = """\
#!/bin/sh -eu
test "$ACCESS_TOKEN" = "$ACCESS_PROXY_SECRET"
printf "Authorization: Bearer %s" "$ACCESS_TOKEN" | curl -sS -H @- "$ACCESS_PROXY_URL/tickets"
"""
CHAT = """\
import os
import httpx

url, key = os.environ["OPENAI_BASE_URL"], os.environ["OPENAI_API_KEY"]
question = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
print(httpx.post(f"{url}/chat/completions", json=question, headers={"Authorization": f"Bearer {key}"}).text, end="")
"""
"""What the client of OpenAI sends."""
MESSAGES = """\
import os
import httpx

url, key = os.environ["ANTHROPIC_BASE_URL"], os.environ["ANTHROPIC_API_KEY"]
question = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
print(httpx.post(f"{url}/v1/messages", json=question, headers={"x-api-key": key}).text, end="")
"""
"""What the client of Anthropic sends."""
WATCHED_CURL = """\
#!/bin/sh -eu
printf '%s\\n' "$@" >>"$HOME/arguments"
exec {curl} "$@"
"""
DOCKER = """\
#!/bin/sh -eu
# Stands in for docker: it runs a command without a network, as `docker run` would with exactly these options.
test "$1 $2 $3 $4 $5 $6 $7" = "run --rm --network none --user $(id -u) -v"
folder=${8%:*} path=${8##*:}
shift 9
exec unshare --map-root-user --net --mount sh -euc 'mount --bind "$0" "$1"; shift; exec "$@"' "$folder" "$path" "$@"
"""


@pytest.fixture
def recipes(stage: Stage) -> Stage:
    """The home, with a curl that writes down its arguments, and a port that is free."""
    with available():
        stage.add_program("curl", WATCHED_CURL.format(curl=shutil.which("curl") or program("curl")))
    with socket.create_server(("127.0.0.1", 0)) as free:
        stage.names[PORT] = str(free.getsockname()[1])
    (stage.home.folder / "arguments").unlink(missing_ok=True)
    return stage


@contextmanager
def proxy(stage: Stage, heading: str) -> Iterator[str]:
    """Run the proxy that a heading's first recipe starts, and give its second one, which uses it."""
    command, use = [*stage.recipe(TOPIC, heading), ""][:2]
    with stage.start("sh", "-euc", f"exec {command}") as running:
        assert running.stderr is not None
        address, _, rest = running.stderr.readline().removeprefix("tokenctl: ").partition(" is a proxy for ")
        assert "its secret is in " in rest and address in (
            f"http://127.0.0.1:{stage.names[PORT]}",
            str(stage.home.folder / ".proxy" / "socket"),
        )
        yield use
        running.terminate()
        running.communicate(timeout=LONG)
    assert not [*stage.home.folder.glob(".proxy*/*"), *stage.home.folder.glob(".proxy-*")]


def assert_served(stage: Stage, *, path: str = "/tickets") -> None:
    """The API got one request, with the token and without the secret; and no argument of curl looked like a secret."""
    (request,) = stage.seen
    token = stage.home.run("token", "-p", "work").stdout.strip()
    assert (request.path, request.headers["authorization"]) == (path, f"Bearer {token}")
    assert "x-api-key" not in request.headers
    arguments = stage.home.folder / "arguments"
    assert not arguments.exists() or not re.search(r"[\w-]{32,}", arguments.read_text())


def test_every_recipe_has_a_test() -> None:
    """A block that is added to the page needs one here."""
    tested = {FIRST, OWN, CURL, BASE_URL, SEVERAL, SOCKET, CONTAINER, EDITOR}
    assert {heading for heading, _, _ in blocks(TOPIC)} == tested


@pytest.mark.parametrize("heading", [OWN, CURL])
def test_a_command_has_a_proxy_of_its_own(recipes: Stage, heading: str) -> None:
    """It finds the address and the secret in its environment."""
    agent = recipes.home.folder / "agent"
    agent.write_text(AGENT)
    agent.chmod(0o755)
    (text,) = recipes.recipe(TOPIC, heading)
    result = recipes.script(text)
    assert (result.status, result.stdout, result.stderr) == (0, ANSWERED, "")
    assert_served(recipes)


@pytest.mark.parametrize(
    ("number", "name", "text", "path"),
    [(0, "chat.py", CHAT, "/v1/chat/completions"), (1, "messages.py", MESSAGES, "/v1/messages")],
)
def test_a_client_with_a_base_url_works_unchanged(recipes: Stage, number: int, name: str, text: str, path: str) -> None:
    """Each client reads its own variables, and presents the secret in its own way."""
    (recipes.home.folder / name).write_text(text)
    command = recipes.recipe(TOPIC, BASE_URL)[number]
    assert command.endswith(f"-- python {name}\n")
    result = recipes.script(command)
    assert (result.status, result.stdout, result.stderr) == (0, ANSWERED, "")
    assert_served(recipes, path=path)


@pytest.mark.parametrize("heading", [SEVERAL, SOCKET])
def test_several_programs_share_a_proxy(recipes: Stage, heading: str) -> None:
    """The proxy runs in one terminal, and curl in another one."""
    with proxy(recipes, heading) as use:
        result = recipes.script(use)
    assert (result.status, result.stdout, result.stderr) == (0, ANSWERED, "")
    assert_served(recipes)


def test_a_container_without_a_network_has_the_socket(recipes: Stage) -> None:
    """In a network namespace of its own, where not even this machine's ports can be reached."""
    with available():
        unshare = program("unshare")
        if subprocess.run([unshare, "--map-root-user", "--net", "--mount", "true"], capture_output=True).returncode:
            raise Missing("a kernel that allows unshare")
    recipes.add_program("docker", DOCKER)
    (text,) = recipes.recipe(TOPIC, CONTAINER)
    with proxy(recipes, SOCKET):
        result = recipes.script(text)
    assert (result.status, result.stdout, result.stderr) == (0, ANSWERED, "")
    assert_served(recipes)


def test_the_editor_finds_the_socket_and_the_path(recipes: Stage) -> None:
    """VS Code takes the socket from the address's path, and the request's path from what follows `#`."""
    (text,) = recipes.recipe(TOPIC, EDITOR)
    document = json.loads(text)
    (server,), (asked,) = document["servers"].values(), document["inputs"]
    socket_path, _, path = server["url"].removeprefix("unix://").partition("#")
    assert (server["type"], asked["type"], asked["password"], path) == ("http", "promptString", True, "/mcp")
    with proxy(recipes, SOCKET):
        secret = (recipes.home.folder / ".proxy" / "secret").read_text()
        headers = {k: v.replace(f"${{input:{asked['id']}}}", secret) for k, v in server["headers"].items()}
        uds = socket_path.replace("/home/me", str(recipes.home.folder))
        with httpx.Client(transport=httpx.HTTPTransport(uds=uds)) as client:
            answer = client.post(f"http://localhost{path}", json={}, headers=headers)
    assert answer.json() == ANSWER
    assert_served(recipes, path="/mcp")
