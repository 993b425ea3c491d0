"""Real clients through `tokenctl proxy` and `tokenctl exec --proxy`: none holds a token, and each gets its answers.

In each test the API refuses the first token that comes: no client may notice. After each test every request that
reached the API must have had one access token, and the secret nowhere.
"""

import asyncio
import gzip
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import requests

from tests.servers.bearer_api import FILE, ZIPPED, BearerApi
from tests.servers.faulty_server import FaultyServer
from tests.servers.foreign_page import page
from tests.servers.streamed_answers import WORDS
from tests.support.commandline import COMMAND, LONG, Home, Started
from tests.support.real_parts import available, program

pytestmark = [pytest.mark.slow, pytest.mark.real]

SAYING_SECRET = ("sh", "-c", 'echo "$ACCESS_PROXY_SECRET"; exec "$@"', "sh")
"""Starts a program, and first lets the test know the secret."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A signed-in HOME, the API, and before it a proxy on TCP (`url`) and one on a socket (`path`)."""

    home: Home
    api: BearerApi
    url: str
    path: Path
    log: Path
    secret: str
    socket_secret: str
    secrets: set[str] = field(default_factory=set)
    """What must not reach the API."""

    @property
    def headers(self) -> dict[str, str]:
        """What a client presents to the proxy on TCP."""
        return {"Authorization": f"Bearer {self.secret}"}

    @contextmanager
    def child(self, *command: str, environ: dict[str, str]) -> Iterator[Started]:
        """Run a program by `exec --proxy`, with `environ` given as `--env`; it has to end well."""
        given = [word for name, value in environ.items() for word in ("--env", f"{name}={value}")]
        words = ("exec", "-p", "t", "--proxy", self.api.origin, *given, "--", *SAYING_SECRET, *command)
        with self.home.start(*words) as process:
            self.secrets.add(line_of(process))
            yield process
            _, stderr = process.communicate(timeout=LONG)
            assert process.returncode == 0, stderr


def line_of(process: Started) -> str:
    """Read the next line of stdout."""
    assert process.stdout is not None and process.stderr is not None
    return process.stdout.readline().strip() or pytest.fail(process.stderr.read())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Sign in, and start the API and both proxies, for all tests of this file."""
    folder = tmp_path_factory.mktemp("proxy")
    folder.chmod(0o700)
    path, log = folder / "proxy.sock", folder / "log"
    with ExitStack() as stack:
        authority = stack.enter_context(FaultyServer(auto_approve=True))
        api = stack.enter_context(BearerApi(authority, folder))
        home = Home(folder / "home")
        assert home.login(authority.issuer).status == 0
        assert home.run("profile", "set", "t", f"hosts+={api.origin}").status == 0
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        secret = stack.enter_context(proxy(home, api, log, "--listen", address))
        socket_secret = stack.enter_context(proxy(home, api, folder / "socket-log", "--socket", str(path)))
        yield Stage(
            home=home,
            api=api,
            url=f"http://{address}",
            path=path,
            log=log,
            secret=secret,
            socket_secret=socket_secret,
            secrets={secret, socket_secret},
        )


@contextmanager
def proxy(home: Home, api: BearerApi, log: Path, *where: str) -> Iterator[str]:
    """Start a proxy, wait until it has said where it listens, and give its secret."""
    secret = log.with_suffix(".secret")
    words = ("proxy", api.origin, "-p", "t", "-v", "--secret-file", str(secret), *where)
    with (
        log.open("w") as stderr,
        Started([*COMMAND, *words], env=home.environ, cwd=home.folder, stderr=stderr) as process,
    ):
        wait_for(lambda: where[1] in log.read_text() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield secret.read_text().strip()
        process.terminate()
        assert process.wait(LONG) in (0, -15, 143), log.read_text()


def wait_for(arrived: Callable[[], bool]) -> None:
    """Wait until it is so."""
    until = time.monotonic() + LONG
    while not arrived():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture
def stage(running: Stage) -> Iterator[Stage]:
    """The stage, with an API that refuses the first token; in the end see what reached the API."""
    running.api.begin()
    yield running
    seen = running.api.seen
    assert [each.status for each in seen] == [401, *[200] * (len(seen) - 1)]
    for each in seen:
        assert len(each.all("Authorization")) == 1 and each.all("Host") == [running.api.origin.removeprefix("http://")]
        arrived = f"{each.target} {each.headers} {each.body!r}"
        assert not [secret for secret in running.secrets if secret in arrived]


# -- curl --------------------------------------------------------------------------------------------------


def curl(*words: str) -> bytes:
    """Run curl; the answer."""
    with available():
        command = program("curl")
    done = subprocess.run([command, "-sS", "--fail", *words], capture_output=True, check=False, timeout=LONG)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def header(running: Stage, tmp_path: Path) -> str:
    """What curl is given as `-H`: the secret in a file, since others see arguments."""
    path = tmp_path / "header"
    path.touch(0o600)
    path.write_text(f"Authorization: Bearer {running.secret}\n")
    return f"@{path}"


def test_curl(stage: Stage, header: str, tmp_path: Path) -> None:
    """A small answer, HEAD, a download that goes on where it stopped, and an upload that waits for 100 Continue."""
    assert json.loads(curl("-H", header, f"{stage.url}/a%2fb?q=%20")) == {"target": "/a%2fb?q=%20", "length": 0}
    assert f"Content-Length: {len(FILE)}".lower() in curl("-H", header, "-I", f"{stage.url}/file").decode().lower()
    part = tmp_path / "part"
    part.write_bytes(FILE[:1000])
    curl("-H", header, "-C", "-", "-o", str(part), f"{stage.url}/file")
    assert part.read_bytes() == FILE
    answer = curl("-v", "--stderr", "-", "-H", header, "-H", "Expect: 100-continue", "-T", str(part), f"{stage.url}/up")
    assert b"HTTP/1.1 100 Continue" in answer and b'"length": %d' % len(FILE) in answer
    assert stage.api.seen[-1].body == FILE


def test_curl_gets_a_compressed_answer_as_it_is(stage: Stage, header: str) -> None:
    """Nothing asks for compression in curl's name, and nothing undoes it."""
    assert curl("-H", header, f"{stage.url}/gzip") == ZIPPED
    assert curl("--compressed", "-H", header, f"{stage.url}/gzip") == gzip.decompress(ZIPPED)
    *plain, compressed = stage.api.seen
    assert not any(each.all("Accept-Encoding") for each in plain) and compressed.all("Accept-Encoding")
    assert all(each.all("User-Agent")[0].startswith("curl/") for each in stage.api.seen)


def test_curl_with_another_header(stage: Stage, tmp_path: Path) -> None:
    """The secret as `x-api-key`, as older Anthropic SDKs send a key; that header stops here."""
    (tmp_path / "header").write_text(f"x-api-key: {stage.secret}\n")
    assert json.loads(curl("-H", f"@{tmp_path / 'header'}", f"{stage.url}/small"))["target"] == "/small"


def test_curl_on_a_socket(stage: Stage, tmp_path: Path) -> None:
    """`--unix-socket`; the host in the URL can be any."""
    config = f'header = "Authorization: Bearer {stage.socket_secret}"\n'
    (tmp_path / "curlrc").write_text(config)
    answer = curl("-K", str(tmp_path / "curlrc"), "--unix-socket", str(stage.path), "http://api/small")
    assert json.loads(answer)["target"] == "/small"


# -- httpx and requests ------------------------------------------------------------------------------------


def test_httpx(stage: Stage) -> None:
    """An upload whose length nobody knows, and events that arrive one by one."""
    with httpx.Client(base_url=stage.url, headers=stage.headers, timeout=LONG) as client:
        answer = client.post("/up", content=(word.encode() for word in WORDS))
        assert answer.json()["length"] == len("".join(WORDS))
        assert client.get("/gzip").content == gzip.decompress(ZIPPED)
        with client.stream("GET", "/events") as stream:
            one_by_one(stage, (line.removeprefix("data: ") for line in stream.iter_lines() if line))


def test_one_connection_to_the_api_serves_many_clients(stage: Stage) -> None:
    """Each client comes once, as curl does; the proxy keeps its connection."""
    assert httpx.get(f"{stage.url}/small", headers=stage.headers, timeout=LONG).status_code == 200
    before = stage.api.connections
    for _ in range(3):
        assert httpx.get(f"{stage.url}/small", headers=stage.headers, timeout=LONG).status_code == 200
    assert stage.api.connections == before


def test_httpx_async(stage: Stage) -> None:
    """Twenty requests at once, of which one meets the 401."""

    async def ask() -> set[int]:
        async with httpx.AsyncClient(base_url=stage.url, headers=stage.headers, timeout=LONG) as client:
            first = await client.get("/small")
            answers = await asyncio.gather(*(client.get(f"/small?{number}") for number in range(20)))
            return {first.status_code, *(each.status_code for each in answers)}

    assert asyncio.run(ask()) == {200} and len(stage.api.seen) == 22


def test_httpx_on_a_socket(stage: Stage) -> None:
    """The transport with `uds`, and the secret as Basic password."""
    transport = httpx.HTTPTransport(uds=str(stage.path))
    with httpx.Client(transport=transport, auth=("x", stage.socket_secret), timeout=LONG) as client:
        assert client.get("http://api/small").json()["target"] == "/small"


def test_requests(stage: Stage) -> None:
    """A session with cookies, an upload in chunks, and events that arrive one by one."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update(stage.headers)
        session.cookies.set("a", "b")
        answer = session.post(f"{stage.url}/up", data=(word.encode() for word in WORDS), timeout=LONG)
        assert answer.json()["length"] == len("".join(WORDS))
        with session.get(f"{stage.url}/events", stream=True, timeout=LONG) as stream:
            lines = stream.iter_lines(chunk_size=1)
            one_by_one(stage, (line.decode().removeprefix("data: ") for line in lines if line))
    assert all(each.all("Cookie") == ["a=b"] for each in stage.api.seen)


def one_by_one(stage: Stage, words: Iterator[str]) -> None:
    """See that each event arrives before the API sends the next one."""
    for expected in WORDS:
        assert next(words) == expected
        stage.api.next_event.release()


# -- the SDKs ----------------------------------------------------------------------------------------------

OPENAI = """
import openai

question = [{"role": "user", "content": "count to three"}]
for chunk in openai.OpenAI().chat.completions.create(model="m", messages=question, stream=True):
    print(chunk.choices[0].delta.content, flush=True)
"""
ANTHROPIC = """
import anthropic

question = [{"role": "user", "content": "count to three"}]
with anthropic.Anthropic().messages.stream(model="m", max_tokens=10, messages=question) as stream:
    for text in stream.text_stream:
        print(text, flush=True)
"""


@pytest.mark.parametrize(
    ("code", "environ"),
    [
        pytest.param(OPENAI, {"OPENAI_BASE_URL": "{proxy_url}/v1", "OPENAI_API_KEY": "{proxy_secret}"}, id="openai"),
        pytest.param(
            ANTHROPIC,
            {"ANTHROPIC_BASE_URL": "{proxy_url}", "ANTHROPIC_API_KEY": "{proxy_secret}"},
            id="anthropic with a key",
        ),
        pytest.param(
            ANTHROPIC,
            {"ANTHROPIC_BASE_URL": "{proxy_url}", "ANTHROPIC_AUTH_TOKEN": "{proxy_secret}"},
            id="anthropic with a token",
        ),
    ],
)
def test_an_sdk_streams_its_answer(stage: Stage, code: str, environ: dict[str, str]) -> None:
    """Only the environment says where the API is; the words arrive one by one."""
    with stage.child(sys.executable, "-c", code, environ=environ) as process:
        one_by_one(stage, iter(lambda: line_of(process), None))
    assert len(stage.api.seen) == 2  # the SDK's own repetition was not needed


# -- git ---------------------------------------------------------------------------------------------------

HELPER = {
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "credential.helper",
    "GIT_CONFIG_VALUE_0": '!f() { echo username=x; echo "password=$ACCESS_PROXY_SECRET"; }; f',
}
HEADER = {
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "http.{proxy_url}/.extraHeader",
    "GIT_CONFIG_VALUE_0": "Authorization: Bearer {proxy_secret}",
}
WORK = """
set -e
git ls-remote "$ACCESS_PROXY_URL/git/repository.git"
git clone "$ACCESS_PROXY_URL/git/repository.git" work
cd work
head -c 1500000 /dev/urandom > file
git add file
git commit -m "Add a file"
git push origin HEAD:main
git ls-remote origin main
"""


@pytest.mark.parametrize("config", [HELPER, HEADER], ids=["credential helper", "header"])
def test_git(stage: Stage, tmp_path: Path, config: dict[str, str]) -> None:
    """Listing, cloning and pushing more than git sends with a known length, at a server that wants a bearer token."""
    with available():
        git = program("git")
    bare = stage.api.repositories / "repository.git"
    subprocess.run([git, "init", "--quiet", "--bare", "--initial-branch=main", bare], check=True)
    identity = {f"GIT_{who}_{what}": "x@y" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    with stage.child("sh", "-c", f"cd {tmp_path}; {WORK}", environ={**config, **identity}):
        pass
    head = subprocess.run([git, "-C", bare, "log", "--format=%s", "main"], capture_output=True, text=True, check=True)
    assert head.stdout == "Add a file\n"
    shutil.rmtree(bare)


# -- a browser ---------------------------------------------------------------------------------------------

PAGE = """<!DOCTYPE html><title>a page of somebody else</title><img src="/wait"><script>
const url = "%s";
const ended = new Promise(done => {
  const events = new EventSource(`${url}/events-of-a-page`);
  events.onmessage = () => done("answered");
  events.onerror = () => done("refused");
});
const fetched = fetch(`${url}/small-of-a-page`, {headers: {Authorization: "Bearer %s"}});
Promise.all([ended, fetched.then(() => "answered", () => "refused")]).then(said => fetch(`/said?${said}`));
</script>"""


def test_a_page_in_a_browser_is_refused(running: Stage) -> None:
    """An EventSource, and a fetch that even knows the secret: 403 for their Origin, and the API sees nothing."""
    with available():
        program("chromium"), program("chromedriver")
    from tests.servers.chromium import look_at

    running.api.begin()
    with page(PAGE % (running.url, running.secret)) as (url, said):
        look_at(url)
    assert said == ["refused,refused"] and running.api.seen == []
    for path in ("/events-of-a-page", "/small-of-a-page"):
        wait_for(lambda path=path: path in running.log.read_text())  # type: ignore[misc]
        line = next(line for line in running.log.read_text().splitlines() if path in line)
        assert " 403 " in f"{line} ", line
