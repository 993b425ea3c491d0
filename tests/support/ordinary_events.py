"""An ordinary life as the event log shows it: every step is one that happens to honest people."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.events import DAY, HOUR, MINUTE, START, event
from tokenctl.model.event import Event

LIFETIME = 900


@dataclass
class Ordinary:
    """The life of one profile. A step takes a number from 0 to 1, which says how far it goes."""

    profile: str = "t"
    now: float = 0.0
    """The true time, in seconds after START."""
    boots: int = 1
    boot_at: float = 0.0
    wrong: float = 0.0
    """Seconds that the wall clock of this machine is ahead."""
    generation: int = 0
    tokens: int = 0
    """How many refresh tokens there were."""
    obtained: dict[str, float] = field(default_factory=dict)
    """Refresh token -> when it was got, by this machine's clock."""
    generations: dict[str, int] = field(default_factory=dict)
    """Refresh token -> the session's generation that has it."""
    subject: str = "alice"
    life: float | None = None
    """Seconds that a refresh token lives, where the server tells it."""
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sign_in()

    # -- writing ---------------------------------------------------------------------------------------

    @property
    def token(self) -> str:
        """The fingerprint of the refresh token, from a hash of the whole."""
        return f"{self.profile}{self.tokens}"

    def write(self, kind: str, **members: Any) -> None:
        """Write an event, with what every event has."""
        usual = {
            "profile": self.profile,
            "session": self.profile,
            "generation": self.generation,
            "fingerprint": self.token,
            "asked_by": "make",
            "boot_id": f"{self.profile}{self.boots}",
            "uptime": self.now - self.boot_at,
        }
        self.events.append(event(kind, self.now + self.wrong, **(usual | members)))

    def rotate(self) -> None:
        """Get a new refresh token."""
        self.tokens, self.generation = self.tokens + 1, self.generation + 1
        self.obtained[self.token] = START + self.now + self.wrong
        self.generations[self.token] = self.generation

    def answered(self, **members: Any) -> dict[str, Any]:
        """What an answer of the server tells."""
        ends_at = None if self.life is None else self.obtained[self.token] + self.life
        return {"server_clock": -self.wrong, "refresh_expires_at": ends_at, "target": None, **members}

    def sign_in(self, replaces: str | None = None) -> None:
        """Sign in, from `started` to `ok`."""
        self.rotate()
        for result in ("started", "ok"):
            self.write("login", result=result, **self._login(replaces))

    def _login(self, replaces: str | None) -> dict[str, Any]:
        expires = self.answered()["refresh_expires_at"]
        account = {"issuer": f"https://{self.profile}.example", "client_id": "c", "subject": self.subject}
        ends = {"lifetime": LIFETIME, "refresh_expires_at": expires, "renewable": True}
        return {"flow": "browser", **account, "replaces": replaces, **ends}

    def renew(self) -> None:
        """Renew, and get another refresh token."""
        before = self.token
        self.rotate()
        self.write("renewal", **self.answered(old_fingerprint=before, lifetime=LIFETIME, subject=self.subject))

    def refused(self, token: str, **members: Any) -> None:
        """The server refuses a refresh token for good, and the person signs in again."""
        usual = {"old_fingerprint": token, "says": None, "unanswered": 0, "obtained_at": self.obtained[self.token]}
        self.write("dead", result="failed", **self.answered(**(usual | members)))
        self.now += MINUTE
        self.sign_in(self.subject)

    # -- steps -----------------------------------------------------------------------------------------

    def work(self, far: float) -> None:
        """Renew when half of the life is over, or more, for some hours."""
        for _ in range(4 + int(20 * far)):
            self.now += LIFETIME * (0.5 + far / 2)
            self.renew()

    def tries_something(self, far: float) -> None:
        """Renew by hand a few times."""
        self.now += HOUR
        for _ in range(int(10 * far)):
            self.now += 2
            self.renew()

    def narrower(self, far: float) -> None:
        """Ask for narrower tokens; the server may end the session's own access token each time."""
        for n in range(1 + int(10 * far)):
            self.now += LIFETIME / 2
            more = self.answered(old_fingerprint=self.token, lifetime=LIFETIME, subject=self.subject)
            self.write("renewal", **(more | {"target": f"k{n % 3}"}))
            self.renew()

    def changes(self, far: float) -> None:
        """The server's operator changes settings."""
        for what in ("scope", "audience", "lifetime", "key"):
            self.write("change", what=what, was="1", now="2")
        self.write("endpoint-change", what="token_endpoint", was="https://a", now="https://b")

    def sleep(self, far: float) -> None:
        """The machine sleeps; if it is a virtual one, its clock since boot stands still."""
        self.now += far * 12 * HOUR
        if far > 0.5:
            self.boot_at += far * 12 * HOUR

    def restart(self, far: float) -> None:
        """Start the machine again; its clock may be wrong until the network tells the time."""
        self.boots, self.boot_at = self.boots + 1, self.now
        self.wrong = (far - 0.5) * DAY if far > 0.3 else 0.0
        self.now += MINUTE
        self.write("unanswered", tries=1, old_fingerprint=self.token)
        if far > 0.8:
            self.now += HOUR
            self.renew()
        self.wrong = 0.0
        self.now += LIFETIME
        self.renew()

    def offline(self, far: float) -> None:
        """No answer comes for some time; then the server has forgotten the token, or not."""
        for tries in range(1, 2 + int(5 * far)):
            self.write("unanswered", tries=tries)
            self.now += 5 * MINUTE
        if far > 0.5:
            self.refused(self.token, unanswered=1 + int(5 * far), says="reuse" if far > 0.75 else None)
        else:
            self.renew()

    def overloaded(self, far: float) -> None:
        """The server says: later."""
        for _ in range(1 + int(4 * far)):
            self.now += MINUTE
            self.write("refusal", result="failed", **self.answered(old_fingerprint=self.token, status=503))

    def holiday(self, far: float) -> None:
        """Nobody uses the session, and the refresh token may end."""
        self.now += DAY + far * 20 * DAY
        if self.life is None or self.life < DAY + far * 20 * DAY:
            self.refused(self.token)
        else:
            self.renew()

    def ended_with_a_reason(self, far: float) -> None:
        """The person changed the password, or must be at the browser."""
        self.now += HOUR
        self.refused(self.token, says=("password", "expired", "interaction")[int(far * 2.9)])

    def restored(self, far: float) -> None:
        """The keyring comes back with an older state."""
        older = f"{self.profile}{max(1, self.tokens - 1 - int(5 * far))}"
        if older != self.token:
            self.now += HOUR
            self.refused(older, says="reuse", obtained_at=self.obtained[older], generation=self.generations[older])

    def killed_after_commit(self, far: float) -> None:
        """The next run writes the event, hours later, and maybe a second time."""
        self.rotate()
        self.now += far * 5 * HOUR
        for _ in range(1 + int(2 * far)):
            self.write("renewal", result="recovered", asked_by="bash")

    def signs_in_again(self, far: float) -> None:
        """The same person, or another one who says so; the login may be killed half-way, or fail."""
        self.now += HOUR
        before = self.subject
        self.subject = "bob" if far > 0.6 else before
        if 0.2 < far < 0.4:
            self.rotate()
            self.write("login", result="started", **self._login(before))
            self.now += HOUR
            self.write("changed-outside", how="a newer generation", by="/state", result="found")
            self.renew()
        elif far <= 0.2:
            for result in ("started", "failed"):
                self.write("login", result=result, **(self._login(before)), **{"fingerprint": f"{self.profile}-lost"})
            self.refused(self.token)
        else:
            self.sign_in(before)

    def signs_out(self, far: float) -> None:
        """And in again, as whoever it is."""
        self.now += HOUR
        self.write("revocation", result="local" if far > 0.7 else "ok")
        self.subject = "bob" if far > 0.3 else "alice"
        self.now += far * 20 * DAY
        self.sign_in()

    def migrates(self, far: float) -> None:
        """Move the session to another store; the process may be killed before the mirror."""
        self.generation += 1
        self.write("migration", result="started", **{"from": "keyring", "to": "file"})
        if far > 0.5:
            self.write("changed-outside", how="a newer generation", by="/state", result="found")
        else:
            self.write("migration", result="ok", **{"from": "keyring", "to": "file"})
        self.now += MINUTE
        self.renew()

    def keyring_hiccup(self, far: float) -> None:
        """The keyring fails once or twice, and then it works."""
        for _ in range(1 + int(1.9 * far)):
            self.write("keyring-failed", result="failed", operation="read", error="StoreTimedOut")
        self.now += LIFETIME
        self.renew()

    def sleeps_while_renewing(self, far: float) -> None:
        """Who waits for the lock goes on after the sleep: a wait is counted without it, so nobody gives up."""
        self.now += 13 * HOUR
        self.renew()

    def told(self, far: float) -> None:
        """A person looked."""
        for kind in ("told", "acknowledged", "a kind of the next version"):
            self.write(kind, anomaly="refresh-token-refused")


STEPS: tuple[Callable[[Ordinary, float], None], ...] = (
    Ordinary.work,
    Ordinary.tries_something,
    Ordinary.narrower,
    Ordinary.changes,
    Ordinary.sleep,
    Ordinary.restart,
    Ordinary.offline,
    Ordinary.overloaded,
    Ordinary.holiday,
    Ordinary.ended_with_a_reason,
    Ordinary.restored,
    Ordinary.killed_after_commit,
    Ordinary.signs_in_again,
    Ordinary.signs_out,
    Ordinary.migrates,
    Ordinary.keyring_hiccup,
    Ordinary.sleeps_while_renewing,
    Ordinary.told,
)
