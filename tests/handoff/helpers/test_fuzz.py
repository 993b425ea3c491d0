"""Every protocol of the table, with whatever a client can say: no exception, and no token that was not asked for.

The engine is real: the conversation, the ordinary way and the binding. The session is kept in memory, so that an example
costs nothing; nothing can be renewed.
"""

import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.flows import SetClock
from tests.support.sessions import session
from tokenctl.cli.actions import helper as action
from tokenctl.errors import LoginRequired
from tokenctl.handoff import helpers
from tokenctl.handoff.helpers import LINES
from tokenctl.handoff.helpers.conversation import Conversation
from tokenctl.handoff.helpers.question import Answer, Given, Question
from tokenctl.model.origins import is_at, origin_of
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
verbs = st.sampled_from(
    [
        *(
            "get",
            "store",
            "erase",
            "list",
            "version",
            "forget",
            "capability",
            "oauthbearer",
            "xoauth2",
            "--cargo-plugin",
        ),
        *(
            "--user",
            "--host",
            "--port",
            "--user=a",
            "me@example.com",
            "993",
            "--user=a\x01b",
            "read",
            "login",
            "logout",
        ),
    ]
)
words = st.lists(verbs | texts | st.text(max_size=8), max_size=6)
json_values = st.recursive(
    texts | st.none() | st.integers() | st.booleans(),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "ServerURL",
                        "uri",
                        "v",
                        "kind",
                        "registry",
                        "index-url",
                        "operation",
                        "args",
                        "spec",
                        "apiVersion",
                        "token",
                    )
                ]
            ),
            below,
            max_size=5,
        )
    ),
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


def asked(name: str, said: Sequence[str], content: bytes, around: Mapping[str, str]) -> Iterator[Question]:
    """Yield the questions of a client, as the protocol's own `read` has them."""
    helper = helpers.protocol(name)
    reads = helper.reads(said)
    each = content.splitlines(keepends=True) if reads == "lines" else [content if reads != "nothing" else b""]
    for part in each:
        yield helper.read(said, part, around)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(names, words, stdin, environ)
def test_whatever_a_client_says_is_a_question(
    name: str, said: list[str], content: bytes, around: dict[str, str]
) -> None:
    """There is no exception; an address is a valid one, and has no character that could begin a line."""
    for question in asked(name, said, content, around):
        assert isinstance(question, Question) and question.wants in WANTS
        assert question.address.isprintable() and question.address.isascii()
        if question.address:
            assert origin_of(question.address if "://" in question.address else f"https:{question.address}")
        if question.wants in ("binding", "refusal"):
            assert question.address or name in ("pnpm", "gcp", "sasl", "api-key")


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(names, words, stdin, environ)
def test_a_failure_and_an_answer_can_be_written_for_every_question(
    name: str, said: list[str], content: bytes, around: dict[str, str]
) -> None:
    """Neither raises; a failure has no token, and an answer no more lines because of what the client said."""
    helper = helpers.protocol(name)
    for question in asked(name, said, content, around):
        failed = helper.failed(question, LoginRequired("the session has ended", hint="run 'tokenctl login -p work'"))
        assert TOKEN.encode() not in failed.out and (failed.out or failed.error)
        if question.wants in ("token", "another token"):
            given = Given(TOKEN, HOSTS[0], "oauth2", "Bearer ", NOW + 900)
            found = helper.found(question, (given,), NOW)
            assert isinstance(found, Answer) and b"\0" not in found.out and not found.error


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

    def run(
        self, name: str, profile: str | None, said: Sequence[str], content: bytes, around: Mapping[str, str]
    ) -> bytes:
        """Run a helper, and return all of its stdout."""
        runtime = Runtime({**around, **self._environ}, store=self._store, clock=self._clock)
        before = sys.stdin, sys.stdout
        out = io.BytesIO()
        sys.stdin, sys.stdout = io.TextIOWrapper(io.BytesIO(content)), io.TextIOWrapper(out)  # type: ignore[assignment]
        try:
            action.speak(runtime, profile, name, list(said))
            return out.getvalue()
        finally:
            sys.stdin, sys.stdout = before


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The program with its profile."""
    return World(tmp_path_factory.mktemp("world"))


NEEDS_NO_ORIGIN = ("pnpm", "gcp", "sasl", "api-key")


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(names, words, stdin, environ, st.sampled_from([None, "work"]))
def test_a_token_is_only_for_an_origin_that_is_bound(
    world: World, name: str, said: list[str], content: bytes, around: dict[str, str], profile: str | None
) -> None:
    """Whatever the client says: where the token is on stdout, the question names a bound origin, and stdout has nothing more."""
    out = world.run(name, profile, said, content, around)
    questions = list(asked(name, said, content, around))
    if TOKEN.encode() in out or TOKEN.encode().hex().encode() in out:
        wanting = [each for each in questions if each.wants in ("token", "another token", "every token")]
        assert wanting
        bound = [host for each in wanting for host in HOSTS if not each.address or is_at(each.address, host)]
        assert bound and (
            all(each.address for each in wanting if each.wants != "every token") or name in NEEDS_NO_ORIGIN
        )
    assert out == expected(name, profile, said, questions)


def expected(name: str, profile: str | None, said: Sequence[str], questions: Sequence[Question]) -> bytes:
    """What stdout has to be: the greeting, and the protocol's own answer to each question, one after the other."""
    helper = helpers.protocol(name)
    whole = Conversation(helper, profile, said).greeting
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


@pytest.mark.parametrize("name", [*LINES])
@pytest.mark.parametrize("harmful", ["\0", "\r", "\n", "\x1b", "\u2028"])
def test_a_control_character_in_a_host_gets_no_token(world: World, name: str, harmful: str) -> None:
    """Wherever it stands, in each form that a client has for a host."""
    for host in (f"git.example.com{harmful}", f"git{harmful}.example.com", f"{harmful}git.example.com"):
        url = f"https://{host}"
        forms = [
            f"protocol=https\nhost={host}\n\n".encode() if harmful != "\n" else b"",
            *(as_json(dict.fromkeys(("ServerURL", "uri"), url)), url.encode() + b"x\n"),
        ]
        for content in forms:
            for said in (["get"], ["get", url], [url], ["--cargo-plugin"]):
                if name not in NEEDS_NO_ORIGIN and not (name == "go" and said == ["get"]):
                    around = {} if harmful == "\0" else {"CLAUDE_CODE_MCP_SERVER_URL": url}
                    out = world.run(name, None, said, content, around)
                    assert TOKEN.encode() not in out or name == "go"
