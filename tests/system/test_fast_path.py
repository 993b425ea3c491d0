"""The fast way beside the ordinary way, in the world: the same bytes and the same status, or no answer at all."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.servers.faulty_server import FaultyServer
from tests.servers.secret_service import SecretService
from tests.support.aging import age_in
from tests.support.commandline import LONG, Home, Result
from tests.support.paths import ROOT
from tests.support.real_parts import Missing, available, program
from tokenctl import fast_path
from tokenctl.storage.state_dir import DUE

SHIFTED_CLOCKS = str(ROOT / "tests" / "support" / "shifted_clocks")
FORMS = (
    ("token",),
    ("token", "-p", "t", "--format", "header"),
    ("--profile=t", "token", "--format=json"),
    ("exec", "--", "env"),
    ("exec", "-p", "t", "--env", "GITHUB_TOKEN", "--", "env"),
    ("exec", "--", "sh", "-c", "ulimit -c; grep -E 'Sig(Blk|Ign)' /proc/self/status; exit 7"),
)
OFF = {"TOKENCTL_CACHE": "0"}


@dataclass
class Scene:
    """A HOME that is signed in, in a real keyring and with a kernel that keeps copies."""

    home: Home
    service: SecretService
    server: FaultyServer

    def run(self, *words: str, environ: Mapping[str, str | None] = {}, prefix: Sequence[str] = ()) -> Result:
        """Run a command; a variable that is None is taken out of its environment."""
        whole = {**self.home.environ, **environ}
        done = subprocess.run(
            [*prefix, sys.executable, "-P", "-m", "tokenctl", *words],
            env={name: value for name, value in whole.items() if value is not None},
            cwd=self.home.folder,
            capture_output=True,
            text=True,
            errors="replace",  # of a test that asks for UTF-16
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=LONG,
        )
        return Result(status=done.returncode, stdout=done.stdout, stderr=done.stderr)

    def run_watched(self, *words: str) -> None:
        """Run a command whose stderr is a terminal."""
        controller, terminal = os.openpty()
        try:
            command = [sys.executable, "-P", "-m", "tokenctl", *words]
            null = subprocess.DEVNULL
            subprocess.run(
                command, env=self.home.environ, check=True, stdin=null, stdout=null, stderr=terminal, timeout=LONG
            )
        finally:
            os.close(terminal)
            os.close(controller)

    def loaded(self, *words: str, environ: Mapping[str, str | None] = {}, prefix: Sequence[str] = ()) -> set[str]:
        """Tell which modules a command loads after those that look for a copy."""
        said = self.run(*words, environ={"PYTHONPROFILEIMPORTTIME": "1", **environ}, prefix=prefix).stderr
        before, _, after = said.partition("| tokenctl.cli.plain\n")
        assert "tokenctl.fast_path" in before
        return set(re.findall(r"^import time:.*\| +(\S+)$", after, re.MULTILINE))

    def is_fast(self, *words: str, environ: Mapping[str, str | None] = {}, prefix: Sequence[str] = ()) -> bool:
        """Tell whether the command is answered before the ordinary way is loaded."""
        return "tokenctl.cli.main" not in self.loaded(*words, environ=environ, prefix=prefix)

    def settle(self, *words: str) -> None:
        """Let the files' last change be long enough ago, and a copy be left for a command line."""
        time.sleep(2 * fast_path.TICK / 1e9)
        self.run(*words or ("token",))

    @property
    def keys(self) -> list[str]:
        """The copies of this HOME in the kernel's list of keys; `i` marks one that is being removed."""
        lines = Path("/proc/keys").read_text().splitlines()
        own = f"|{self.home.config}|"
        return [each for each in lines if "tokenctl:2" in each and own in each and "i" not in each.split()[1]]


@pytest.fixture
def scene(tmp_path: Path, secret_service: SecretService, demo_server: FaultyServer) -> Iterator[Scene]:
    """A HOME that is signed in, and whose next `token` is fast."""
    with available():
        if fast_path._open() is None:
            raise Missing("no kernel keyring that this process may use")
    home = Home(tmp_path / "home", secret_service.environ, store="keyring")
    assert home.login(demo_server.issuer).status == 0
    found = Scene(home, secret_service, demo_server)
    found.settle()
    yield found
    fast_path.drop("t", [str(state(found) / "t")])


@pytest.mark.parametrize("words", FORMS, ids=" ".join)
def test_each_form_is_fast_and_the_same(scene: Scene, words: tuple[str, ...]) -> None:
    """Each common command line is answered by the fast way, with the bytes and the status of the ordinary way."""
    scene.settle(*words)
    assert scene.is_fast(*words)
    assert without_life(scene.run(*words)) == without_life(scene.run(*words, environ=OFF))


@pytest.mark.parametrize("words", [("token",), ("exec", "--", "true")], ids=" ".join)
def test_an_anomaly_that_nobody_was_told_of_slows_no_job_down(scene: Scene, words: tuple[str, ...]) -> None:
    """A command that nobody watches is fast all the same. One at a terminal goes the ordinary way, and looks for it."""
    mark = state(scene) / DUE
    mark.touch(mode=0o600)
    scene.settle(*words)
    assert scene.is_fast(*words) and mark.exists()
    scene.run_watched(*words)
    assert not mark.exists()
    scene.settle(*words)
    assert scene.is_fast(*words)


def test_the_doctor_knows_that_a_copy_answers(scene: Scene) -> None:
    """`token` gives the copy away while the keyring is locked; the doctor ends with the same status, and warns."""
    scene.service.lock()
    assert (scene.run("token").status, scene.run("token", environ=OFF).status) == (0, 3)
    found = scene.run("doctor", "--offline")
    assert found.status == 0 and "\nwarning: keyring: " in found.stdout and "locked" in found.stdout
    assert scene.run("doctor", "--offline", environ=OFF).status == 3
    assert scene.is_fast("token")  # the doctor has changed nothing


def test_it_loads_next_to_nothing(scene: Scene) -> None:
    """The fast way loads ctypes, for a child also the numbers of the signals, and nothing else."""
    kernel = {"ctypes", "ctypes._endian", "_ctypes", "struct", "_struct"}
    assert scene.loaded("token") <= kernel
    more = scene.loaded("exec", "--", "true") - kernel
    assert not {each.partition(".")[0] for each in more} - {
        *("signal", "enum", "types", "operator", "_operator", "functools", "_functools", "collections", "_collections"),
        *("itertools", "keyword", "reprlib", "_collections_abc", "builtins"),
    }


def without_life(result: Result) -> Result:
    """Take out what differs from second to second, and the variable that turns the fast way off."""
    stdout = re.sub(r'"expires_in": \d+|TOKENCTL_CACHE=0\n|SHIFTED_CLOCKS=.*\n', "", result.stdout)
    return Result(status=result.status, stdout="\n".join(sorted(stdout.split("\n"))), stderr=result.stderr)


def test_a_keyring_that_is_locked_is_asked_when_the_token_ends(scene: Scene) -> None:
    """What is not compared: a keyring that is locked meanwhile is noticed when the access token ends."""
    scene.service.lock()
    assert scene.is_fast("token")
    assert scene.run("token", environ=OFF).status == 3
    assert scene.run("token", environ={"PYTHONPATH": SHIFTED_CLOCKS, "WALL_SHIFT": "10000"}).status == 3


def config(scene: Scene, change: Callable[[str], str]) -> None:
    scene.home.write_config(change(scene.home.config.read_text()))


def touch(scene: Scene, pattern: str) -> None:
    (path,) = Path(scene.home.environ["TOKENCTL_STATE_DIR"]).glob(pattern)
    os.utime(path)


CHANGES: dict[str, Callable[[Scene], object]] = {
    "the config file is written again": lambda scene: config(scene, lambda text: text),
    "the default profile is another one": lambda scene: config(
        scene, lambda text: text.replace("[profiles.t]", '[profiles.u]\nissuer = "https://u"\n[profiles.t]')
    ),
    "min_ttl is longer": lambda scene: config(scene, lambda text: text + 'min_ttl = "449s"\n'),
    "the cache is off": lambda scene: config(scene, lambda text: text + "cache = false\n"),
    "the config file is not TOML": lambda scene: config(scene, lambda text: text + "="),
    "the config file is gone": lambda scene: scene.home.config.unlink(),
    "the redo log is touched": lambda scene: touch(scene, "t/redo.*"),
    "the store choice is touched": lambda scene: touch(scene, "t/store.*"),
    "the redo log is open to others": lambda scene: chmod(scene, "t/redo.*", 0o644),
    "the store choice is open to others": lambda scene: chmod(scene, "t/store.*", 0o644),
    "the profile's folder is open to others": lambda scene: chmod(scene, "t", 0o777),
    "the state directory is open to others": lambda scene: chmod(scene, "", 0o777),
    "the redo log is gone": lambda scene: next(state(scene).glob("t/redo.*")).unlink(),
    "the folder is a copy": lambda scene: copied(state(scene) / "t"),
    "the state directory is gone": lambda scene: state(scene).rename(state(scene).with_name("moved")),
    "revoke": lambda scene: scene.run("revoke"),
    "revoke under another state directory": lambda scene: scene.run(
        "revoke", environ={"TOKENCTL_STATE_DIR": str(scene.home.folder / "other")}
    ),
    "revoke --local": lambda scene: scene.run("revoke", "--local"),
    "refresh": lambda scene: scene.run("refresh"),
    "login": lambda scene: scene.home.login(scene.server.issuer),
    "store migrate": lambda scene: scene.run(
        "store", "migrate", "--to", "file", environ={"TOKENCTL_PASSPHRASE_FILE": str(scene.home.folder / "passphrase")}
    ),
    "the keyring's bus has gone": lambda scene: Path(bus(scene)).rename(bus(scene) + ".moved"),
    "the keyring's bus is another one": lambda scene: scene.home.environ.update(
        DBUS_SESSION_BUS_ADDRESS="unix:path=/no"
    ),
}


def bus(scene: Scene) -> str:
    return scene.home.environ["DBUS_SESSION_BUS_ADDRESS"].partition("path=")[2].partition(",")[0]


def state(scene: Scene) -> Path:
    return Path(scene.home.environ["TOKENCTL_STATE_DIR"])


def chmod(scene: Scene, pattern: str, mode: int) -> None:
    path = state(scene) if not pattern else next(state(scene).glob(pattern))
    path.chmod(mode)


def copied(folder: Path) -> None:
    subprocess.run(["cp", "-a", str(folder), f"{folder}.copy"], check=True)
    folder.rename(folder.with_name("moved"))
    folder.with_name(f"{folder.name}.copy").rename(folder)


@pytest.mark.parametrize("change", CHANGES)
def test_after_a_change_the_ordinary_way_answers(scene: Scene, change: str) -> None:
    """After anything that can change the answer, the copy is gone or of no use, and both ways say the same."""
    CHANGES[change](scene)
    assert not scene.is_fast("token") or change in ("refresh", "login")
    fast, ordinary = scene.run("token"), scene.run("token", environ=OFF)
    assert (fast.status, fast.stdout) == (ordinary.status, ordinary.stdout)


OF_THE_SESSION = [
    "revoke",
    "revoke --local",
    "revoke under another state directory",
    "refresh",
    "login",
    "store migrate",
]


@pytest.mark.parametrize("change", OF_THE_SESSION)
def test_a_change_of_the_session_removes_the_copy(scene: Scene, change: str) -> None:
    """Whatever changes the session removes the copies from the kernel, and does not only stop using them."""
    assert scene.keys
    CHANGES[change](scene)
    assert not scene.keys


def test_a_renewal_removes_the_copy(scene: Scene) -> None:
    """A renewal that `token` makes removes the copy of the older token, and so does one that the server refuses."""
    age_in(scene.service)
    assert scene.run("token", "--min-ttl", "1").status == 0
    assert not scene.keys
    scene.settle()
    assert scene.keys
    scene.server.kill_session()
    assert scene.run("refresh").status == 4
    assert not scene.keys


def test_a_profile_without_the_cache_leaves_no_copy(scene: Scene) -> None:
    """With `cache = false` no copy is left, and one from the time before is removed, whatever name it was asked by."""
    scene.settle("token", "-p", "t")
    config(scene, lambda text: text + "cache = false\n")
    scene.settle()
    assert not scene.keys


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ('env = "AUTH=Bearer {access_token}"', ("exec", "--", "env")),
        ('source_variable = "MINE"', ("exec", "--", "env")),
        ("renewal_ends_access_token = true", ("exec", "--", "env")),
    ],
)
def test_a_child_that_needs_more_is_left_to_the_ordinary_way(
    scene: Scene, members: str, words: tuple[str, ...]
) -> None:
    """A template, a variable to remove, and a warning for the person are the ordinary way's; `token` is fast all the same."""
    config(scene, lambda text: text + members + "\n")
    scene.settle()
    assert scene.is_fast("token")
    assert not scene.is_fast(*words, environ={"MINE": "x"})
    assert scene.is_fast("exec", "--env", "NAME", "--", "true") is members.startswith("env")


@pytest.mark.parametrize("address", ["unix:abstract=/none;unix:path={}", "unix:path={}%00,guid=0;unix:path={}"])
def test_a_bus_that_has_no_file_leaves_no_copy(scene: Scene, address: str) -> None:
    """A socket without a file cannot be looked at, so there is no copy, and the ordinary way answers as ever."""
    environ = {"DBUS_SESSION_BUS_ADDRESS": address.format(bus(scene), bus(scene))}
    for _ in range(2):
        assert scene.run("token", environ=environ).status == scene.run("token", environ={**environ, **OFF}).status
    assert not scene.is_fast("token", environ=environ)


@pytest.mark.parametrize("text", [b"\xff\xfe", b"token=x\n\n", b"", b"no copy"])
def test_a_key_that_is_no_copy_disturbs_nothing(scene: Scene, text: bytes) -> None:
    """A key of this user with the right name and any other text is ignored, and hinders no command."""
    (line,) = scene.keys
    name = (lambda found: found[0])([each for each in names() if f"|{scene.home.config}|" in each])
    assert line.split()[0]
    kernel: Any = fast_path._open()
    kernel.remove(name)
    seen = fast_path.see(str(scene.home.config)).encode()
    planted = text + seen if text.endswith(b"\n") else text
    add = kernel._libc.syscall
    key = add(kernel._add_key, b"user", name.encode(), planted or b" ", len(planted or b" "), -4)
    kernel._call(5, key, fast_path._RIGHTS)
    for words in (("token",), ("exec", "--", "true"), ("refresh",), ("token",), ("revoke",)):
        assert scene.run(*words).status == 0


def names() -> list[str]:
    """The names of all copies of this user."""
    kernel: Any = fast_path._open()
    return [kernel._name(key).decode() for key, _ in kernel._own()]


VARIABLES: dict[str, Sequence[str | None]] = {
    "TOKENCTL_PROFILE": ("t", "u", "", "$PROFILE"),
    "TOKENCTL_CONFIG": ("/dev/null/no", "", "relative"),
    "TOKENCTL_STATE_DIR": ("/dev/null/state", "", "relative", None),
    "TOKENCTL_ISSUER": ("https://another.example", ""),
    "TOKENCTL_CLIENT_ID": ("another", ""),
    "TOKENCTL_CLIENT_SECRET": ("secret", ""),
    "TOKENCTL_API_KEY": ("key",),
    "TOKENCTL_ID_TOKEN": ("a.b.c",),
    "TOKENCTL_SCOPE": ("openid offline_access", ""),
    "TOKENCTL_MIN_TTL": ("5m", "soon"),
    "TOKENCTL_STORE": ("file", "keyring", ""),
    "TOKENCTL_CACHE": ("1", "true", "false", "", "maybe"),
    "TOKENCTL_PRFILE": ("t",),
    "tokenctl_api_key": ("secret",),
    "CI": ("true", ""),
    "GITHUB_ACTIONS": ("true",),
    "JENKINS_URL": ("https://j",),
    "HOME": ("/dev/null", None),
    "XDG_CONFIG_HOME": ("/dev/null", "relative"),
    "DBUS_SESSION_BUS_ADDRESS": ("unix:path=/nonexistent", None),
    "PATH": ("", "relative"),
    "ACCESS_TOKEN": ("outer",),
    "PYTHONIOENCODING": ("utf-16", "ascii"),
    "WALL_SHIFT": ("-100000", "-5", "300", "850", "100000"),
    "BOOT_SHIFT": ("300", "870", "100000", "-100000"),
}


@pytest.fixture(scope="module")
def lasting_scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One scene for all examples: what they change is their own environment."""
    with available(), SecretService() as service, FaultyServer(auto_approve=True) as server:
        if fast_path._open() is None:
            raise Missing("no kernel keyring that this process may use")
        home = Home(tmp_path_factory.mktemp("fast") / "home", service.environ, store="keyring")
        assert home.login(server.issuer).status == 0
        home.environ["PYTHONPATH"] = SHIFTED_CLOCKS
        found = Scene(home, service, server)
        found.settle()
        yield found
        fast_path.drop("t", [str(state(found) / "t")])


environments = st.dictionaries(st.sampled_from(sorted(VARIABLES)), st.integers(0, 9), max_size=2)


@pytest.mark.slow
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.sampled_from(FORMS), chosen=environments)
def test_in_any_environment_both_ways_say_the_same(
    lasting_scene: Scene, words: tuple[str, ...], chosen: dict[str, int]
) -> None:
    """Whatever variable is set and whatever the clocks say, the fast way gives the ordinary way's answer, or none."""
    environ = {name: VARIABLES[name][number % len(VARIABLES[name])] for name, number in chosen.items()}
    lasting_scene.settle(*words)
    if not lasting_scene.is_fast(*words, environ=environ):
        return  # then it was the ordinary way that answered
    fast = lasting_scene.run(*words, environ=environ)
    assert without_life(fast) == without_life(lasting_scene.run(*words, environ=environ | OFF))
    assert fast.status == (7 if "sh" in words else 0)


def test_a_job_never_gets_the_copy_of_a_person(scene: Scene) -> None:
    """In a job of a CI system the copy of a person's token is not looked at."""
    assert scene.run("token", environ={"CI": "true"}).status == 2
    assert not scene.is_fast("token", "-p", "t", environ={"GITHUB_ACTIONS": "true"})


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has namespaces")
@pytest.mark.parametrize("kind", ["--mount", "--map-root-user"])
def test_another_namespace_has_no_copy(scene: Scene, kind: str) -> None:
    """A container, which has namespaces of its own, does not get the copy of its host."""
    with available():
        unshare = program("unshare")
    if subprocess.run([unshare, kind, "true"], check=False, capture_output=True).returncode:
        with available():
            raise Missing(f"a kernel that allows unshare {kind}")
    assert not scene.is_fast("token", prefix=(unshare, kind))
    assert scene.run("token", prefix=(unshare, kind)) == scene.run("token")


FILTER = """
import ctypes, os, struct, sys
numbers, effect = {"x86_64": (248, 249, 250), "aarch64": (217, 218, 219)}[os.uname().machine], int(sys.argv[1], 0)
code = struct.pack("HBBI", 0x20, 0, 0, 0)  # load the number of the system call
for number in numbers:
    code += struct.pack("HBBI", 0x15, 0, 1, number) + struct.pack("HBBI", 0x06, 0, 0, effect)
code += struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000)  # allow
libc, text = ctypes.CDLL(None), ctypes.create_string_buffer(code)
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(text)))
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has seccomp")
@pytest.mark.parametrize("effect", ["0x80000000", "0x00050001", "0x00050026"], ids=["kill", "EPERM", "ENOSYS"])
def test_where_keyctl_is_forbidden_nothing_else_changes(scene: Scene, effect: str) -> None:
    """Where a filter refuses keyctl, or kills who calls it, as in a container, all commands work as without the fast way."""
    prefix = (sys.executable, "-c", FILTER, effect)
    for words in (("token",), ("exec", "--", "true"), ("refresh",), ("token",), ("revoke",)):
        assert scene.run(*words, prefix=prefix).status == 0


ALLOWED = re.compile(
    r"/proc/self/ns/(user|mnt)|.*/(site-packages|lib-dynload|python3\.\d+)(/.*)?|/etc/ld\.so\.cache|.*\.so(\.\d+)*"
)


@pytest.mark.skipif(sys.platform != "linux", reason="strace is Linux's")
def test_it_looks_at_no_other_file(scene: Scene, tmp_path: Path) -> None:
    """The fast way opens no file and no socket, and looks at the files that the page `security` names, and no other."""
    with available():
        strace = program("strace")
    log = tmp_path / "strace.txt"
    prefix = (strace, "-f", "-e", "trace=%file,%network,openat,keyctl,add_key,prctl", "-o", str(log))
    assert scene.run("token", prefix=prefix).status == 0
    lines = log.read_text().splitlines()
    begun = max(number for number, line in enumerate(lines) if "cli/__pycache__/plain" in line)
    seen = {path for line in lines[begun + 1 :] for path in re.findall(r'"([^"]*)"', line) if path.startswith("/")}
    folder = state(scene)
    named = {str(scene.home.config), str(folder), *(str(each) for each in (folder / "t", *(folder / "t").iterdir()))}
    named.add(bus(scene))
    assert {path for path in seen - named if not ALLOWED.fullmatch(path)} == set()
    assert str(scene.home.config) in seen
    calls = [line.partition(" ")[2].strip() for line in lines[begun:]]
    forbidden = next(number for number, call in enumerate(calls) if "PR_SET_DUMPABLE, SUID_DUMP_DISABLE" in call)
    assert forbidden < next(number for number, call in enumerate(calls) if "KEYCTL_READ" in call)  # no core has a token
    assert not any("socket(" in line or "connect(" in line for line in lines[begun:])


def test_stdout_that_cannot_be_written_is_the_same_error(scene: Scene) -> None:
    """A full disk, a closed pipe and a closed stdout give the error of the ordinary way."""
    command = f"{sys.executable} -P -m tokenctl token"
    for line in (
        f"{command} >/dev/full",
        f"{command} >&-",
        f"{command} <&- 2>&-",
        f"{{ {command}; echo $? >&2; }} | true",
    ):
        results = [
            subprocess.run(
                ["sh", "-c", line], env={**scene.home.environ, **environ}, capture_output=True, text=True, check=False
            )
            for environ in ({}, OFF)
        ]
        assert (results[0].returncode, results[0].stdout, results[0].stderr) == (
            results[1].returncode,
            results[1].stdout,
            results[1].stderr,
        )


def test_it_holds_no_refresh_token(scene: Scene) -> None:
    """What the kernel keeps has the access token, and neither the refresh token nor the seal key nor the ID token."""
    (line,) = scene.keys
    kept = json.loads(scene.service.lookup("tokenctl:t", "session") or "")
    kernel: Any = fast_path._open()
    text = kernel._text(11, int(line.split()[0], 16)).decode()
    assert kept["access_token"] in text
    assert not any(kept[name] in text for name in ("refresh_token", "seal_key", "id_token"))
