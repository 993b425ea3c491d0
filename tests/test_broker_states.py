"""The broker against a model of a server, a clock that jumps and other processes: what holds whatever happens."""

import itertools
import json
import os
from dataclasses import replace

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.storage import SEAL_KEY
from tokenctl import broker, moving
from tokenctl.errors import LoginRequired, Refused, Unreachable
from tokenctl.oauth.wire import Request, Response
from tokenctl.profile import Profile
from tokenctl.runtime import Runtime
from tokenctl.session import Session
from tokenctl.storage.memory_store import MemoryStore

MOODS = (
    "well",
    "narrow",
    "keeps the refresh token",
    "5xx",
    "unsent",
    "unanswered",
    "invalid_grant",
    "refuses",
    "garbled",
)
MOOD = st.sampled_from(MOODS)
LIFE = st.sampled_from([1, 2, 30, 120, 900])
PASSED = st.sampled_from([0, 0, 1, 15, 59, 61, 450, 899, 900, 10**6])  # or the machine slept
ISSUER = "https://issuer.example"


class Server:
    """A server that rotates refresh tokens and forgives the last one, in whatever mood it is."""

    def __init__(self) -> None:
        self.now = 1_800_000_000
        self.mood = "well"
        self.life = 900
        self.requests = 0
        self.current = "refresh-0"
        self.previous = ""
        self.retired: set[str] = set()  # the client knows that these are spent
        self._numbers = itertools.count(1)

    def send(self, request: Request) -> Response:
        """Answer the token endpoint."""
        form = dict(request.form or ())
        presented = form["refresh_token"]
        assert (request.url, form["grant_type"]) == (f"{ISSUER}/token", "refresh_token")
        assert presented not in self.retired, "a refresh token was presented again after its successor had come"
        assert presented in (self.current, self.previous)
        self.requests += 1
        match self.mood:
            case "unsent":
                raise Unreachable("no route", sent=False)
            case "5xx":
                return Response(status=503, received_at=self.now)
            case "invalid_grant" | "refuses":
                error = {"refuses": "invalid_request"}.get(self.mood, self.mood)
                return Response(status=400, received_at=self.now, body=json.dumps({"error": error}).encode())
        answer = self.tokens(presented)
        if self.mood == "unanswered":
            raise Unreachable("the connection broke", sent=True)
        if "refresh_token" in answer:
            self.retired |= {presented}
        if self.mood == "garbled":
            answer["access_token"] = "two\nlines"
        return Response(status=200, received_at=self.now, body=json.dumps(answer).encode())

    def tokens(self, presented: str) -> dict[str, object]:
        """Make the next tokens; the refresh token presented last stays good, because the answer may be lost."""
        number = next(self._numbers)
        answer: dict[str, object] = {
            "access_token": f"access-{number}",
            "token_type": "bearer",
            "expires_in": self.life,
        }
        if self.mood == "keeps the refresh token":
            return answer
        self.previous, self.current = presented, f"refresh-{number}"
        answer["refresh_token"] = self.current
        return answer if self.mood == "narrow" else answer | {"scope": "offline_access api"}


class Sessions(RuleBasedStateMachine):
    """What a person and their machine may do to one session, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.server = Server()
        self.store = MemoryStore()
        self.clock = self.server.now
        self.generation = 0
        self.signed_in = False
        self.profile = Profile(name="t", issuer=ISSUER, client_id="c", scope="offline_access api", flow="browser")
        self.runtime = Runtime(
            {"TOKENCTL_STATE_DIR": os.environ["TOKENCTL_STATE_DIR"]},
            send=self.send,
            now=lambda: self.clock,
            sleep=self.sleep,
            store=self.store,
        )

    def send(self, request: Request) -> Response:
        """Send by the clock of this machine."""
        self.server.now = self.clock
        return self.server.send(request)

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        assert 0 < seconds <= 1
        self.clock += 1

    @property
    def session(self) -> Session:
        """The session in the store."""
        found = self.store.read("t")
        assert found is not None, "the session disappeared, and nobody revoked it"
        return found

    def ask(self, work: str, min_ttl: int | None = None) -> None:
        """Ask the broker, and judge what it hands out."""
        before, asked, requests = self.session, self.clock, self.server.requests
        fresh = work == "current" and before.fresh(asked, 60 if min_ttl is None else min_ttl)
        try:
            given = (
                broker.renew(self.runtime, self.profile)
                if work == "renew"
                else broker.current(self.runtime, self.profile, min_ttl)
            )
        except Unreachable:
            assert self.server.mood in ("5xx", "unsent", "unanswered")
            assert work == "renew" or before.expired(self.clock), "a token that still lives was not handed out"
        except (LoginRequired, Refused):
            assert self.server.mood in ("invalid_grant", "refuses", "garbled")
        else:
            assert not given.expired(self.clock), "an access token was handed out after its life"
            assert given == self.session
            assert work == "current" or given.generation == before.generation + 1
        assert not fresh or self.server.requests == requests, "a fresh token was renewed"
        assert self.server.requests - requests <= 1, "one command presented the refresh token more than once"

    # -- what happens ------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        """Sign in."""
        self.login()

    @precondition(lambda self: self.signed_in)
    @rule(min_ttl=st.sampled_from([None, 0, 1, 60, 600, 10**6]), mood=MOOD, life=LIFE, passed=PASSED)
    def token(self, min_ttl: int | None, mood: str, life: int, passed: int) -> None:
        """`token` or `exec`, after a while."""
        self.server.mood, self.server.life = mood, life
        self.clock += passed
        self.ask("current", min_ttl)

    @precondition(lambda self: self.signed_in)
    @rule(mood=MOOD, life=LIFE)
    def refresh(self, mood: str, life: int) -> None:
        """`refresh`."""
        self.server.mood, self.server.life = mood, life
        self.ask("renew")

    @rule(seconds=st.sampled_from([1, 30, 59, 61, 86400]))
    def back(self, seconds: int) -> None:
        """Somebody sets the clock back."""
        self.clock -= seconds

    @precondition(lambda self: self.signed_in)
    @rule()
    def another_process_renews(self) -> None:
        """Somebody else renews between two commands of ours."""
        self.server.mood = "well"
        other = Runtime(
            self.runtime.environ, send=self.send, now=lambda: self.clock, sleep=self.sleep, store=self.store
        )
        broker.renew(other, self.profile)

    @precondition(lambda self: self.signed_in)
    @rule()
    def another_process_overtakes(self) -> None:
        """Somebody without the lock renews while our request is on its way, which is refused for that."""
        before = self.session

        def overtaken(request: Request) -> Response:
            self.server.mood = "well"
            theirs = self.server.tokens(dict(request.form or ())["refresh_token"])
            self.server.retired.add(self.server.previous)
            newer = replace(
                before,
                generation=before.generation + 1,
                access_token=str(theirs["access_token"]),
                refresh_token=str(theirs["refresh_token"]),
                obtained_at=self.clock,
                expires_at=self.clock + self.server.life,
            )
            self.store.write("t", newer)
            return Response(status=400, received_at=self.clock, body=b'{"error": "invalid_grant"}')

        ours = Runtime(self.runtime.environ, send=overtaken, now=lambda: self.clock, sleep=self.sleep, store=self.store)
        assert broker.renew(ours, self.profile) == self.session != before

    @precondition(lambda self: self.signed_in)
    @rule()
    def revoke(self) -> None:
        """`revoke --local`: the one way out of the store."""
        moving.revoke(self.runtime, self.profile, local=True)
        assert self.store.read("t") is None
        self.signed_in, self.generation = False, 0

    @rule()
    def login(self) -> None:
        """A person signs in, perhaps again."""
        self.server.mood = "well"
        tokens = self.server.tokens(self.server.current)
        self.server.retired.add(self.server.previous)
        session = Session(
            issuer=ISSUER,
            client_id="c",
            flow="browser",
            token_endpoint=f"{ISSUER}/token",
            access_token=str(tokens["access_token"]),
            refresh_token=str(tokens["refresh_token"]),
            obtained_at=self.clock,
            expires_at=self.clock + self.server.life,
            seal_key=SEAL_KEY,
        )
        moving.login(self.runtime, self.profile, session, None)
        self.signed_in = True

    # -- what holds --------------------------------------------------------------------------------

    @invariant()
    def generations_only_rise(self) -> None:
        """Nobody ever writes an older generation over a newer one."""
        if self.signed_in:
            assert self.session.generation >= self.generation
            self.generation = self.session.generation

    @invariant()
    def the_session_can_be_renewed(self) -> None:
        """The refresh token in the store is one that the server still takes."""
        if self.signed_in:
            assert self.session.refresh_token in (self.server.current, self.server.previous)
            assert self.session.refresh_token not in self.server.retired


Sessions.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None, database=None)
TestSessions = Sessions.TestCase
