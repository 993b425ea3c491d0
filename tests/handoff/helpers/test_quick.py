"""The fast way of the helpers: what it may answer, that it answers as the ordinary way does, and what it loads."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers.faulty_server import FaultyServer
from tests.servers.secret_service import SecretService
from tests.support.commandline import Home
from tests.support.helper_client import Answered, call, git
from tokenctl import fast_path
from tokenctl.config import config_file
from tokenctl.errors import UsageError
from tokenctl.handoff import binding
from tokenctl.handoff.helpers import quick
from tokenctl.model.origins import is_at
from tokenctl.runtime import Runtime

GIT = "https://git.example.com"
REGISTRY = "https://registry.example.com:5000"
HEAVY = {
    *("json", "re", "typing", "dataclasses", "contextlib", "datetime", "hashlib", "base64", "pathlib", "enum", "click"),
    *("tomllib", "keyring", "jeepney", "urllib.parse", "functools", "collections", "subprocess", "socket", "ipaddress"),
}
"""Modules that the fast way of no helper needs."""


# -- is surely unbound: never wrong ------------------------------------------------------------------------

HOSTS = st.sampled_from(
    [
        "a.example",
        "A.Example",
        "b.a.example",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "[0:0::1]",
        "[::ffff:1.2.3.4]",
        "x-y.z",
    ]
)
ORIGINS = st.builds(
    lambda scheme, host, port, end: f"{scheme}://{host}{port}{end}",
    st.sampled_from(["https", "HTTPS", "http"]),
    HOSTS,
    st.sampled_from(["", ":443", ":80", ":8443"]),
    st.sampled_from(["", "/"]),
)
ESCAPED = st.sampled_from([lambda text: text, lambda text: "".join(f"\\u{ord(each):04x}" for each in text)])
QUOTED = st.sampled_from(['"{}"', '"""{}"""', '"""\n{}"""', '"""\\\n   {}"""'])


@st.composite
def config_files(draw: st.DrawFn) -> bytes:
    """A config file that binds some origins, in one of the many ways that TOML has for a text."""
    lines = []
    for name in draw(st.lists(st.sampled_from(["t", "u"]), unique=True, max_size=2)):
        texts = []
        for origin in draw(st.lists(ORIGINS, max_size=2)):
            plain = draw(st.booleans())
            texts.append(f"'{origin}'" if plain else draw(QUOTED).format(draw(ESCAPED)(origin)))
        key = draw(st.sampled_from(["hosts", '"hosts"', '"\\u0068osts"']))
        lines += [
            f"[profiles.{name}]",
            'issuer = "https://i.example"',
            'client_id = "c"',
            f"{key} = [{', '.join(texts)}]",
        ]
    text = "\n".join(lines)
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-32"]))
    return draw(st.sampled_from([text, text.replace("\n", "\r\n"), f"# \u00e9\n{text}"])).encode(encoding)


ENVIRON = st.dictionaries(
    st.sampled_from(
        ["TOKENCTL_HOSTS", "TOKENCTL_PROFILE", "TOKENCTL_ISSUER", "TOKENCTL_CLIENT_ID", "TOKENCTL_SCOPE", "CI"]
    ),
    st.sampled_from(["t", "env", "https://a.example", "", "c"]),
    max_size=3,
)
ADDRESSES = st.one_of(
    st.builds(lambda host, port: f"//{host.lower()}{port}", HOSTS, st.sampled_from(["", ":443", ":80", ":8443"])),
    ORIGINS.map(lambda origin: origin.lower().removesuffix("/")),
)


@given(config_files(), ENVIRON, ADDRESSES, st.sampled_from(["as a variable", "at its usual place", "absent"]))
def test_what_is_surely_unbound_is_bound_by_no_reading_of_the_config_file(
    content: bytes, environ: dict[str, str], address: str, where: str
) -> None:
    """Whatever the file and the environment are: the real reader finds no profile that binds the address."""
    import tempfile

    with tempfile.TemporaryDirectory() as home:
        path = Path(home, ".config", "tokenctl", "config.toml")
        path.parent.mkdir(parents=True)
        if where != "absent":
            path.write_bytes(content)
        environ = {**environ, "HOME": home} | ({"TOKENCTL_CONFIG": str(path)} if where == "as a variable" else {})
        if not quick.is_surely_unbound(address, environ):
            return
        try:
            profiles = binding.profiles(Runtime(environ), None)
        except UsageError:
            return
        assert not [each for profile in profiles for each in profile.hosts if is_at(address, each)]


def test_the_common_case_is_known_without_reading_the_config_file(tmp_path: Path) -> None:
    """Another host is surely unbound, also where the file is broken or absent; the bound one is not."""
    path = tmp_path / "config.toml"
    environ = {"TOKENCTL_CONFIG": str(path)}
    path.write_text(f'[profiles.t]\nhosts = ["{GIT}"]\n')
    assert quick.is_surely_unbound("https://other.example.com", environ)
    assert not quick.is_surely_unbound(GIT, environ) and not quick.is_surely_unbound("//git.example.com", environ)
    assert quick.is_surely_unbound("//example.com", environ)
    path.write_text("this is = no TOML")
    assert quick.is_surely_unbound(GIT, environ)
    assert quick.is_surely_unbound(GIT, {"HOME": str(tmp_path)})


def test_a_host_that_is_written_with_an_escape_is_left_to_the_ordinary_way(tmp_path: Path) -> None:
    """TOML allows every letter to be written as a number, so a text with a backslash can have any host."""
    path = tmp_path / "config.toml"
    path.write_text(f'[profiles.t]\nhosts = ["{GIT.replace("e", chr(92) + "u0065")}"]\n')
    assert GIT.rpartition("/")[2] not in path.read_text()
    assert not quick.is_surely_unbound(GIT, {"TOKENCTL_CONFIG": str(path)})


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such files")
def test_a_config_file_that_is_no_file_is_left_to_the_ordinary_way(tmp_path: Path) -> None:
    """A folder, one that is absent though it is named, and a pipe, whose content stays for who understands it."""
    reading, writing = os.pipe()
    try:
        os.write(writing, b"content")
        paths = [str(tmp_path), str(tmp_path / "absent"), f"/dev/fd/{reading}", "relative.toml", "", "\0"]
        assert not any(quick.is_surely_unbound(GIT, {"TOKENCTL_CONFIG": each}) for each in paths)
        assert os.read(reading, 100) == b"content"
    finally:
        os.close(reading)
        os.close(writing)


def test_a_very_long_config_file_is_left_to_the_ordinary_way(tmp_path: Path) -> None:
    """The host can be behind what was read."""
    (tmp_path / "c").write_bytes(b"#" * 1024 * 1024 + f'\n[profiles.t]\nhosts = "{GIT}"\n'.encode())
    assert not quick.is_surely_unbound(GIT, {"TOKENCTL_CONFIG": str(tmp_path / "c")})


def test_the_config_file_is_where_the_ordinary_way_looks(tmp_path: Path) -> None:
    """Whatever the variables say: the same path, or none at all."""
    for said in (
        {},
        {"XDG_CONFIG_HOME": "/x"},
        {"XDG_CONFIG_HOME": "x"},
        {"HOME": ""},
        {"HOME": "x"},
        {"TOKENCTL_CONFIG": "/c"},
    ):
        environ = {"HOME": str(tmp_path), **said}
        path = fast_path.config_path(environ)
        assert path in ("", str(config_file.config_path(environ)[0]))


LOADED = """
import sys
before = {*sys.modules}
from tokenctl.handoff import helpers
from tokenctl.handoff.helpers import quick, again
for name in helpers.LINES:
    helpers.protocol(name)
print(*{*sys.modules} - before)
"""


@pytest.mark.slow
def test_no_protocol_loads_what_a_warm_call_cannot_afford() -> None:
    """All protocols together load our own small files, and what is built into Python."""
    done = subprocess.run([sys.executable, "-I", "-c", LOADED], capture_output=True, text=True, check=True)
    found = {*done.stdout.split()}
    assert "tokenctl.handoff.helpers.kubectl" in found and not found & HEAVY
    assert {each for each in found if not each.startswith("tokenctl")} <= {"_json", "binascii", "zlib", "time", "stat"}


# -- in a world with a keyring -----------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path, secret_service: SecretService, demo_server: FaultyServer) -> Home:
    """A HOME that is signed in as `t`, bound to git and a registry; an ordinary call has left its copy in the kernel."""
    home = Home(tmp_path / "home", secret_service.environ, store="keyring")
    assert home.login(demo_server.issuer).status == 0
    bind(home, "t", GIT, REGISTRY)
    return home


def bind(home: Home, profile: str, *origins: str, more: str = "") -> None:
    """Write the hosts of a profile into the config file, and wait until no change could be missed."""
    assert home.run("profile", "set", profile, f"hosts={' '.join(origins)}").status == 0
    home.config.write_text(home.config.read_text() + more)
    settle(home)


def settle(home: Home) -> None:
    """Make the config file one that has not changed for a while."""
    earlier = time.time() - 60
    os.utime(home.config, (earlier, earlier))
    time.sleep(3 * fast_path.TICK / 1e9)


def twice(home: Home, *words: str, stdin: bytes = b"", environ: Mapping[str, str] = {}) -> Answered:
    """Call a helper twice, and return the second answer, which is the first one byte by byte."""
    first = call(home, *words, stdin=stdin, environ=environ)
    second = call(home, *words, stdin=stdin, environ=environ)
    assert (first.status, first.out, first.err) == (second.status, second.out, second.err)
    return second


CALLS: Sequence[tuple[tuple[str, ...], bytes]] = (
    (("git", "get"), git("git.example.com")),
    (("git", "get"), git("git.example.com", "capability[]=authtype")),
    (("docker", "get"), b"registry.example.com:5000\n"),
)


@pytest.mark.real
def test_a_warm_call_is_answered_as_the_ordinary_way_does_and_loads_nothing(world: Home) -> None:
    """Byte by byte the same answer, also where the config file gives the origin another shape; no heavy module is loaded."""
    shape = f'\n[profiles.t.host."{GIT}"]\nusername = "x-token-auth"\nprefix = "token "\n'
    for more in ("", shape):
        world.config.write_text(world.config.read_text() + more)
        settle(world)
        for words, stdin in CALLS:
            done = twice(world, *words, stdin=stdin)
            assert (done.status, done.err) == (0, "") and done.out
            ordinary = call(world, *words, stdin=stdin, environ={"TOKENCTL_CACHE": "0"})
            assert (ordinary.is_quick, ordinary.out) == (False, done.out)
            if os.uname().machine == "x86_64":
                assert done.is_quick and not done.modules & HEAVY
    assert b"username=x-token-auth" in call(world, "git", "get", stdin=git("git.example.com")).out


@pytest.mark.real
def test_a_copy_answers_only_what_it_was_made_for(world: Home) -> None:
    """Not another origin, profile or user name, a longer life, or the same origin after its binding is gone."""
    asked = git("git.example.com")
    token = twice(world, "git", "get", stdin=asked)
    assert token.is_quick
    assert call(world, "git", "get", stdin=git("git.example.com", "username=alice")).out == b""
    for stdin in (git("registry.example.com:5000"), git("git.example.com:8443"), git("registry.example.com")):
        assert token.out != call(world, "git", "get", stdin=stdin).out or b"registry.example.com:5000" in stdin
    assert call(world, "git", "get", "-p", "nobody", stdin=asked).out == b"quit=1\n"
    assert call(world, "git", "get", stdin=asked, environ={"TOKENCTL_PROFILE": "nobody"}).out == b"quit=1\n"
    assert not call(world, "git", "get", stdin=asked, environ={"TOKENCTL_MIN_TTL": "5m"}).is_quick
    assert world.run("profile", "set", "t", f"hosts-={GIT}").status == 0
    assert call(world, "git", "get", stdin=asked).out == b""
    settle(world)
    assert call(world, "git", "get", stdin=asked).out == b""


@pytest.mark.real
def test_the_copy_of_token_is_its_own(world: Home) -> None:
    """A helper is not answered by the copy of `token`, and leaves it as it is."""
    token = world.run("token").stdout.strip()
    assert not call(world, "git", "get", stdin=git("git.example.com")).is_quick
    assert fast_path.would_answer("", {**world.environ}) and world.run("token").stdout.strip() == token


@pytest.mark.real
def test_the_origins_of_two_profiles_in_one_conversation_are_not_mixed(world: Home, demo_server: FaultyServer) -> None:
    """The first question has a copy, the next ones do not: each gets its own profile's token, now and from its copy."""
    assert world.login(demo_server.issuer, profile="u").status == 0
    bind(world, "t", GIT)
    bind(world, "u", REGISTRY)
    tokens = {name: world.run("token", "-p", name).stdout.strip() for name in ("t", "u")}
    assert tokens["t"] != tokens["u"]
    for _ in range(2):
        for host, name in (("git.example.com", "t"), ("registry.example.com:5000", "u")):
            out = call(world, "git", "get", stdin=git(host)).out.decode()
            assert f"password={tokens[name]}\n" in out and tokens["tu".replace(name, "")] not in out


@pytest.mark.real
def test_an_unbound_host_costs_no_keyring_and_no_understanding(world: Home) -> None:
    """Silence of git and the text of docker, with a locked or absent keyring, and with a config file that is no TOML."""
    (token,) = [world.run("token").stdout.strip()]
    away = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"}
    for broken in ("", "this is no TOML = ["):
        world.config.write_text(world.config.read_text() + broken)
        for words, host, out, status in (
            (("git", "get"), git("other.example.com"), b"", 0),
            (("docker", "get"), b"other.example.com", b"credentials not found in native keychain\n", 1),
            (("docker", "store"), json.dumps({"ServerURL": "other.example.com"}).encode(), b"tokenctl keeps no", 1),
            (("git", "erase"), git("other.example.com", f"password={token}"), b"", 0),
        ):
            done = call(world, *words, stdin=host, environ=away)
            assert (done.status, done.err) == (status, "") and done.is_quick and done.out.startswith(out)
            assert not done.modules & (HEAVY | {"ctypes"} - {"json"}) and (out or not done.out)
