"""The fast way: when a copy is fresh, and who can read the key."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.paths import ROOT
from tests.support.real_parts import Missing, available
from tests.support.sessions import session
from tokenctl import fast_path
from tokenctl.config import environment, variables
from tokenctl.handoff.environment import OWN
from tokenctl.model.profile import Profile


def test_it_knows_the_variables_of_the_ordinary_way() -> None:
    """Each variable of a CI system, each of a child, and no other of tokenctl's settings is known here."""
    assert all(set(names) & set(fast_path.JOBS) for names in environment.JOBS)
    assert set(fast_path.REMOVED) == set(OWN)
    assert set(fast_path.NAMED) <= {*variables.NAMES}


@given(st.sampled_from(sorted(variables.NAMES)), st.text(max_size=5))
def test_any_other_variable_leaves_it_to_the_ordinary_way(name: str, value: str) -> None:
    """A variable that says more than a name or a path leaves the answer to the ordinary way."""
    if name not in fast_path.NAMED:
        assert fast_path.question("", {"HOME": "/root", name: value}) is None


@pytest.mark.parametrize(
    "environ", [{}, {"HOME": ""}, {"HOME": "here"}, {"HOME": "/nonexistent"}, {"XDG_CONFIG_HOME": "here"}]
)
def test_a_config_file_that_is_not_found_here_leaves_it_to_the_ordinary_way(environ: dict[str, str]) -> None:
    """Where the ordinary way asks the user database for the home directory, or finds no config file, there is no copy."""
    assert fast_path.question("", environ) is None


times = st.integers(0, 1000)


@given(obtained=times, life=times, now=times, uptime=times, booted=st.none() | times, boot=st.booleans(), min_ttl=times)
def test_a_copy_is_fresh_when_the_session_is(
    obtained: int, life: int, now: int, uptime: int, booted: int | None, boot: bool, min_ttl: int
) -> None:
    """A copy is fresh exactly when the ordinary way calls its session fresh, by two clocks that go as they like."""
    kept = replace(
        session(1),
        obtained_at=obtained,
        expires_at=obtained + life,
        boot_id="this",
        booted_at_ms=None if booted is None else booted * 1000,
    )
    boot_id = "this" if boot else "another"
    at = kept.time(now, boot_id, uptime * 1000)
    copy = fast_path.copy_of(Profile(name="t"), kept, min_ttl, boot_id) or {}
    left = kept.remaining(at)
    expected = at if kept.fresh(at, min_ttl) and left else None
    assert fast_path.fresh_at(copy, now, uptime * 1000) == expected


# -- the kernel's keyring, in processes of their own ---------------------------------------------------------

KEEP = """
import os, sys, time
from tokenctl import fast_path
fast_path._question = ("tokenctl:1|test|" + sys.argv[1], fast_path.see(sys.argv[1]))
now = int(time.time())
copy = dict(token="AT-in-the-kernel", token_type="Bearer", scope="null", profile="t", obtained_at=str(now - 1),
            expires_at=str(now + int(sys.argv[2])), fresh_until=str(now + int(sys.argv[2])), booted_at="", exec="yes",
            variable="ACCESS_TOKEN")
fast_path.keep(copy, fast_path.begin(os.path.dirname(sys.argv[1])), [sys.argv[1]])
"""
FIND = """
import sys
from tokenctl import fast_path
print((fast_path._open().find("tokenctl:1|test|" + sys.argv[1]) or {}).get("token", "none"))
"""


def run(source: str, *words: str) -> str:
    """Run Python in a process of its own and return what it prints."""
    done = subprocess.run([sys.executable, "-c", source, *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """A file that a copy depends on, in a kernel that keeps copies; all copies are dropped in the end."""
    with available():
        if fast_path._open() is None:
            raise Missing("no kernel keyring that this process may use")
    path = tmp_path / "file"
    path.write_text("as it was")
    older = time.time() - 10
    os.utime(path, (older, older))
    time.sleep(2 * fast_path.TICK / 1e9)
    yield path
    fast_path.drop("t", [str(tmp_path)])


def listed(path: Path) -> list[str]:
    """The lines of the kernel's list of keys that are of this test. `i` marks a key that is being removed."""
    lines = Path("/proc/keys").read_text().splitlines()
    return [line for line in lines if f"tokenctl:1|test|{path}" in line and "i" not in line.split()[1]]


@pytest.mark.slow
def test_another_process_finds_a_copy(file: Path) -> None:
    """A copy that one process leaves is found by another one, with the rights of its owner alone, and ends in time."""
    run(KEEP, str(file), "500")
    assert run(FIND, str(file)) == "AT-in-the-kernel"
    (line,) = listed(file)
    ends, rights = line.split()[3:5]
    assert rights == "003b0000"
    assert ends in ("8m", "7m")


@pytest.mark.slow
def test_a_change_of_a_file_removes_the_copy(file: Path) -> None:
    """A copy is not used, and is removed, when a file that it depends on has changed."""
    run(KEEP, str(file), "500")
    file.write_text("other")
    assert run(FIND, str(file)) == "none"
    assert not listed(file)


@pytest.mark.slow
def test_the_kernel_ends_a_copy(file: Path) -> None:
    """A copy is gone when its token expires, whoever asks."""
    run(KEEP, str(file), "2")
    time.sleep(3)
    assert run(FIND, str(file)) == "none"


@pytest.mark.slow
def test_a_file_that_changed_just_now_leaves_no_copy(file: Path) -> None:
    """A file could change once more without another time of change, so a copy waits for the next process."""
    os.utime(file, (time.time() + 1000, time.time() + 1000))  # so that it is still recent on a busy machine
    run(KEEP, str(file), "500")
    assert not listed(file)


SHARE = """
import ctypes, os, sys
from tokenctl import fast_path
kernel = fast_path._open()
users = kernel._call(0, -4, 1)  # the number of this user's keyring
kernel._call(1, None)  # a new session keyring
kernel._call(8, -4, -3)  # it holds this user's keyring, as that of a login does
seen = fast_path.see(sys.argv[1])
os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)  # as sudo does, which leaves the session keyring
"""
READ = """
number = ctypes.c_int(int(sys.argv[2], 16))
for operation in (11, 6, 21, 3):  # read, describe, invalidate, revoke
    print(kernel._call(operation, number, ctypes.create_string_buffer(4096), 4096), end=" ")
print(len(kernel._text(11, users)) > 0)  # it may look into the keyring itself
"""
PLANT = """
fast_path._OF_USER, fast_path._RIGHTS = users, 0x3F3F3F3F
copy = "token=of-another-user\\nobtained_at=0\\nfresh_until=9999999999\\nbooted_at="
kernel.add("tokenctl:1|test|" + sys.argv[1], copy + "\\n\\n" + seen, 500)
key = kernel._call(10, users, b"user", b"tokenctl:1|test|" + sys.argv[1].encode(), 0)
print(kernel._text(6, key).decode())
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root can become another user")
def test_another_user_cannot_read_a_copy(file: Path) -> None:
    """Another user cannot do anything with the key, not even a process that shares the session keyring, as with sudo."""
    run(KEEP, str(file), "500")
    (line,) = listed(file)
    assert run(SHARE + READ, str(file), line.split()[0]) == "-1 -1 -1 -1 True"
    assert run(FIND, str(file)) == "AT-in-the-kernel"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root can become another user")
def test_a_copy_of_another_user_is_ignored(file: Path) -> None:
    """A key that another user put into this user's keyring is never given away, although its name is right."""
    assert run(SHARE + PLANT, str(file)).startswith("user;65534;65534;3f3f3f3f;tokenctl:1|test|")
    assert run(FIND, str(file)) == "none"


def test_json_is_what_the_json_module_writes() -> None:
    """The fast way writes JSON without the module, and as the module does."""
    copy = {
        "token": "a.b-c",
        "token_type": "Bearer",
        "scope": json.dumps('a "b" é'),
        "profile": "t",
        "expires_at": "900",
    }
    assert json.dumps(json.loads(fast_path.text("json", copy, 100))) == fast_path.text("json", copy, 100)


# -- the rules of keeping, with a kernel that only records -------------------------------------------------------


class Recorded(fast_path.Kernel):
    """Stands in for the kernel: records what is added and removed, and changes a file at the moment of adding."""

    def __init__(self, changes: Path | None = None) -> None:
        self.changes = changes
        self.added: list[str] = []
        self.removed: list[str] = []

    def add(self, name: str, text: str, seconds: int) -> None:
        self.added.append(text)
        if self.changes is not None:
            self.changes.write_text("another size")

    def remove(self, name: str) -> None:
        self.removed.append(name)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file that did not change a moment ago."""
    path = tmp_path / "file"
    path.write_text("as it was")
    time.sleep(2 * fast_path.TICK / 1e9)
    return path


def left(kernel: Recorded, seen: str, **members: str) -> Recorded:
    """Leave a copy; `members` replaces some of it."""
    copy = {"token": "AT", "token_type": "Bearer", "scope": "null", "expires_at": str(int(time.time()) + 500)} | members
    fast_path.leave(kernel, "tokenctl:1|test", copy, [seen])
    return kernel


def test_a_copy_that_was_overtaken_by_a_change_is_removed(old: Path) -> None:
    """Whoever changed a file while the copy was made has dropped the copies too early, so this process removes it."""
    assert not left(Recorded(), fast_path.see(str(old))).removed
    overtaken = left(Recorded(old), fast_path.see(str(old)))
    assert overtaken.added
    assert overtaken.removed == ["tokenctl:1|test"]


def test_no_copy_is_left_when_something_changed_since_it_was_read(old: Path) -> None:
    """The copy would look like the newest session."""
    before = fast_path.see(str(old))
    old.write_text("another size")
    assert not left(Recorded(), before).added


@pytest.mark.parametrize("token", ['a"b', "a\\b", "aéb", "a\nb"])
def test_a_token_that_json_would_escape_has_no_copy(old: Path, token: str) -> None:
    """The fast way writes JSON by itself, so it leaves every text that would have to be escaped."""
    for members in ({"token": token}, {"token_type": token}):
        assert not left(Recorded(), fast_path.see(str(old)), **members).added


def test_a_token_that_has_expired_has_no_copy(old: Path) -> None:
    """The kernel would keep a key without an end."""
    assert not left(Recorded(), fast_path.see(str(old)), expires_at=str(int(time.time()))).added


@given(st.integers(0, 10**19))
def test_times_in_whole_seconds_are_of_a_coarse_file_system(now: int) -> None:
    """A file system that keeps whole seconds hides a second change for longer."""
    line = f"1:2:3:4:5:{now}:{now} /f"
    age = time.time_ns() - now
    assert fast_path.is_recent([line]) is (age < (fast_path.TICK if now % 10**9 else fast_path.COARSE_TICK))
    assert not fast_path.is_recent(["- /absent"])


def test_a_time_of_whole_seconds_is_recent_for_longer() -> None:
    """One second ago may be the same second."""
    now = int(time.time())
    assert fast_path.is_recent([f"1:2:3:4:5:{(now - 1) * 10**9}:1 /f"])
    assert not fast_path.is_recent([f"1:2:3:4:5:{(now - 1) * 10**9 - 1}:1 /f"])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the fast way")
def test_who_asks_is_part_of_the_question(old: Path) -> None:
    """The names of the namespaces, the user and the profile, and nothing that is not clear."""
    environ = {"TOKENCTL_CONFIG": str(old)}
    (name, seen) = fast_path.question("work", environ) or ("", "")
    assert seen == fast_path.see(str(old))
    for kind in ("user", "mnt"):
        assert f"|{os.stat(f'/proc/self/ns/{kind}').st_ino}|" in name
    assert name.startswith(f"tokenctl:2|{os.getuid()}|")
    assert fast_path.question("", environ | {"TOKENCTL_PROFILE": "work"}) == (name, seen)
    assert (fast_path.question("", environ) or ("",))[0] not in ("", name)
    for other in ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "TOKENCTL_STATE_DIR"):
        assert (fast_path.question("work", environ | {other: "/x"}) or ("",))[0] not in ("", name)
    # With it there can be a copy that the profile's `cache = false` forbids to everybody else.
    assert (fast_path.question("work", environ | {"TOKENCTL_CACHE": "1"}) or ("",))[0] not in ("", name)
    for value in ("a|b", "$PROFILE", "%PROFILE%", "a\x1bb", ""):
        assert fast_path.question("", {**environ, "TOKENCTL_PROFILE": value}) is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the fast way")
def test_a_config_file_that_changed_just_now_leaves_it_to_the_ordinary_way(tmp_path: Path) -> None:
    """It may change once more in the same moment."""
    path = tmp_path / "config.toml"
    path.write_text("")
    os.utime(path, (time.time() + 1000, time.time() + 1000))  # so that it is still recent on a busy machine
    assert fast_path.question("", {"TOKENCTL_CONFIG": str(path)}) is None


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root can become another user")
def test_a_program_with_the_rights_of_another_user_has_no_copy() -> None:
    """A set-user-ID program asks for another user than the one whose keyring it has."""
    source = """
import os, sys
from tokenctl import fast_path
environ = {"TOKENCTL_CONFIG": sys.argv[1]}
before = fast_path.question("", environ)
os.seteuid(65534)
print(before is not None, fast_path.question("", environ))
"""
    assert run(source, "/etc/passwd") == "True None"  # a file that both users can look at


@pytest.mark.parametrize(
    ("members", "kept"),
    [
        ({}, {"exec": "yes", "variable": "ACCESS_TOKEN", "booted_at": "5"}),
        ({"env": "API_TOKEN"}, {"exec": "yes", "variable": "API_TOKEN"}),
        ({"env": "AUTH=Bearer {access_token}"}, {"exec": "yes", "variable": ""}),
        ({"source_variable": "MINE"}, {"exec": ""}),
        ({"renewal_ends_access_token": True}, {"exec": ""}),
        ({"flow": "client-credentials"}, None),
        ({"cache": False}, None),
    ],
)
def test_what_a_copy_says_of_its_profile(members: dict[str, object], kept: dict[str, str] | None) -> None:
    """What `exec` does with it; no copy for a machine's profile, or where the cache is off."""
    profile = Profile(name="t", **members)  # type: ignore[arg-type]
    found = fast_path.copy_of(profile, session(1, boot_id="b", booted_at_ms=5), 60, "b")
    assert (found is None) is (kept is None)
    assert (kept or {}).items() <= (found or {}).items()


def test_a_session_without_an_end_or_of_another_boot() -> None:
    """A token that nobody knows the end of has no copy; the uptime of another boot says nothing."""
    assert fast_path.copy_of(Profile(name="t"), session(1, expires_at=None), 60, "b") is None
    found = fast_path.copy_of(Profile(name="t"), session(1, boot_id="a", booted_at_ms=5), 60, "b")
    assert found is not None and found["booted_at"] == ""


class Answering(fast_path.Kernel):
    """Stands in for the kernel: it has one key, which it describes as it was told."""

    def __init__(self, described: str, text: str) -> None:
        self.answers = {6: f"{described}\0".encode(), 11: text.encode()}

    def _call(self, *arguments: object) -> int:
        return 7

    def _text(self, operation: int, key: int, size: int = 0) -> bytes:
        return self.answers[operation]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no user ids")
@pytest.mark.parametrize(
    ("kind", "other", "rights", "found"),
    [
        ("user", 0, "003b0000", True),
        ("user", 1, "003b0000", False),
        ("user", 0, "3f3f3f3f", False),
        ("logon", 0, "003b0000", False),
    ],
)
def test_the_kind_the_owner_and_the_rights_of_a_key_each_count(
    old: Path, kind: str, other: int, rights: str, found: bool
) -> None:
    """A key that differs in one of them alone is not a copy of this user's own."""
    described = f"{kind};{os.getuid() + other};0;{rights};tokenctl:1|test"
    kernel = Answering(described, f"token=AT\n\n{fast_path.see(str(old))}")
    assert (kernel.find("tokenctl:1|test") is not None) is found


MANY = """
import os, time
from tokenctl import fast_path
kernel = fast_path._open()
os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
copy = "token=" + "x" * 1500 + "\\nprofile=t\\n\\n- /f"
for number in range(20):
    kernel.add(f"tokenctl:1|quota {number}", copy, 60)
    time.sleep(0.1)  # the kernel frees the room of a removed key a moment later
sizes = [len(text) for _, text in kernel._own()]
print(8_000 < sum(sizes) <= 10_000, kernel.find("tokenctl:1|quota 19") is not None)
kernel.drop("other", ["/f"]); print(len(sizes) == len(list(kernel._own())), end=" ")
kernel.drop("t", ["/g"]); print(len(sizes) == len(list(kernel._own())), end=" ")
kernel.drop("t", ["/g", "/f"]); print(len(list(kernel._own())))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root can become another user")
def test_copies_leave_room_for_the_keys_of_others(file: Path) -> None:
    """The copies of a user have half of the room for keys, and use it; only those of the profile and the place are dropped."""
    assert run(MANY).splitlines() == ["True True", "True True 0"]
