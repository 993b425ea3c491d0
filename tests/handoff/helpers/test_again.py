"""A client that asks again too early was refused; nothing else is taken for a refusal."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl.handoff.helpers import again
from tokenctl.handoff.helpers.question import Question

NOW = 1_800_000_000
TIMES = st.integers(0, 2**40)


def token(at: int, *, obtained: int = NOW - 300, ends: int = NOW + 600, checksum: int = 1) -> again.Remembered:
    """A token that a client got at that time."""
    return again.Remembered(obtained, ends, checksum, at)


@pytest.mark.parametrize(
    ("before", "now", "interval", "expected"),
    [
        (None, token(NOW), 0, False),
        (token(NOW - 5), token(NOW), 0, True),
        (token(NOW - 5), token(NOW, checksum=2), 0, False),
        (token(NOW - 5), token(NOW, obtained=NOW - 1), 0, False),
        (token(NOW - 5), token(NOW, ends=NOW + 601), 0, False),
        (token(NOW - 5, ends=NOW), token(NOW, ends=NOW), 0, False),  # it has ended: that is why the client asks
        (token(NOW - 5, ends=0), token(NOW, ends=0), 0, True),
        (token(NOW - 5), token(NOW), 300, True),
        (token(NOW - 269), token(NOW), 300, True),
        (token(NOW - 270), token(NOW), 300, False),  # nearly its own interval
        (token(NOW + 5), token(NOW), 300, False),  # the clock was set back
        (token(NOW - 5, obtained=NOW - 59), token(NOW, obtained=NOW - 59), 0, True),
    ],
)
def test_what_is_taken_for_a_refusal(
    before: again.Remembered | None, now: again.Remembered, interval: int, expected: bool
) -> None:
    """The same token, asked for again before its end and before the client's own interval."""
    assert again.was_refused(before, now, interval) is expected


@given(TIMES, TIMES, TIMES, TIMES)
def test_what_is_remembered_is_read_again(obtained: int, ends: int, checksum: int, at: int) -> None:
    """Every number; the file is this user's alone, and has no text of a token."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        given = again.Remembered(obtained, ends, checksum, at)
        assert again.write(folder, "client.x", given)
        found = again.read(folder, "client.x")
        assert found is not None and found.is_same_token(given) and found.at == at
        if os.name == "posix":
            assert os.stat(f"{folder}/client.x").st_mode & 0o777 == 0o600


@given(st.binary(max_size=300))
def test_what_cannot_be_understood_is_not_known(content: bytes) -> None:
    """A file that was cut off, or is of another version, says nothing."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "client.x").write_bytes(content)
        found = again.read(folder, "client.x")
        assert found is None or len(content[:200].split()) == 4


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such links")
def test_a_link_or_a_pipe_in_the_folder_is_not_followed(tmp_path: Path) -> None:
    """It says nothing, and nothing is written through it."""
    (tmp_path / "other").write_text("1 2 3 4 0")
    (tmp_path / "client.link").symlink_to(tmp_path / "other")
    os.mkfifo(tmp_path / "client.pipe")
    for name in ("client.link", "client.pipe", "client.absent/x"):
        assert again.read(str(tmp_path), name) is None
        assert again.write(str(tmp_path), name, token(NOW)) is ("absent" not in name)
    assert (tmp_path / "other").read_text() == "1 2 3 4 0"


def test_who_reads_meanwhile_reads_a_whole_token(tmp_path: Path) -> None:
    """However many write: a refusal that was noted does not go away for a moment."""
    again.write(str(tmp_path), "refused.t", token(NOW))
    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(lambda: [again.write(str(tmp_path), "refused.t", token(NOW)) for _ in range(500)])
        while not writing.done():
            assert token(NOW).is_same_token(again.read(str(tmp_path), "refused.t"))
        assert all(writing.result())
    assert [each.name for each in tmp_path.iterdir()] == ["refused.t"]


NAME = """
from tokenctl.handoff.helpers import again
from tokenctl.handoff.helpers.question import Question
print(again.name_of(Question("token", again="x"), "t"))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells the parent's start")
def test_the_client_is_the_process_behind_the_shell() -> None:
    """The file is that of this process, also where a shell calls the helper, and even two shells."""
    own = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    names = {
        subprocess.run(
            words, env={**os.environ, "NAME": NAME}, capture_output=True, text=True, check=True
        ).stdout.strip()
        for words in (
            [sys.executable, "-c", NAME],
            ["sh", "-c", f'{sys.executable} -c "$NAME"; true'],
            ["sh", "-c", f"sh -c '{sys.executable} -c \"$NAME\"; true'; true"],
        )
    }
    assert len(names) == 1 and names.pop().startswith(f"client.{os.getpid()}-{own}.")


def test_what_a_client_asks_for_is_in_the_name() -> None:
    """Another question of the same client, and another profile, is another file; most questions have none."""
    names = {again.name_of(Question("token", again=asked), profile) for asked in ("a", "b") for profile in ("t", "u")}
    assert again.name_of(Question("token"), "t") is None
    assert names == {None} or len(names) == 4


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (token(NOW, obtained=NOW - 299), True),
        (token(NOW, obtained=NOW - 300), False),
        (token(NOW, obtained=NOW - 299, checksum=2), False),
        (token(NOW, obtained=NOW + 5), False),  # the clock was set back
    ],
)
def test_a_token_that_replaced_a_refused_one_is_not_replaced_at_once(
    tmp_path: Path, now: again.Remembered, expected: bool
) -> None:
    """Each run of some builds of kubectl asks twice without a refusal: that must not cost a renewal each."""
    assert not again.is_in_vain(str(tmp_path), "t", now)
    assert again.write(str(tmp_path), again.replacement("t"), token(NOW - 200, obtained=now.obtained))
    assert again.is_in_vain(str(tmp_path), "t", now) is expected
    assert not again.is_in_vain(str(tmp_path), "u", now)
