"""What happens in an ordinary life, one generator each. None of it may raise an alarm.

Each begins and ends with a machine that works: a person who is asked to sign in does it at once. Each item is the
seconds until it goes on.
"""

import json
from collections.abc import Callable
from math import inf

from tests.servers.rotating_server import IDLE
from tests.support.life import DAY, HOUR, MINUTE, Machine, Steps
from tokenctl.storage.event_files import LARGEST

Happening = Callable[[Machine], Steps]
PROGRAMS = ("git", "zsh", "make", "code", "python3", "curl", "terraform")
QUARTER = 15 * MINUTE


def work(machine: Machine, hours: float = 1) -> Steps:
    """Programs ask one after the other: mostly the token at hand is good, and each quarter of an hour it is renewed."""
    for turn in range(round(hours * 4)):
        machine.ask(PROGRAMS[turn % len(PROGRAMS)])
        yield 30.0
        machine.ask(PROGRAMS[turn // 2 % len(PROGRAMS)])
        yield QUARTER - 30


def night(machine: Machine) -> Steps:
    """The laptop sleeps; its time since boot counts the sleep."""
    yield 14 * HOUR
    machine.ask("cron")


def night_of_a_virtual_machine(machine: Machine) -> Steps:
    """It is suspended: both clocks stand still. A program asks before the clock is put right, and an API refuses."""
    machine.ask()
    yield 14 * HOUR
    machine.clock.resume(14 * HOUR)
    found = machine.ask("git")
    if not isinstance(found, BaseException):
        machine.ask("git", refused=found.access_token)
    yield 20.0
    machine.clock.offset = 0.0
    machine.ask("zsh")


def nights_of_a_virtual_machine_that_is_put_right_at_once(machine: Machine) -> Steps:
    """The host sets its clock before any program runs."""
    for _ in range(3):
        yield 14 * HOUR
        machine.clock.resume(14 * HOUR)
        machine.clock.offset = 0.3
        yield from work(machine, 1)


def reboot(machine: Machine) -> Steps:
    """The machine boots anew."""
    yield 2 * MINUTE
    machine.clock.boot()
    machine.ask("zsh")


def boot_with_a_slow_clock(machine: Machine) -> Steps:
    """The battery of the clock is empty: it is years ago until a time server answers."""
    yield from reboot(machine)
    machine.clock.boot()
    machine.clock.offset = -800 * DAY
    machine.ask("cron")
    yield MINUTE
    machine.clock.offset = 0.0
    machine.ask("zsh")


def boot_with_local_time(machine: Machine) -> Steps:
    """Another system left local time in the machine's clock: two hours ahead, until a time server answers."""
    yield 10 * MINUTE
    machine.clock.boot()
    machine.clock.offset = 2 * HOUR
    machine.ask("zsh")
    yield 3 * MINUTE
    machine.ask("git")
    yield 2 * MINUTE
    machine.clock.offset = 0.0
    machine.ask("git")
    yield QUARTER
    machine.ask("git")


def time_servers(machine: Machine) -> Steps:
    """They move the clock by seconds, ahead and back; the network is slow when it is read."""
    for offset in (1.5, -2.0, 0.4, 0.0):
        machine.clock.offset = offset
        yield QUARTER
        machine.ask("make")


def drift(machine: Machine) -> Steps:
    """Without a time server the clock runs two seconds a day wrong; then one puts it right."""
    for _ in range(5):
        machine.clock.offset += 25.0
        yield DAY
        machine.ask("cron")
    machine.clock.offset = 0.0
    yield QUARTER
    machine.ask("zsh")


def offline(machine: Machine) -> Steps:
    """For two weeks nothing corrects the clocks, which both run ten seconds a day too fast; then a time server does."""
    machine.server.down = True
    for _ in range(14):
        yield DAY
        machine.clock.gain(10.0)
        machine.ask("cron")
    machine.clock.offset = 0.0
    machine.server.down = False
    yield 6 * MINUTE
    machine.ask("zsh")
    machine.ask("zsh")


def short_outage(machine: Machine) -> Steps:
    """The server is down for some minutes; programs ask again and again."""
    machine.server.down = True
    for _ in range(8):
        machine.ask("curl")
        yield MINUTE
    machine.server.down = False
    machine.ask("curl")


def long_outage(machine: Machine) -> Steps:
    """The network is away for a night, and a script asks all the time."""
    machine.server.down = True
    for _ in range(20):
        machine.ask("backup")
        yield HOUR / 2
    machine.server.down = False
    yield MINUTE
    machine.ask("backup")


def restart(machine: Machine) -> Steps:
    """The server restarts: it answers 503 first, then its sessions are as before."""
    machine.server.busy = True
    for _ in range(5):
        yield 3 * MINUTE
        machine.ask("curl")
    machine.server.busy = False
    yield 6 * MINUTE
    machine.ask("curl")


def lost_answer(machine: Machine) -> Steps:
    """The second presentation is answered."""
    yield QUARTER
    machine.server.lose = 1
    machine.ask("git")
    machine.server.lose = 0
    yield QUARTER
    machine.ask("git")


def lost_for_good(machine: Machine) -> Steps:
    """Both answers are lost; later the server takes the third presentation for a second use, and ends the session."""
    yield QUARTER
    machine.server.lose = 2
    machine.ask("git")
    machine.server.lose = 0
    yield 10 * MINUTE
    machine.ask("git")
    machine.ask("git")


def killed_with_the_request(machine: Machine) -> Steps:
    """The machine loses power while the answer is on its way: nobody knows the successor."""
    yield QUARTER
    machine.dies_with_answer = True
    machine.ask("git")
    machine.dies_with_answer = False
    machine.clock.boot()
    yield 10 * MINUTE
    machine.ask("zsh")
    machine.ask("zsh")


def killed_before_the_event(machine: Machine) -> Steps:
    """The run that renews is killed after its commit; the next one writes the event."""
    yield QUARTER
    machine.dies_after_commit = True
    machine.ask("make")
    machine.clock.dies = machine.dies_after_commit = False
    yield MINUTE
    machine.ask("make")


def killed_before_the_copy(machine: Machine) -> Steps:
    """The run that renews is killed before it copies the session to the keyring."""
    yield QUARTER
    machine.ring.dies_at_write = True
    machine.ask("make")
    machine.ring.dies_at_write = False
    yield MINUTE
    machine.ask("make")


def killed_login(machine: Machine) -> Steps:
    """A sign-in is killed while it stores its session, and the person signs in again."""
    machine.ring.dies_at_write = True
    machine.login()
    machine.ring.dies_at_write = False
    yield MINUTE
    machine.ask("zsh")
    machine.login()
    yield QUARTER
    machine.ask("zsh")


def by_hand(machine: Machine) -> Steps:
    """The person renews some times, to see whether it helps."""
    for _ in range(4):
        machine.refresh()
        yield 20.0


def narrower(machine: Machine) -> Steps:
    """Scripts ask for fewer rights."""
    for scope in ("api", "mail", "api mail", "api"):
        machine.ask("script", scope=scope)
        yield 5 * MINUTE
    machine.ask("git")


def refused_by_an_api(machine: Machine) -> Steps:
    """An API refuses a token that is still good, such as after it restarted."""
    for _ in range(2):
        found = machine.ask("python3")
        if not isinstance(found, BaseException):
            machine.ask("python3", refused=found.access_token)
        yield QUARTER


def locked_keyring(machine: Machine) -> Steps:
    """Nobody unlocks it for hours, and cron asks."""
    machine.ring.locked = True
    for _ in range(12):
        machine.ask("cron")
        yield QUARTER
    machine.ring.locked = False
    machine.ask("zsh")


def weak_keyring(machine: Machine) -> Steps:
    """It fails to take a session twice, and works again: the next renewal reaches it."""
    yield QUARTER
    machine.ring.failing = 2
    machine.ask("git")
    yield MINUTE
    machine.ask("git")
    machine.ring.failing = 0
    yield MINUTE
    machine.ask("git")
    yield HOUR
    machine.ask("git")


def older_keyring(machine: Machine) -> Steps:
    """It comes back with an older state, as after a crash: the mirror has the newer one."""
    older = dict(machine.ring.entries)
    yield from work(machine, 0.5)
    machine.ring.entries.clear()
    machine.ring.entries.update(older)
    machine.ask("zsh")
    yield QUARTER
    machine.ask("zsh")


def older_keyring_of_another_login(machine: Machine) -> Steps:
    """It comes back with the state from before a sign-in."""
    older = dict(machine.ring.entries)
    machine.login()
    yield MINUTE
    machine.ring.entries.clear()
    machine.ring.entries.update(older)
    yield from work(machine, 0.5)


def restored_home(machine: Machine) -> Steps:
    """A backup of the keyring and of the state directory comes back, from some renewals before: the session is lost."""
    entries = dict(machine.ring.entries)
    files = {path: path.read_bytes() for path in (machine.state / "work").iterdir()}
    yield from work(machine, 1)
    machine.ring.entries.clear()
    machine.ring.entries.update(entries)
    for path in (machine.state / "work").iterdir():
        path.unlink()
    for path, content in files.items():
        path.write_bytes(content)
        path.chmod(0o600)
    machine.ask("zsh")
    machine.ask("zsh")


def slow_server(machine: Machine) -> Steps:
    """It holds the lock for 40 seconds, and other programs ask meanwhile; the token at hand still lives."""
    machine.refresh()
    yield QUARTER - 65
    before, machine.server.takes = machine.server.takes, 40.0
    machine.server.meanwhile = lambda: [machine.ask("curl", scope=None) for _ in range(3)]
    machine.ask("git")
    machine.server.takes, machine.server.meanwhile = before, None


def another_login(machine: Machine) -> Steps:
    """The same person signs in again, for no reason."""
    machine.login()
    yield QUARTER
    machine.ask("zsh")


def sign_out_and_in(machine: Machine) -> Steps:
    """The person signs out, and in again later."""
    machine.revoke()
    yield 2 * HOUR
    machine.ask("cron")
    yield from work(machine, 0.5)


def forget_and_login(machine: Machine) -> Steps:
    """The person signs out here alone, and another person signs in."""
    machine.revoke()
    person, machine.server.person = machine.server.person, "bob"
    machine.login()
    machine.server.person = person
    yield QUARTER
    machine.ask("zsh")
    machine.revoke()
    machine.login()


def password_change(machine: Machine) -> Steps:
    """The server ends all sessions, and says so."""
    machine.server.end_all(
        "AADSTS50173: The provided grant has expired due to it being revoked, a fresh auth token is"
        " needed. The user might have changed or reset their password."
    )
    yield QUARTER
    machine.ask("zsh")
    machine.ask("zsh")


def holiday(machine: Machine) -> Steps:
    """The machine is off for longer than the refresh token lives."""
    yield 14 * DAY
    machine.ask("cron")
    machine.ask("cron")


def longest_life(machine: Machine) -> Steps:
    """The server ends each session 30 days after the sign-in, and says nothing of it."""
    tells, machine.server.tells_expiry = machine.server.tells_expiry, False
    machine.login()
    begin, machine.server.longest = machine.world.time, 30 * DAY
    for _ in range(14):
        yield 2 * DAY
        machine.ask("cron")
    yield begin + 30 * DAY - HOUR - machine.world.time
    machine.ask("git")
    yield 2 * HOUR
    machine.ask("git")
    machine.server.longest, machine.server.tells_expiry = inf, tells
    yield QUARTER
    machine.ask("git")


def long_weekend(machine: Machine) -> Steps:
    """The machine is off for four days; the refresh token lives on."""
    yield 4 * DAY
    machine.ask("zsh")


def moved_endpoint(machine: Machine) -> Steps:
    """The server's token endpoint moves, and the person signs in again."""
    old = machine.server.token_path
    machine.server.token_path = "/v2/token" if old == "/token" else "/token"
    yield QUARTER
    for _ in range(3):
        machine.ask("git")
        yield MINUTE
    machine.login()
    yield QUARTER
    machine.ask("git")


def new_key(machine: Machine) -> Steps:
    """The server signs with another key from now on."""
    machine.server.key_id += "'"
    yield QUARTER
    machine.ask("git")


def migration(machine: Machine) -> Steps:
    """The session moves to the encrypted file, and back."""
    machine.opens_store = True
    machine.migrate(store="file", keyring_backend=None)
    yield QUARTER
    machine.ask("zsh")
    machine.migrate()
    machine.opens_store = False
    yield QUARTER
    machine.ask("zsh")


def killed_migration(machine: Machine) -> Steps:
    """A migration is killed while it writes to the keyring, and done again."""
    machine.opens_store = True
    machine.migrate(store="file", keyring_backend=None)
    yield QUARTER
    machine.ring.dies_at_write = True
    machine.migrate()
    machine.ring.dies_at_write = False
    machine.ask("zsh")
    machine.migrate()
    machine.opens_store = False
    yield QUARTER
    machine.ask("zsh")


def upgrade(machine: Machine) -> Steps:
    """A newer tokenctl was here: its session and its events have members, kinds and a schema that this one does not know."""
    machine.ask()
    newest = machine.events()[-1]
    line = json.loads(machine.log.path().read_bytes().splitlines()[-1])
    machine.edit(from_the_future={"a": 1})
    with machine.log.path().open("a") as file:
        for number, more in enumerate(({"new": [1]}, {"event": "dance"}, {"result": "half"}, {"schema": 2}), 1):
            file.write(json.dumps(line | {"seq": newest.seq + number} | more) + "\n")
        file.write("\n")
    yield QUARTER
    machine.ask("zsh")


def full_log(machine: Machine) -> Steps:
    """Another profile has filled the log, so that the next events begin a new file."""
    machine.ask()
    line = machine.log.path().read_bytes().splitlines()[-1]
    event = json.loads(line) | {"profile": "robot", "session": "f" * 16, "boot_id": "robot", "lifetime": 60}
    now, size, lines = machine.clock.now(), machine.log.path().stat().st_size, list[bytes]()
    count = (LARGEST - size) // (len(line) + 12)
    for number in range(1, count):
        later = {"seq": event["seq"] + number, "at": now - (count - number) * 31, "uptime": number * 31.0}
        lines.append(json.dumps(event | later, separators=(",", ":")).encode() + b"\n")
    lines.append(b" " * (LARGEST - size - sum(map(len, lines)) - 1000) + b"\n")
    with machine.log.path().open("ab") as file:
        file.writelines(lines)
    yield from work(machine, 1.5)


ORDINARY: tuple[Happening, ...] = (
    *(work, night, night_of_a_virtual_machine, nights_of_a_virtual_machine_that_is_put_right_at_once, reboot),
    *(
        boot_with_a_slow_clock,
        boot_with_local_time,
        time_servers,
        drift,
        offline,
        short_outage,
        long_outage,
        restart,
        lost_answer,
    ),
    *(lost_for_good, killed_with_the_request, killed_before_the_event, killed_before_the_copy, killed_login, by_hand),
    *(narrower, refused_by_an_api, locked_keyring, weak_keyring, older_keyring, older_keyring_of_another_login),
    *(restored_home, slow_server, another_login, sign_out_and_in, forget_and_login, password_change, holiday),
    *(long_weekend, longest_life, moved_endpoint, new_key, migration, killed_migration, upgrade),
)
"""All but `full_log`, which takes a second."""
assert IDLE < 14 * DAY
