"""The sockets of the proxy: who can open them, and what becomes of their files."""

import contextlib
import os
import socket
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tokenctl.errors import UsageError
from tokenctl.handoff.proxy import listening

pytestmark = pytest.mark.skipif(os.name != "posix", reason="unix sockets and modes of POSIX")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A path in a private folder."""
    tmp_path.chmod(0o700)
    return tmp_path / "proxy.sock"


def mode(path: Path) -> int:
    """Tell who can open a file."""
    return stat.S_IMODE(path.lstat().st_mode)


def answers(path: Path) -> bool:
    """Tell whether somebody listens."""
    with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
        client.connect(str(path))
        return True
    return False


@pytest.mark.parametrize("umask", [0, 0o22, 0o77, 0o777])
def test_a_socket_is_for_this_user_alone(path: Path, umask: int) -> None:
    """It has mode 0600 in a folder of 0700 that is made if it is missing, whatever the umask; in the end it is gone."""
    path = path.parent / "new" / "proxy.sock"
    before = os.umask(umask)
    try:
        with listening.on_path(path):
            assert mode(path) == 0o600 and mode(path.parent) == 0o700 and answers(path)
            assert list(path.parent.iterdir()) == [path]
    finally:
        os.umask(before)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("rights", [0o755, 0o770, 0o701, 0o1777])
def test_a_folder_that_others_can_enter_is_refused(path: Path, rights: int) -> None:
    """Its owner is told of a better one."""
    path.parent.chmod(rights)
    with pytest.raises(UsageError) as refused, listening.on_path(path):
        pass
    assert "$XDG_RUNTIME_DIR/tokenctl" in str(refused.value.hint) and not path.exists()


def test_what_is_no_socket_stays(path: Path, tmp_path: Path) -> None:
    """A file, a folder or a link at the path is refused, and is as before."""
    for make in (
        lambda: path.write_text("mine"),
        path.mkdir,
        lambda: path.symlink_to(tmp_path / "nowhere"),
    ):
        make()
        before = path.lstat()
        with pytest.raises(UsageError, match="is no socket"), listening.on_path(path):
            pass
        assert os.path.samestat(path.lstat(), before)
        path.rmdir() if path.is_dir() else path.unlink()


def test_a_socket_that_nobody_listens_on_is_replaced(path: Path) -> None:
    """A run that was killed left it, or its unfinished one; the socket of a run that listens is refused."""
    for name in (path, path.with_name(f"{path.name}.next")):
        with socket.socket(socket.AF_UNIX) as killed:
            killed.bind(str(name))
    with listening.on_path(path):
        assert answers(path) and list(path.parent.iterdir()) == [path]
        with pytest.raises(UsageError, match="another program listens"), listening.on_path(path):
            pass
        assert answers(path)
    assert not path.exists()


def test_only_its_own_socket_is_removed(path: Path) -> None:
    """Another program has put its socket there since."""
    with socket.socket(socket.AF_UNIX) as other:
        with listening.on_path(path):
            path.unlink()
            other.bind(str(path))
        assert path.exists()


def test_of_many_that_begin_at_once_one_listens(path: Path) -> None:
    """The others are told; none takes the socket of another."""
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    together = threading.Barrier(8)

    def begin(_: int) -> str:
        together.wait(60)
        try:
            with listening.on_path(path):
                together.wait(60)
                return "listens" if answers(path) else "lost it"
        except UsageError as error:
            together.wait(60)
            return error.message.partition(" on ")[0]

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(begin, range(8))) == ["another program listens"] * 7 + ["listens"]


def test_a_path_that_is_too_long_is_told(path: Path) -> None:
    """With its length in bytes, before anything is made; the longest one that is allowed works."""
    room = 107 - len(".next") - len(os.fsencode(path.parent)) - 1
    if room < 10:
        pytest.skip("the temporary folder has too long a path")
    for name in ("x" * (room + 1), "ä" * (room // 2 + 1)):
        with pytest.raises(UsageError, match="too long"), listening.on_path(path.parent / name):
            pass
    with listening.on_path(path.parent / ("x" * room)):
        assert answers(path.parent / ("x" * room))
    assert list(path.parent.iterdir()) == []


def test_a_port_is_free_again_at_once_and_never_shared() -> None:
    """A port that is in use is a clear error with the next step, and TCP is named so that small answers do not wait."""
    with listening.on_port() as first:
        port = first.getsockname()[1]
        assert first.getsockname()[0] == "127.0.0.1" and first.proto == socket.IPPROTO_TCP
        with pytest.raises(UsageError, match=f"127.0.0.1:{port}") as refused:
            listening.on_port(port)
        assert "without --listen" in str(refused.value.hint)
        with socket.create_connection(("127.0.0.1", port)):
            first.accept()[0].close()  # this side closes first: the port is in TIME_WAIT
    listening.on_port(port).close()


@pytest.mark.parametrize(
    "make", ["contextlib.closing(listening.on_port())", "listening.on_path(pathlib.Path(sys.argv[1]))"]
)
def test_closed_standard_streams_are_never_a_listening_socket(path: Path, make: str) -> None:
    """What is written to stdout or stderr must not go to a client, and no child inherits the socket."""
    code = (
        "import contextlib, os, pathlib, sys\nfrom tokenctl.handoff.proxy import listening\nos.closerange(0, 3)\n"
        f"with {make} as made:\n    os._exit(made.fileno() < 3 or os.get_inheritable(made.fileno()))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT, check=False)
    assert done.returncode == 0
