"""The fast way: answer `token` and `exec` from a copy of the access token in the kernel's keyring.

The ordinary way loads the config file and a D-Bus library, and asks the OS keyring. While nothing changes, its answer is
the same. So it leaves a copy in the kernel's keyring of this user (Linux, keyctl), and the next process gives the same
answer before it loads any of them. This file is the whole of it: `__main__` calls `answer`; the vault calls `begin`,
`copy_of`, `keep` and `drop`. It imports next to nothing that a bare interpreter has not.

A copy has the access token, never a refresh token. It is used only while everything is as it was:

- Its name has what chooses the profile: the user, the user namespace and the mount namespace, the profile's name, the
  paths of config file and state directory, and the session bus. A job of a CI system, and a process with any other
  `TOKENCTL_*` variable, has no copy at all.
- Its text has inode, rights, size and times of what can change: the config file, the profile's folder and its redo log,
  journal and store choice, and the bus's socket. They are compared at each use.
- Both clocks must say that the token is as fresh as the ordinary way demands.

What the OS keyring itself has is not compared: that a person locks it, or deletes the entry there, is noticed when the
access token ends.

Only this user can read the key: a process that merely shares the session keyring, such as one that `sudo -u` started,
cannot. A key of another owner, or with other rights, is ignored. The kernel removes the key when the token expires.
Where a filter of system calls is active, as in a container, no keyring is asked for: a filter may kill who asks.

The alternatives: a private file in the runtime directory can be copied, does not end with the token, and is absent
without a login session. An agent behind a socket is one more process to start, to trust and to update. The kernel's
keyring needs neither, is never written to a disk, and removes what has expired.
"""

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import ModuleType

    from tokenctl.model.profile import Profile
    from tokenctl.model.session import Session

NAMED = ("TOKENCTL_PROFILE", "TOKENCTL_STATE_DIR", "TOKENCTL_CONFIG", "TOKENCTL_CACHE")
"""The variables of tokenctl with which there can be a copy. What they say is in its name."""
SAID = ("TOKENCTL_CACHE", "TOKENCTL_STATE_DIR", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR")
"""The variables whose values are in the name as they are. TOKENCTL_CACHE allows a copy that the config file forbids:
such a copy is only for who sets it too."""
JOBS = ("CI", "TF_BUILD", "JENKINS_URL", "TEAMCITY_VERSION", "CODEBUILD_BUILD_ID", "BITBUCKET_BUILD_NUMBER")
"""The variables of CI systems. With one of them, or with GITHUB_ACTIONS, there is no copy."""
REMOVED = (
    "ACCESS_TOKEN",
    "ACCESS_TOKEN_EXPIRES_AT",
    "ACCESS_TOKEN_FILE",
    "ACCESS_PROXY_URL",
    "ACCESS_PROXY_SECRET",
)
"""The variables that a child does not get from an `exec` around this one."""
TICK, COARSE_TICK = 100_000_000, 3_000_000_000
"""Nanoseconds. A file that changed so recently may change again without another time of change. The second is for file
systems that keep whole seconds."""
AT_ONCE = 4096
"""Bytes that a pipe takes whole or not at all."""

_question: "tuple[str, str] | None" = None
"""What this process was asked: the name of its copy, and the config file as `see` saw it. None: no copy answers it."""
_address = ""
"""The address that a helper was asked for; empty for `token` and `exec`."""


# -- answering -------------------------------------------------------------------------------------------


def answer(options: "Mapping[str, str]", child: "list[str]") -> None:
    """Answer what `plain.read` read, and end the process, or return: then the ordinary way has to answer."""
    global _question
    if sys.platform != "linux" or None in (sys.stdin, sys.stdout, sys.stderr):
        return
    program = _program(child[0]) if child else ""
    _question = question(options.get("--profile", ""), os.environ) if program is not None else None
    kernel = _open() if _question is not None else None
    if _question is None or kernel is None:
        return
    allowed = kernel.forbid_core_dumps()  # from here on this process has a token
    try:
        copy = kernel.find(_question[0])
        if copy and copy.get("notice") and os.isatty(2):  # the ordinary way has something to tell this person
            copy = None
        at = fresh_at(copy, int(time.time()), uptime()) if copy else None
        if copy and at is not None and program:
            _become(program, child, options.get("--env"), copy)
        elif copy and at is not None:
            _write(text(options.get("--format", "raw"), copy, at))
    except (KeyError, ValueError):  # a key that is no copy
        pass
    if allowed:
        kernel.allow_core_dumps()  # the ordinary way has its own means against them


def fetch(named: str, address: str, min_ttl: int) -> "tuple[dict[str, str], int] | None":
    """Return the copy for a helper, and the time at which its token is given; None where the ordinary way has to answer.

    `named` is the profile of `-p`, or empty. `min_ttl` is the seconds for which the client keeps a token unseen. From here
    on this process writes no core dumps.
    """
    global _question, _address
    if sys.platform != "linux":
        return None
    _question, _address = question(named, os.environ, f"{min_ttl} {address}"), address
    kernel = _open() if _question is not None else None
    if _question is None or kernel is None:
        return None
    kernel.forbid_core_dumps()
    try:
        copy = kernel.find(_question[0])
        at = fresh_at(copy, int(time.time()), uptime()) if copy else None
        return (copy, at) if copy and at is not None and "username" in copy else None
    except (KeyError, ValueError):  # a key that is no copy
        return None


def forget() -> None:
    """Leave no copy for what was asked before: the client of a helper asks something else now."""
    global _question, _address
    _question, _address = None, ""


def config_path(environ: "Mapping[str, str]") -> str:
    """Return the path of the config file as `config_file.config_path` does; empty where only that can tell it."""
    xdg, home = environ.get("XDG_CONFIG_HOME", ""), environ.get("HOME") or "-"
    folder = xdg if xdg.startswith("/") else f"{home}/.config"
    if sys.platform == "darwin":
        folder = f"{home}/Library/Application Support"
    known = folder.startswith("/") and sys.platform != "win32"
    return environ.get("TOKENCTL_CONFIG", f"{folder}/tokenctl/config.toml" if known else "")


def question(named: str, environ: "Mapping[str, str]", asked: str = "") -> "tuple[str, str] | None":
    """Tell what a copy must have been made for; None where there can be none. `named` is the profile of `-p`, or empty.

    `asked` is what else a helper was asked for.
    """
    if in_the_way(environ) or os.getuid() != os.geteuid():
        return None
    config = config_path(environ)
    seen = see(config)
    if not config.startswith("/") or seen.startswith("-") or is_recent([seen]):
        return None
    try:
        spaces = [str(os.stat(f"/proc/self/ns/{each}").st_ino) for each in ("user", "mnt")]
    except OSError:
        return None
    said = [environ.get(each, "") for each in SAID]
    parts = [
        f"{_PREFIX}2",
        str(os.getuid()),
        *spaces,
        named or environ.get("TOKENCTL_PROFILE", ""),
        asked,
        config,
        *said,
    ]
    name = "|".join(parts)
    return (name, seen) if name.count("|") == len(parts) - 1 and name.isprintable() else None


def in_the_way(environ: "Mapping[str, str]") -> "list[str]":
    """List the variables with which there is no copy: those of CI systems, and most of tokenctl's own."""
    jobs = [name for name in (*JOBS, "GITHUB_ACTIONS") if name in environ]
    own = [name for name in environ if name.upper().startswith("TOKENCTL_")]
    return jobs + [name for name in own if not _is_clear(name, environ[name])]


def _is_clear(name: str, value: str) -> bool:
    """Tell whether the variable is one with which there can be a copy. An empty one is an error of the ordinary way."""
    if name == "TOKENCTL_CACHE":
        return value in ("1", "true")
    return name in NAMED and value != "" and value[0] not in " \t$%"


def would_answer(named: str, environ: "Mapping[str, str]") -> bool:
    """Tell whether a copy answers `token` now, for a diagnosis. Nothing is changed. `named` is as in `question`."""
    asked = question(named, environ) if sys.platform == "linux" else None
    kernel = _open() if asked is not None else None
    if asked is None or kernel is None:
        return False
    try:
        copy = kernel.look(asked[0])
        return copy is not None and fresh_at(copy, int(time.time()), uptime()) is not None
    except (KeyError, ValueError):  # a key that is no copy
        return False


def fresh_at(copy: "Mapping[str, str]", now: int, uptime: int) -> int | None:
    """Return the time by which the token is fresh, in epoch seconds; None when it is not. The rule is `Session.time`.

    `now` is the wall clock in epoch seconds, `uptime` the milliseconds since boot.
    """
    booted_at = copy["booted_at"]
    by_uptime = (int(booted_at) + uptime) // 1000 if booted_at else now
    is_fresh = min(now, by_uptime) >= int(copy["obtained_at"]) and max(now, by_uptime) <= int(copy["fresh_until"])
    return max(now, by_uptime) if is_fresh else None


def uptime() -> int:
    """Return the milliseconds since boot, sleep included."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000 if sys.platform == "linux" else 0


def text(form: str, copy: "Mapping[str, str]", at: int) -> str:
    """Make the answer of `token`, without its last newline. `at` is the time by which the token is fresh."""
    if form == "raw":
        return copy["token"]
    if form == "header":
        return f"Authorization: {copy['token_type']} {copy['token']}"
    expires_at = int(copy["expires_at"])
    return (
        f'{{"access_token": "{copy["token"]}", "token_type": "{copy["token_type"]}", "expires_at": {expires_at},'
        f' "expires_in": {expires_at - at}, "scope": {copy["scope"]}, "profile": "{copy["profile"]}"}}'
    )


def _write(answer: str) -> None:
    """Write the answer and end the process. Returns where that needs more, or fails: the ordinary way says why."""
    try:
        plain = "=".encode(sys.stdout.encoding) == b"="  # not UTF-16, which PYTHONIOENCODING can ask for
        line = answer.encode() + b"\n"
        if plain and len(line) <= AT_ONCE and os.write(1, line) == len(line):
            os._exit(0)  # nothing is open and nothing is buffered, so that there is nothing else to end
    except (OSError, UnicodeError, LookupError):
        pass


def _program(name: str) -> str | None:
    """Find the program of the child, as `handoff.child` does; None where it says why it cannot be run."""
    folders = [each for each in os.environ.get("PATH", os.defpath).split(":") if each.startswith("/")]
    for path in [name] if "/" in name else [os.path.join(each, name) for each in folders]:
        if name and os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None


def _become(program: str, child: "list[str]", variable: str | None, copy: "Mapping[str, str]") -> None:
    """Become the child. Returns where the ordinary way has more to do, or says why that is impossible."""
    import _signal  # type: ignore[import-not-found]  # `signal` would load enum, which costs half an interpreter's start

    variable = variable or copy["variable"]
    if not variable or not copy["exec"]:
        return
    environ = {name: value for name, value in os.environ.items() if name not in REMOVED}
    environ |= {"ACCESS_TOKEN_EXPIRES_AT": copy["expires_at"], variable: copy["token"]}
    for number in (_signal.SIGPIPE, _signal.SIGXFSZ):  # Python ignores them, and the child would inherit that
        _signal.signal(number, _signal.SIG_DFL)
    try:
        os.execve(program, child, environ)  # noqa: S606 (there is no shell on purpose)
    except (OSError, ValueError):
        for number in (_signal.SIGPIPE, _signal.SIGXFSZ):
            _signal.signal(number, _signal.SIG_IGN)


# -- keeping ---------------------------------------------------------------------------------------------


def see(path: str) -> str:
    """Return a line that changes when the file or folder changes: its inode, rights, owner, size and times."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return f"- {path}"
    identity = f"{found.st_dev}:{found.st_ino}:{found.st_mode}:{found.st_uid}:{found.st_size}"
    return f"{identity}:{found.st_mtime_ns}:{found.st_ctime_ns} {path}"


def is_recent(seen: "Sequence[str]") -> bool:
    """Tell whether one of the lines of `see` is of a file that changed a moment ago."""
    times = [int(each) for line in seen for each in line.partition(" ")[0].split(":")[5:]]
    return any(time.time_ns() - each < (TICK if each % 10**9 else COARSE_TICK) for each in times)


def begin(folder: str) -> str | None:
    """Look at the profile's folder before the session is read; None when no copy could answer what was asked."""
    return None if _question is None else see(folder)


def copy_of(profile: "Profile", session: "Session", min_ttl: int, boot_id: str | None) -> dict[str, str] | None:
    """Make the copy of a session whose token is fresh while it has `min_ttl` seconds left; None where none may be kept.

    `exec` is empty when `exec` has more to do than to start the child, and `variable` when a template makes what the
    child gets. What a machine's session is made for depends on more than what is compared here.
    """
    if profile.by_machine or not profile.cache or session.expires_at is None:
        return None
    import json  # the ordinary way has loaded it

    from tokenctl.model.origins import is_at
    from tokenctl.model.session_state import older_access_tokens

    booted_at = "" if session.booted_at_ms is None or session.boot_id != boot_id else str(session.booted_at_ms)
    more = older_access_tokens(profile, session) == "ended" or profile.source_variable
    # Of two origins that the address means, the ordinary way takes https too.
    origin = max((each for each in profile.hosts if is_at(_address, each)), default=None) if _address else ""
    if origin is None:  # it was not this profile that was asked for
        return None
    return {
        "token": session.access_token,
        "token_type": session.token_type,
        "scope": json.dumps(session.scope),
        "profile": profile.name,
        "obtained_at": str(session.obtained_at),
        "expires_at": str(session.expires_at),
        "fresh_until": str(session.fresh_until(min_ttl)),
        "booted_at": booted_at,
        "exec": "" if more else "yes",
        "variable": "" if "=" in (profile.env or "") else profile.env or REMOVED[0],
        "origin": origin,
        **profile.shape(origin),
    }


def keep(copy: "Mapping[str, str]", before: str, files: "Sequence[str]") -> None:
    """Leave a copy for the next process that is asked the same. Where the kernel refuses, nothing is different.

    `before` is what `begin` returned. `files` are the paths of all else that the answer depends on.
    """
    kernel = _open() if _question is not None else None
    if _question is not None and kernel is not None:
        leave(kernel, _question[0], copy, [_question[1], before, *map(see, files)])


def leave(kernel: "Kernel", name: str, copy: "Mapping[str, str]", seen: "Sequence[str]") -> None:
    """Leave a copy in the kernel, if it is one that the fast way can give, and if all is as it was `seen`."""
    in_json = copy["token"] + copy["token_type"]
    in_json += copy.get("username", "") + copy.get("prefix", "")
    fits = in_json.isascii() and not {*'"\\'} & {*in_json} and all(map(str.isprintable, (*copy.values(), *seen)))
    seconds = int(copy["expires_at"]) - int(time.time())
    if fits and seconds > 0 and unchanged(seen) and not is_recent(seen):
        lines = [f"{name}={value}" for name, value in copy.items()]
        kernel.add(name, "\n".join((*lines, "", *seen)), seconds)
        if not unchanged(seen):  # who changed it has dropped the copies before this one was there
            kernel.remove(name)


def unchanged(seen: "Sequence[str]") -> bool:
    """Tell whether every file is as it was when `see` made these lines."""
    return all(see(line.partition(" ")[2]) == line for line in seen)


def drop(profile: str, places: "Sequence[str]") -> None:
    """Remove the copies of the profile that depend on one of the places: before its session changes, and after that.

    The places are the profile's folder and the sockets of the session bus: another folder may have the same keyring.
    """
    kernel = _open()
    if kernel is not None:
        kernel.drop(profile, places)


# -- the kernel's keyring, by the calls of keyctl(2) ---------------------------------------------------------

_PREFIX = "tokenctl:"
_CALLS = {
    "x86_64": (248, 250),
    "aarch64": (217, 219),
    "riscv64": (217, 219),
    "ppc64le": (269, 271),
    "s390x": (278, 280),
}
"""Machine -> the numbers of the system calls add_key and keyctl. A machine that is not here has no copies."""
_OF_PROCESS, _OF_USER = -2, -4
"""The keyrings: of this process alone, and of this user."""
_RIGHTS = 0x003B0000
"""The rights of a key: its owner may view, read, search, link and change it. Whoever possesses it may do nothing."""
_SETPERM, _DESCRIBE, _LINK, _UNLINK, _SEARCH, _READ, _SET_TIMEOUT, _INVALIDATE = 5, 6, 8, 9, 10, 11, 15, 21
_PR_GET_DUMPABLE, _PR_SET_DUMPABLE, _PR_GET_SECCOMP = 3, 4, 21
_LONGEST = 32767
"""Bytes of a key, at most."""
_SHARE = 10_000
"""Bytes that all copies of a user may have: half of what the kernel allows for all keys of a user, except for root."""


def _open() -> "Kernel | None":
    """Open the kernel's keyrings; None where this process may not ask for them, or does not know how."""
    numbers = _CALLS.get(os.uname().machine) if sys.platform == "linux" and sys.maxsize > 2**32 else None
    if numbers is None:
        return None
    try:
        import ctypes
    except ImportError:  # a Python that was built without libffi
        return None
    kernel = Kernel(ctypes, *numbers)
    return None if kernel.is_filtered() else kernel


def may_ask() -> bool:
    """Tell whether this process may ask for the kernel's keyrings, and knows how."""
    return _open() is not None


class Kernel:
    """The keyrings of the kernel."""

    def __init__(self, ctypes: "ModuleType", add_key: int, keyctl: int) -> None:
        self._libc = ctypes.CDLL(None)
        self._libc.syscall.restype = ctypes.c_long
        self._new_buffer = ctypes.create_string_buffer
        self._add_key = add_key
        self._keyctl = keyctl

    def _call(self, *arguments: int | bytes | None) -> int:
        """Call keyctl; negative when it failed."""
        return int(self._libc.syscall(self._keyctl, *arguments))

    def _text(self, operation: int, key: int, size: int = _LONGEST) -> bytes:
        """Read or describe a key; empty when that failed."""
        buffer = self._new_buffer(size)
        length = self._call(operation, key, buffer, size)
        return self._text(operation, key, length) if length > size else buffer.raw[: max(0, length)]

    def is_filtered(self) -> bool:
        """Tell whether a filter of system calls is active: it may kill a process that asks for a keyring."""
        return bool(self._libc.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0))

    def forbid_core_dumps(self) -> bool:
        """Forbid core dumps of this process, until it becomes another program. Tell whether they were allowed."""
        allowed = int(self._libc.prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0)) == 1
        self._libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        return allowed

    def allow_core_dumps(self) -> None:
        """Allow core dumps again."""
        self._libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)

    def _name(self, key: int) -> bytes:
        """Return the name of a copy of this user's own; empty for every other key."""
        kind, owner, _, rights, name = [*self._text(_DESCRIBE, key).removesuffix(b"\0").split(b";", 4), *[b""] * 4][:5]
        own = (kind, owner, rights) == (b"user", b"%d" % os.getuid(), b"%08x" % _RIGHTS)
        return name if own and name.startswith(_PREFIX.encode()) else b""

    def _own(self) -> "Iterator[tuple[int, bytes]]":
        """List the copies of this user: the key, and its text."""
        listed = self._text(_READ, _OF_USER)
        for start in range(0, len(listed), 4):
            key = int.from_bytes(listed[start : start + 4], sys.byteorder, signed=True)
            if self._name(key):
                yield key, self._text(_READ, key)

    def find(self, name: str) -> dict[str, str] | None:
        """Find a copy of this user's own, if all is as it was when it was left; else remove it."""
        key = self._key(name)
        copy = self._unchanged(key) if key is not None else None
        if key is not None and copy is None:
            self._call(_INVALIDATE, key)
        return copy

    def look(self, name: str) -> dict[str, str] | None:
        """Do what `find` does, and remove nothing."""
        key = self._key(name)
        return self._unchanged(key) if key is not None else None

    def _key(self, name: str) -> int | None:
        key = self._call(_SEARCH, _OF_USER, b"user", name.encode(), 0)
        return key if key >= 0 and self._name(key) == name.encode() else None

    def _unchanged(self, key: int) -> dict[str, str] | None:
        members, _, seen = self._text(_READ, key).decode(errors="replace").partition("\n\n")
        is_good = seen and unchanged(seen.split("\n"))
        return dict(each.partition("=")[::2] for each in members.split("\n")) if is_good else None

    def add(self, name: str, text: str, seconds: int) -> None:
        """Add a key that ends after `seconds`. It gets its rights before anybody else can find it."""
        content, own = text.encode(), dict(self._own())
        room = _SHARE - len(content) - sum(map(len, own.values()))
        for each, old in own.items() if os.getuid() else ():
            if room < 0:  # no more than needed: a user of many helpers has many copies
                self._call(_INVALIDATE, each)
                room += len(old)
        key = int(self._libc.syscall(self._add_key, b"user", name.encode(), content, len(content), _OF_PROCESS))
        if key >= 0:
            if self._call(_SET_TIMEOUT, key, seconds) == 0 and self._call(_SETPERM, key, _RIGHTS) == 0:
                self._call(_LINK, key, _OF_USER)
            self._call(_UNLINK, key, _OF_PROCESS)

    def remove(self, name: str) -> None:
        """Remove the copy with this name."""
        self._call(_INVALIDATE, self._call(_SEARCH, _OF_USER, b"user", name.encode(), 0))

    def drop(self, profile: str, places: "Sequence[str]") -> None:
        """Remove every copy of the profile that depends on one of the places."""
        ends = tuple(b" " + os.fsencode(each) for each in places)
        for key, text in self._own():
            lines = text.split(b"\n")
            if f"profile={profile}".encode() in lines and any(line.endswith(ends) for line in lines):
                self._call(_INVALIDATE, key)
