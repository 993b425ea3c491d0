"""The recipes of the page `python`: each runs as it is printed, except for the name of the API."""

import re
from http.client import HTTPConnection

import pytest

from tests.support.recipes import ANSWER, API, Stage, blocks
from tokenctl.cli.help import page

TOPIC, FIRST = "python", "Python programs"
HTTPX, REQUESTS = "A script with httpx", "A script with requests"
SERVICE, NOTEBOOK = "An async service that calls another one", "A notebook"
ITSELF = "The token itself, for other libraries"


def test_every_recipe_has_a_test() -> None:
    """A block that is added to the page needs one here."""
    assert {heading for heading, _, _ in blocks(TOPIC)} == {FIRST, HTTPX, REQUESTS, SERVICE, NOTEBOOK, ITSELF}


@pytest.mark.parametrize("heading", [HTTPX, REQUESTS])
def test_a_script_prints_what_the_api_answers(stage: Stage, heading: str) -> None:
    """Each sends one request, with the token."""
    (text,) = stage.recipe(TOPIC, heading)
    result = stage.program(text)
    assert (result.status, result.stdout, result.stderr) == (0, f"{ANSWER}\n", "")
    assert len(stage.seen) == 1


def test_a_job_has_credentials_of_its_own(stage: Stage) -> None:
    """Without a name, the profile is the environment's; the program says itself which server may get the token."""
    with_origins = f'TokenAuth(origins=["{stage.server.issuer}"])'
    assert with_origins.replace(stage.server.issuer, API) in page(TOPIC)
    (text,) = stage.recipe(TOPIC, HTTPX)
    result = stage.program(
        text.replace('TokenAuth("work")', with_origins),
        TOKENCTL_ISSUER=stage.server.issuer,
        TOKENCTL_CLIENT_ID="tokenctl-demo-ci",
        TOKENCTL_CLIENT_SECRET="demo-ci-secret",
    )
    assert (result.status, result.stdout, result.stderr) == (0, f"{ANSWER}\n", "")


def test_the_service_answers_with_what_the_api_says(stage: Stage) -> None:
    """Two requests, one client; after a 401 of the API the service has renewed."""
    program, command = stage.recipe(TOPIC, SERVICE)
    (stage.home.folder / "service.py").write_text(program)
    assert program.startswith("# service.py\n")
    with stage.start("sh", "-c", f"exec {command.replace('8000', '0')}") as running:
        assert running.stderr is not None
        port = next(found[1] for line in running.stderr if (found := re.search(r"http://127\.0\.0\.1:(\d+)", line)))
        assert get(int(port)) == get(int(port))
        stage.server.expire_access_tokens()
        assert get(int(port)) == 200
        running.terminate()
        running.communicate()
    assert len(stage.seen) == 4


def get(port: int) -> int:
    """Ask the service for the tickets, and return the status."""
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/tickets")
    status = connection.getresponse().status
    connection.close()
    return status


def test_the_cells_show_the_answer(stage: Stage) -> None:
    """A notebook shows the value of a cell's last line, as Python does at its prompt."""
    (cell,) = stage.recipe(TOPIC, NOTEBOOK)
    *lines, last = cell.splitlines()
    result = stage.program("\n".join([*lines, f"print(repr({last}))"]))
    assert (result.stdout, result.stderr) == (f"{ANSWER}\n", "")


def test_the_token_itself_is_for_a_header(stage: Stage) -> None:
    """Where nobody has signed in, the program ends with the status and the words of the command line."""
    (text,) = stage.recipe(TOPIC, ITSELF)
    result = stage.program(f"{text}print(metadata)\n")
    token = stage.home.run("token", "-p", "work").stdout.strip()
    assert (result.stdout, result.stderr) == (f"{[('authorization', f'Bearer {token}')]}\n", "")
    elsewhere = {"TOKENCTL_STATE_DIR": str(stage.home.folder / "elsewhere")}
    refused, same = stage.program(text, **elsewhere), stage.home.run("token", "-p", "work", environ=elsewhere)
    assert (refused.status, refused.stdout) == (4, "") and "tokenctl login -p work" in refused.stderr
    assert same.status == 4 and all(line in same.stderr for line in refused.stderr.splitlines())
