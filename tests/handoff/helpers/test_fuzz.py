"""Every protocol of the table, with whatever a client can say: no exception, and no token that was not asked for.

The engine is real: the conversation, the ordinary way and the binding. The session is kept in memory, so that an example
costs nothing; nothing can be renewed.
"""

import io
import itertools
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.flows import SetClock
from tests.support.sessions import session
from tokenctl.cli.actions import helper as action
from tokenctl.errors import LoginRequired, Unreachable
from tokenctl.handoff import helpers
from tokenctl.handoff.helpers import LINES, again
from tokenctl.handoff.helpers.conversation import Conversation
from tokenctl.handoff.helpers.question import Given, Question
from tokenctl.model.origins import is_at, origin_of
from tokenctl.oauth.wire import Request, Response
from tokenctl.runtime import Runtime
from tokenctl.storage.memory_store import MemoryStore

NOW = 1_800_000_000
TOKEN = "AT-0123456789-of-this-profile"
HOSTS = ("https://git.example.com", "https://registry.example.com:5000", "http://127.0.0.1:8080", "https://[::1]")
CONFIG = f"""\
[profiles.work]
issuer = "https://issuer.example"
client_id = "c"
hosts = {list(HOSTS)}
"""
NEEDS_NO_ORIGIN = ("pnpm", "gcp", "sasl", "api-key")
VERBS = "get store erase list version forget capability oauthbearer xoauth2 read login logout"
OPTIONS = "--cargo-plugin --user --host --port --user=a me@example.com 993"
MEMBERS = "ServerURL uri v kind registry index-url operation args spec apiVersion token"
WANTS = {"nothing", "token", "another token", "every token", "origins", "binding", "refusal"}

names = st.sampled_from([*LINES])
texts = st.sampled_from(
    [
        *("git.example.com", "registry.example.com:5000", *HOSTS, "https://git.example.com/x", "https://evil.example"),
        *("https://git.example.com@evil.example", "https://evil.example/https://git.example.com", "git.example.com:80"),
        *("https://git.example.com\nhost=evil.example", "https://git.example.com\0.evil.example", "//git.example.com"),
        *("https://GIT.example.com", "https://git.example.com.", "\u212aubernetes.example", "", "x" * 9000, "[::1]"),
    ]
)
verbs = st.sampled_from([*VERBS.split(), *OPTIONS.split(), "--user=a\x01b"])
words = st.lists(verbs | texts | st.text(max_size=8), max_size=6)
json_values = st.recursive(
    texts | st.none() | st.integers() | st.booleans(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS.split()), below, max_size=5),
    max_leaves=8,
)


def as_json(value: object) -> bytes:
    """Write JSON as a client does, on a line."""
    import json

    return f"{json.dumps(value)}\n".encode()


lines = st.lists(
    st.builds(
        lambda key, value: f"{key}={value}\n",
        st.sampled_from(["protocol", "host", "path", "username", "password", "capability[]", "wwwauth[]", "authtype"]),
        texts | st.sampled_from(["https", "http", "authtype", "Basic realm=x", "bearer", TOKEN]),
    ),
    max_size=6,
).map(lambda found: "".join(found).encode(errors="replace") + b"\n")
stdin = (
    st.binary(max_size=60)
    | lines
    | json_values.map(as_json)
    | texts.map(lambda text: f"{text}\n".encode(errors="replace"))
)
environ = st.dictionaries(
    st.sampled_from(
        ["KUBERNETES_EXEC_INFO", "CLAUDE_CODE_MCP_SERVER_URL", "CARGO_REGISTRY_INDEX_URL", "CARGO_REGISTRY_NAME_OPT"]
    ),
    texts.filter(lambda text: "\0" not in text) | json_values.map(lambda value: as_json(value).decode()),
    max_size=2,
)


class Said(NamedTuple):
    """All that a client says: its words, its stdin, and the variables that it sets."""

    helper: str
    words: list[str]
    stdin: bytes
    environ: dict[str, str]


def common(host: str) -> Iterator[Said]:
    """What the real clients say for a host, or for what stands in its place."""
    url = host if "://" in host else f"https://{host}"
    clean, variable = host.replace("\0", ""), url.replace("\0", "")  # what a word and a variable can have
    cluster = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "spec": {"cluster": {"server": url}, "interactive": False},
    }
    crates = {"v": 1, "registry": {"index-url": f"sparse+{url}/index/"}, "kind": "get", "operation": "read"}
    for verb in ("get", "erase"):
        yield Said("git", [verb], f"protocol=https\nhost={host}\npassword={TOKEN}\n\n".encode(), {})
        yield Said("docker", [verb], f"{host}\n".encode(), {})
    yield Said("git", ["get"], f"capability[]=authtype\nprotocol=https\nhost={host}\n\n".encode(), {})
    yield Said("docker", ["store"], as_json({"ServerURL": host}), {})
    yield Said("docker", ["list"], b"", {})
    yield Said("kubectl", [], b"", {"KUBERNETES_EXEC_INFO": as_json({"kind": "ExecCredential", **cluster}).decode()})
    yield Said("cargo", ["--cargo-plugin"], as_json(crates) * 2, {})
    yield Said("terraform", ["get", host], b"", {})
    yield Said("go", [], b"", {})
    yield Said("go", [url], b"HTTP/1.1 401 Unauthorized\r\n\r\n", {})
    yield Said("bazel", ["get"], as_json({"uri": url}), {})
    yield Said("mcp-headers", [], b"", {"CLAUDE_CODE_MCP_SERVER_URL": variable})
    yield Said("sasl", ["oauthbearer", "--user", clean, "--host", clean, "--port", "993"], b"", {})
    yield Said("gcp", [], b"", {"GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE": "urn:ietf:params:oauth:token-type:jwt"})
    yield from (Said(each, [], b"", {}) for each in ("pnpm", "api-key"))


clients = st.builds(Said, names, words, stdin, environ) | texts.flatmap(lambda host: st.sampled_from([*common(host)]))


@contextmanager
def streams(content: bytes) -> Iterator[io.BytesIO]:
    """Give the client's bytes as stdin, and take what is written to stdout."""
    before, out = (sys.stdin, sys.stdout), io.BytesIO()
    sys.stdin, sys.stdout = io.TextIOWrapper(io.BytesIO(content)), io.TextIOWrapper(out)
    try:
        yield out
    finally:
        sys.stdin, sys.stdout = before


def asked(said: Said, profile: str | None = None) -> list[Question]:
    """Return the questions of a client."""
    with streams(said.stdin):
        conversation = Conversation(helpers.protocol(said.helper), profile, said.words)
        return list(iter(lambda: conversation.next(said.environ), None))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(clients)
def test_whatever_a_client_says_is_a_question(said: Said) -> None:
    """There is no exception; an address is a valid one, and has no character that could begin a line."""
    for question in asked(said):
        assert question.wants in WANTS
        assert "unexpected" not in question.answer.error
        assert question.address.isprintable() and question.address.isascii()
        if question.address:
            assert origin_of(question.address if "://" in question.address else f"https:{question.address}")
        if question.wants in ("binding", "refusal"):
            assert question.address or said.helper in NEEDS_NO_ORIGIN


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(clients)
def test_a_failure_and_an_answer_can_be_written_for_every_question(said: Said) -> None:
    """Neither raises; a failure has no token, and an answer no more lines because of what the client said."""
    helper = helpers.protocol(said.helper)
    for question in asked(said):
        failed = helper.failed(question, LoginRequired("the session has ended", hint="run 'tokenctl login -p work'"))
        assert TOKEN.encode() not in failed.out and (failed.out or failed.error)
        if question.wants in ("token", "another token"):
            given = Given(TOKEN, HOSTS[0], "oauth2", "Bearer ", NOW + 900)
            found = helper.found(question, (given,), NOW)
            assert b"\0" not in found.out and not found.error


class World:
    """A program with one profile in memory. `answers` are the protocol's own answers, in their order."""

    def __init__(self, folder: Path) -> None:
        (folder / "config.toml").write_text(CONFIG)
        self._environ = {"TOKENCTL_CONFIG": str(folder / "config.toml"), "TOKENCTL_STATE_DIR": str(folder / "state")}
        self._store = MemoryStore()
        self._store.write(
            "work",
            session(issuer="https://issuer.example", access_token=TOKEN, obtained_at=NOW - 9, expires_at=NOW + 900),
        )
        self._clock = SetClock(lambda: NOW)

    def run(self, said: Said, profile: str | None = None) -> bytes:
        """Run a helper, and return all of its stdout."""
        runtime = Runtime({**said.environ, **self._environ}, store=self._store, clock=self._clock, send=no_network)
        shutil.rmtree(Path(self._environ["TOKENCTL_STATE_DIR"]) / again.FOLDER, ignore_errors=True)
        with streams(said.stdin) as out:
            action.speak(runtime, profile, said.helper, said.words)
            return out.getvalue()


def no_network(request: Request) -> Response:
    """Stand in for a network that is down."""
    raise Unreachable("there is no network")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The program with its profile."""
    return World(tmp_path_factory.mktemp("world"))


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(clients, st.sampled_from([None, "work"]))
@example(Said("mcp-headers", [], b"", {}), "work")
@example(Said("mcp-headers", [], b"", {}), None)
def test_a_token_is_only_for_an_origin_that_is_bound(world: World, said: Said, profile: str | None) -> None:
    """Whatever the client says: where the token is on stdout, the question names a bound origin, and stdout has nothing more."""
    out = world.run(said, profile)
    questions = asked(said, profile)
    if TOKEN.encode() in out or TOKEN.encode().hex().encode() in out:
        wanting = [each for each in questions if each.wants in ("token", "another token", "every token")]
        assert wanting
        bound = [host for each in wanting for host in HOSTS if not each.address or is_at(each.address, host)]
        needs_none = said.helper in NEEDS_NO_ORIGIN or (said.helper == "mcp-headers" and profile is not None)
        assert bound and (needs_none or all(each.address or each.wants == "every token" for each in wanting))
    # Another token cannot be had here, so that the answer is a failure.
    if all(each.wants != "another token" for each in questions):
        assert out == expected(said, profile, questions)


def expected(said: Said, profile: str | None, questions: Sequence[Question]) -> bytes:
    """What stdout has to be: the greeting, and the protocol's own answer to each question, one after the other."""
    helper = helpers.protocol(said.helper)
    whole = Conversation(helper, profile, said.words).greeting
    for question in questions:
        origin = next((each for each in HOSTS if question.address and is_at(question.address, each)), "")
        shaped = [Given(TOKEN, origin, "oauth2", "Bearer ", NOW + 900)]
        every = [Given(TOKEN, each, "oauth2", "Bearer ", NOW + 900) for each in HOSTS if each.startswith("https:")]
        listed = [Given("", each, "oauth2", "Bearer ", None) for each in HOSTS]
        if question.wants == "nothing":
            found = question.answer
        elif question.wants == "every token":
            found = helper.found(question, every, NOW)
        elif question.wants == "origins":
            found = helper.found(question, listed, 0)
        elif question.address and not origin:
            found = question.absent
        elif question.wants in ("binding", "refusal"):
            found = question.answer
        elif question.user not in ("", "oauth2"):
            found = question.absent
        else:
            found = helper.found(question, shaped, NOW)
        whole += found.out
    return whole


@pytest.mark.parametrize("harmful", ["\0", "\r", "\n", "\x1b", "\u2028", "@", " "])
def test_a_harmful_character_in_a_host_gets_no_token(world: World, harmful: str) -> None:
    """Wherever it stands, and whatever client says it; only who asks for no host, or for each one, has an answer."""
    hosts = (f"git.example.com{harmful}x", f"git{harmful}.example.com", f"{harmful}git.example.com", f"a{harmful}b")
    for said in itertools.chain.from_iterable(map(common, hosts)):
        names_one = said.helper not in NEEDS_NO_ORIGIN and (said.helper, said.words) != ("go", [])
        cut = said.helper == "git" and b"host=git.example.com" in said.stdin.split(b"\n")  # a line end is git's own
        if names_one and not cut and (said.helper, harmful) != ("mcp-headers", "\0"):  # no variable has it
            assert TOKEN.encode() not in world.run(said), said


def test_the_real_clients_get_the_token_here(world: World) -> None:
    """So that the tests above see what they are for: each client has a question that is answered with the token."""
    given = {said.helper for said in common("git.example.com") if TOKEN.encode() in world.run(said, "work")}
    assert given >= {*LINES} - {"sasl", "go"}  # in base64, and where a token was refused
