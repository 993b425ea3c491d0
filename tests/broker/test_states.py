"""The broker against a model of a server, a keyring, a clock and sudden death: what holds whatever happens.

Modelled: a server that rotates refresh tokens, ends a session whose retired token it sees again (and
counts that) or, with `grace`, still takes the immediate predecessor; that answers well, badly, late or
never; a keyring that fails or dies at a write; a wall clock that is set forward and back beside a true one
that only goes on; reboots; processes that renew between our read and our lock, or overtake without any
lock; the death of our process before the server did the work, after it, or at any change on the disk; a keyring
that comes back with an older state. Every
command is a new Runtime on the same folder, as a new process would be; the worker's part runs inline.

Not modelled: a disk that loses what was synced, and two processes at the same instant (see test_herds.py).
Longer than 200 lines, because the model and what is asked of it make one picture.
"""

import itertools
import json
import shutil
import tempfile
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support import broker
from tests.support.crash import Killed, dying_at
from tests.support.sessions import end_of
from tokenctl.adapters.clock import Clock
from tokenctl.errors import LoginRequired, Refused, StoreUnavailable, Unreachable
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.oauth.wire import Request, Response
from tokenctl.runtime import Runtime
from tokenctl.storage.journal import AT_ONCE, LONGEST_PAUSE
from tokenctl.storage.memory_store import MemoryStore
from tokenctl.storage.vault import Vault

GOOD = ("well", "narrow", "keeps the refresh token")
LOST = ("unanswered before", "unanswered after", "portal")
FATAL = ("killed before", "killed after")
NO = ("refuses", "garbled")
LATER = ("5xx", "5xx with Retry-After", "unsent")
MOODS = st.lists(st.sampled_from((*GOOD, "well", *LOST, *LATER, *NO, *FATAL, "invalid_grant")), min_size=2, max_size=2)
RING = st.sampled_from(["as it was", "as it was", "well", "fails", "killed before", "killed after"])
LIFE = st.sampled_from([1, 2, 30, 120, 900])
TOOK = st.sampled_from([0, 0, 0, 1, 30])
PASSED = st.sampled_from([0, 0, 1, 15, 59, 61, 450, 830, 899, 900, 10**6])  # or the machine slept
MIN_TTL = st.sampled_from([None, 0, 1, 60, 600, 10**6])
RETRY = st.sampled_from([5, LONGEST_PAUSE])
WORLD: dict[str, Any] = {"moods": MOODS, "life": LIFE, "ring": RING, "took": TOOK, "retry": RETRY}
ISSUER = "https://issuer.example"
QUICK = Path("/dev/shm")
"""Where syncing costs nothing."""


class Keyring(MemoryStore):
    """A keyring in whatever mood it is; `meanwhile` happens once, just after somebody has read."""

    mood = "well"
    meanwhile: Callable[[], None] | None = None

    def __init__(self) -> None:
        super().__init__()
        self._written: list[Session] = []

    def come_back(self, session: Session, writes: int) -> None:
        """Have the entry of some writes ago, as a keyring that was killed before it wrote to the disk."""
        earlier = [each for each in self._written if each.id == session.id]
        if earlier:
            super().write("t", earlier[max(0, len(earlier) - 1 - writes)])

    def has_written(self) -> None:
        """Have everything on the disk that it has now."""
        found = super().read("t")
        self._written = [] if found is None else [found]

    def read(self, profile: str) -> Session | None:
        """Read, and let the rest of the world go on."""
        found = super().read(profile)
        work, self.meanwhile = self.meanwhile, None
        if work is not None:
            work()
        return found

    def write(self, profile: str, session: Session) -> None:
        """Keep it, fail, or be the last thing that this process does."""
        older = super().read(profile)
        assert older is None or session.generation >= older.generation, "an older session was written over a newer one"
        if self.mood == "fails":
            raise StoreUnavailable("the keyring went away")
        if self.mood == "killed before":
            raise Killed
        super().write(profile, session)
        self._written.append(session)
        if self.mood == "killed after":
            raise Killed


class Server:
    """One session at a server, and what a fair observer knows of each refresh token."""

    def __init__(self) -> None:
        self.grace = False
        self.alive = False
        self.current = self.previous = ""
        self.reuse_detections = 0
        self.life = 900
        self.expiry: dict[str, int] = {}  # of each access token, by the true clock
        self.lost: Counter[str] = Counter()  # presentations of a refresh token in a row that were not answered
        self.succeeded: set[str] = set()  # refresh tokens whose successor was delivered
        self.dead: set[str] = set()  # refresh tokens that got an invalid_grant
        self.later: dict[str, float] = {}  # refresh token -> not to be presented before
        self._numbers = itertools.count(1)

    def takes(self, token: str | None) -> bool:
        """Tell whether this refresh token is good for anything."""
        return self.alive and (token == self.current or (self.grace and token == self.previous))

    def begin(self, now: int) -> dict[str, object]:
        """Sign somebody in."""
        self.alive, self.current, self.previous, self.reuse_detections = True, "", "", 0
        answer = self.tokens("well", "", now)
        assert answer is not None
        return answer

    def tokens(self, mood: str, presented: str, now: int) -> dict[str, object] | None:
        """Renew; None is an invalid_grant."""
        if presented and not self.takes(presented):
            self.reuse_detections += self.alive
            self.alive = False
            return None
        number = next(self._numbers)
        self.expiry[f"access-{number}"] = now + self.life
        answer: dict[str, object] = {
            "access_token": f"access-{number}",
            "token_type": "bearer",
            "expires_in": self.life,
        }
        if mood != "keeps the refresh token":
            if presented == self.current:
                self.previous = presented
            self.current = f"refresh-{number}"
            answer |= {"refresh_token": self.current, "scope": "api" if mood == "narrow" else "offline_access api"}
        return answer | ({"access_token": "two\nlines"} if mood == "garbled" else {})


class ModelClock(Clock):
    """The model's two clocks."""

    def __init__(self, model: "Sessions") -> None:
        self._model = model

    def now(self) -> float:
        """Tell the wall clock's time."""
        return self._model.wall

    def since_boot(self) -> float:
        """Tell the true time: only the differences count."""
        return float(self._model.true)

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self._model.sleep(seconds)

    def uptime(self) -> tuple[str, int] | None:
        """Tell the boot and the time since."""
        return self._model.uptime()


class Sessions(RuleBasedStateMachine):
    """What a person and their machine may do to one session, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="tokenctl-states-", dir=QUICK if QUICK.is_dir() else None))
        self.profile = Profile(name="t", issuer=ISSUER, client_id="c", scope="offline_access api", flow="browser")
        self.server = Server()
        self.keyring = Keyring()
        self.true = 1_800_000_000
        self.offset = 0
        self.boots = 1
        self.booted = self.true - 1000
        self.signed_in = False
        self.generation = 0
        self.disturbed = False  # an answer was lost, or a process died with one in its hands, since the last login
        self.failed_at = 0  # by the wall clock
        self.moods: list[str] = []
        self.said: list[str] = []
        self.took = self.retry_after = 0
        self.asked_for = False

    def teardown(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.folder)

    # -- the world ---------------------------------------------------------------------------------

    @property
    def wall(self) -> int:
        """The wall clock."""
        return self.true + self.offset

    def uptime(self) -> tuple[str, int] | None:
        """The boot and the time since, on a machine that can tell."""
        return (f"boot-{self.boots}", (self.true - self.booted) * 1000) if self.has_uptime else None

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        assert 0 < seconds <= 2
        self.true += ceil(seconds)

    def process(self, send: Callable[[Request], Response] | None = None) -> Runtime:
        """Start a process."""
        return Runtime(
            {"TOKENCTL_STATE_DIR": str(self.folder / "state")},
            send=send or self.send,
            clock=ModelClock(self),
            store=self.keyring,
        )

    @property
    def vault(self) -> Vault:
        """The profile's vault, as a new process opens it."""
        return broker.vault(self.process(), self.profile)

    @property
    def session(self) -> Session:
        """The newest session there is."""
        found = self.vault.newest()
        assert found is not None, "the session disappeared, and nobody revoked it"
        return found

    def send(self, request: Request) -> Response:
        """Be the network and the token endpoint."""
        presented = dict(request.form or ())["refresh_token"]
        assert (request.url, presented in self.server.dead) == (f"{ISSUER}/token", False), "a dead token was presented"
        mood = self.moods[min(len(self.said), len(self.moods) - 1)]
        if mood == "unsent":
            self.said.append(mood)
            raise Unreachable("no route", sent=False)
        assert presented not in self.server.succeeded, "it was presented after its successor was delivered"
        self.said.append(mood)
        self.true += self.took
        if mood in (*LOST, *FATAL):
            self.disturbed = True
        if mood in (*LOST, *FATAL):
            self.server.lost[presented] += 1
            pause = 2 ** max(0, self.server.lost[presented] - AT_ONCE)
            self.server.later[presented] = self.wall + min(pause, LONGEST_PAUSE) if mood in LOST else 0
        else:
            self.server.lost[presented] = 0
        match mood:
            case "unanswered before":
                raise Unreachable("the connection broke", sent=True)
            case "killed before":
                raise Killed
            case "5xx" | "5xx with Retry-After":
                later = None if mood == "5xx" else self.retry_after
                self.server.later[presented] = self.wall + later if later else 0
                return Response(status=503, received_at=self.wall, retry_after=later)
            case "portal":
                return Response(status=200, received_at=self.wall, content_type="text/html", body=b"<h1>Pay</h1>")
            case "invalid_grant":
                self.server.alive = False
            case "refuses":
                return Response(status=400, received_at=self.wall, body=b'{"error": "invalid_request"}')
        answer = self.server.tokens(mood, presented, self.true)
        if mood == "unanswered after":
            raise Unreachable("the connection broke", sent=True)
        if mood == "killed after":
            raise Killed
        if answer is None:
            self.server.dead.add(presented)
            self.said.append("invalid_grant")
            return Response(status=400, received_at=self.wall, body=b'{"error": "invalid_grant"}')
        if answer.get("refresh_token"):
            self.server.succeeded.add(presented)
        return Response(status=200, received_at=self.wall, body=json.dumps(answer).encode())

    def dies(self) -> None:
        """Leave behind what a dead process leaves."""
        rubbish = self.folder / "state" / "t" / "redo.next"
        rubbish.touch(0o600)
        rubbish.write_bytes(b"x" * 100)
        self.keyring.mood = "well"

    # -- a command, and what is asked of it --------------------------------------------------------

    def ask(self, work: Callable[[Runtime], Session], min_ttl: int | None) -> None:
        """Ask the broker, and judge what it hands out or why it does not; `min_ttl` None is `refresh`."""
        self.true += 1
        self.said = []
        self.asked_for = min_ttl is None
        overtaken = self.keyring.meanwhile is not None
        process, start = self.process(), self.wall
        meanwhile, self.keyring.meanwhile = self.keyring.meanwhile, None
        vault = self.vault
        before, behind = vault.newest(), vault.behind
        self.keyring.meanwhile = meanwhile
        assert before is not None and before.refresh_token is not None
        open_presentation = vault.journal.read(before).tries > 0  # it may have ended the access token
        now, token = process.time_of(before), before.refresh_token
        fresh = min_ttl is not None and before.fresh(now, min_ttl)
        paused = 0 < self.server.later.get(token, 0) - start <= LONGEST_PAUSE
        dead = token in self.server.dead
        try:
            given = work(process)
        except Killed:
            self.dies()
            return
        except Unreachable:
            just_asked = abs(start - self.failed_at) <= 1
            assert paused or just_asked or overtaken or {*self.said} & {*LOST, *LATER}
            kept = self.session
            assert self.asked_for or kept.expired(process.time_of(kept)), "a token that still lives was not handed out"
        except LoginRequired:
            assert dead or overtaken or "invalid_grant" in self.said
        except Refused:
            assert {*self.said} & {*NO} or abs(start - self.failed_at) <= 1 or overtaken
        else:
            if given.boot_id != f"boot-{self.boots}":
                new = given.generation > before.generation  # it can be used up on its way
                assert new or end_of(given) > self.wall, (
                    "an access token was handed out after its life, by the wall clock"
                )
            else:
                assert self.server.expiry[given.access_token] > self.true, (
                    "an access token was handed out after its life"
                )
            used_up = given == before and self.session.expired(process.time_of(self.session))  # the new one, on its way
            assert overtaken or used_up or given.access_token == self.session.access_token
            assert not self.asked_for or given.generation > before.generation
        finally:
            self.keyring.meanwhile = None
            if {*self.said} & {*LOST, *LATER, *NO}:
                self.failed_at = self.wall
        sent = [each for each in self.said if each != "unsent"]
        soon = fresh and not before.fresh(now, (min_ttl or 0) + broker.SOFT_WINDOW)
        assert not fresh or soon or behind or open_presentation or not self.said, "a fresh token was renewed"
        assert overtaken or not (paused or dead) or not sent, "the server was asked when it must not be"

    def renew_elsewhere(self) -> None:
        """Let another process renew, whatever this one is doing."""
        ours = self.moods, self.said, self.took, self.keyring.mood, self.asked_for
        self.moods, self.said, self.took, self.keyring.mood, self.asked_for = ["well"], [], 0, "well", True
        try:
            broker.renew(self.process(), self.profile)
        except (LoginRequired, Unreachable, Refused):
            pass  # dead, or to be left alone for a while, or refused to another process just now
        self.moods, self.said, self.took, self.keyring.mood, self.asked_for = ours

    # -- what happens ------------------------------------------------------------------------------

    @initialize(grace=st.booleans(), has_uptime=st.booleans())
    def begin(self, grace: bool, has_uptime: bool) -> None:
        """Sign in, somewhere."""
        self.server.grace, self.has_uptime = grace, has_uptime
        self.login("well")

    def prepare(self, moods: list[str], life: int, ring: str, took: int, retry: int) -> None:
        """Say how the server and the keyring will behave."""
        self.moods, self.server.life, self.took, self.retry_after = moods, life, took, retry
        self.keyring.mood = self.keyring.mood if ring == "as it was" else ring

    @precondition(lambda self: self.signed_in)
    @rule(min_ttl=MIN_TTL, passed=PASSED, raced=st.booleans(), **WORLD)
    def token(self, min_ttl: int | None, passed: int, raced: bool, **world: Any) -> None:
        """`token` or `exec`, after a while; perhaps another process renews between its first look and its lock."""
        self.true += passed
        self.prepare(**world)
        self.keyring.meanwhile = self.renew_elsewhere if raced else None
        wanted = 60 if min_ttl is None else min_ttl
        self.ask(lambda process: broker.current(process, self.profile, min_ttl), wanted)

    @precondition(lambda self: self.signed_in)
    @rule(left=st.integers(0, 20), **WORLD)
    def soon(self, left: int, **world: Any) -> None:
        """`token --min-ttl 0` when it hardly lives."""
        before = self.session
        self.true += max(0, (before.remaining(self.process().time_of(before)) or 0) - left)
        self.prepare(**world)
        self.ask(lambda process: broker.current(process, self.profile, 0), 0)

    @precondition(lambda self: self.signed_in)
    @rule(**WORLD)
    def late(self, **world: Any) -> None:
        """`token` when it is over."""
        self.true += 10**6
        self.prepare(**world)
        self.ask(lambda process: broker.current(process, self.profile), 60)

    @precondition(lambda self: self.signed_in)
    @rule(**WORLD)
    def refresh(self, **world: Any) -> None:
        """`refresh`."""
        self.prepare(**world)
        self.ask(lambda process: broker.renew(process, self.profile), None)

    @precondition(lambda self: self.signed_in)
    @rule()
    def another_process_renews(self) -> None:
        """Somebody else renews between two commands of ours."""
        self.true += 1
        self.renew_elsewhere()

    @precondition(lambda self: self.signed_in and self.server.takes(self.session.refresh_token))
    @rule()
    def another_process_overtakes(self) -> None:
        """Somebody without the lock renews while our request is on its way, which is refused for that."""
        self.true += 2
        self.keyring.mood = "well"
        before, entry = self.session, self.vault.journal
        just_asked = abs(self.wall - self.failed_at) <= 1  # by a clock that was set back since
        if entry.read(before).dead or entry.read(before).pause(self.wall) or just_asked:
            return

        def overtaken(request: Request) -> Response:
            theirs = self.server.tokens("well", dict(request.form or ())["refresh_token"], self.true)
            assert theirs is not None
            newer = self.new_session(theirs, before.generation + 1, before.seal_key)
            self.keyring.write("t", newer)
            return Response(status=400, received_at=self.wall, body=b'{"error": "invalid_grant"}')

        assert broker.renew(self.process(overtaken), self.profile) == self.session != before

    def new_session(self, tokens: dict[str, object], generation: int, seal_key: str) -> Session:
        """Make a session of what the server gave."""
        boot = self.process().moment()
        del boot["sent_at"]
        return Session(
            id=f"{self.true:016x}",
            issuer=ISSUER,
            client_id="c",
            flow="browser",
            token_endpoint=f"{ISSUER}/token",
            access_token=str(tokens["access_token"]),
            refresh_token=str(tokens["refresh_token"]),
            obtained_at=self.wall,
            expires_at=self.wall + self.server.life,
            generation=generation,
            seal_key=seal_key,
            **boot,
        )

    @rule(step=st.sampled_from([-86400 * 3, -7200, -61, -30, -2, 30, 7200, 86400 * 3]))
    def clock(self, step: int) -> None:
        """Somebody sets the clock."""
        self.offset += step

    @precondition(lambda self: self.signed_in)
    @rule(change=st.integers(1, 20))
    def dies_at_a_change(self, change: int) -> None:
        """`refresh`, whose process dies just before one of its changes on the disk."""
        self.true += 1
        self.prepare(["well", "well"], 900, "well", 0, 5)
        self.said, self.asked_for, before = [], True, self.session
        process = self.process()
        with dying_at(change, self.folder), suppress(Killed, Unreachable, LoginRequired, Refused):
            broker.renew(process, self.profile)
        entry, token = self.vault.journal.read(before), before.refresh_token
        assert token is not None
        if not entry.dead:
            self.server.dead.discard(token)  # it died before it could write down that the token is dead
        self.server.lost[token] = entry.tries  # it can have died between the mark and the request
        if self.session.refresh_token == before.refresh_token in self.server.succeeded:
            # It died with the answer in its hands: the journal alone knows that the token was presented.
            self.server.succeeded.discard(before.refresh_token)
            self.disturbed = True

    @precondition(lambda self: self.signed_in)
    @rule(writes=st.integers(0, 4))
    def the_keyring_comes_back_older(self, writes: int) -> None:
        """It is killed before it has written to the disk, or is restored: the redo log is newer."""
        self.keyring.come_back(self.session, writes)

    @rule()
    def reboot(self) -> None:
        """The machine starts again."""
        self.true += 60
        self.boots, self.booted = self.boots + 1, self.true - 10

    @precondition(lambda self: self.signed_in)
    @rule()
    def revoke(self) -> None:
        """`revoke --local`: the one way out of the store."""
        self.keyring.mood = "well"
        broker.forget(self.process(), self.profile)
        assert self.keyring.read("t") is None and self.vault.newest() is None
        self.signed_in, self.generation = False, 0

    @rule(ring=RING)
    def login(self, ring: str) -> None:
        """A person signs in, perhaps again; a sign-in that cannot be kept leaves what was there."""
        older, before = one_session(self.server), self.keyring.read("t")
        self.true += 1
        self.prepare([], 900, ring, 0, 0)
        fails = self.keyring.mood == "fails"
        key = b64encode(self.boots.to_bytes(16) + self.true.to_bytes(16)).decode()
        session = self.new_session(self.server.begin(self.true), 1, key)
        try:
            broker.keep(self.process(), self.profile, session)
        except StoreUnavailable:
            assert fails
        except Killed:
            self.dies()
            self.keyring.has_written()  # a login that did not end promises nothing yet
        kept = self.keyring.read("t")
        if kept == before:  # the other session is as alive as it was
            vars(self.server).update(older)
        else:
            self.signed_in, self.disturbed = True, False

    # -- what holds --------------------------------------------------------------------------------

    @invariant()
    def generations_only_rise(self) -> None:
        """Nobody ever goes back to an older generation."""
        if self.signed_in:
            assert self.session.generation >= self.generation
            self.generation = self.session.generation

    @invariant()
    def the_session_can_be_renewed(self) -> None:
        """Unless an answer was lost and the server forgives nothing, its refresh token is one the server takes."""
        if self.signed_in and (self.server.grace or not self.disturbed):
            assert self.server.reuse_detections == 0
            assert not self.server.alive or self.server.takes(self.session.refresh_token)


def one_session(server: Server) -> dict[str, object]:
    """Remember one session of the server."""
    return {name: getattr(server, name) for name in ("alive", "current", "previous", "reuse_detections")}


Sessions.TestCase.settings = settings(
    max_examples=300,
    stateful_step_count=25,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # shrinking takes minutes: put Phase.shrink in, with a longer --timeout, to debug
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestSessions = pytest.mark.slow(Sessions.TestCase)


def test_a_login_that_was_killed_before_it_tidied_up() -> None:
    """A redo log of the login before is not taken for a renewal that the keyring has yet to get."""
    sessions = Sessions()
    try:
        sessions.begin(grace=True, has_uptime=False)
        sessions.late(life=120, moods=["well", "well"], retry=5, ring="fails", took=0)
        sessions.login(ring="killed after")
        sessions.refresh(life=2, moods=["well", "well"], retry=5, ring="fails", took=0)
    finally:
        sessions.teardown()
