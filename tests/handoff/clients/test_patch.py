"""The exact change of a text."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tokenctl.handoff.clients.patch import patch

TEXTS = st.text(st.sampled_from('ab \t\r\n{}",:\udcff\ufeff'), max_size=60)


@given(TEXTS, TEXTS)
def test_undone(before: str, after: str) -> None:
    """A change is undone to the last character, whatever the texts are."""
    assert patch(before, after).undone(after) == before


@given(TEXTS, TEXTS, TEXTS)
def test_undone_where_there_was_more(before: str, inserted: str, after: str) -> None:
    """A line that is inserted has nothing of the text around it."""
    old, new = f"{before}\n{after}", f"{before}\n{inserted}\n{after}"
    assert "".join(each.removed for each in patch(old, new).edits) == ""


def test_a_file_that_was_not_there() -> None:
    """Undoing a new file is no file, which is not an empty one."""
    assert patch(None, "a").undone("a") is None
    assert patch("", "a").undone("a") == ""


def test_words_between_two_insertions() -> None:
    """What is between two insertions on one line is not kept."""
    found = patch('{"a":{},"secret":1,"b":{}}', '{"a":{"x":1},"secret":1,"b":{"x":1}}')
    assert [each.removed for each in found.edits] == ["", ""]


def test_in_a_text_that_was_changed() -> None:
    """It is undone where each inserted text is there once, and nowhere else."""
    found = patch("one\ntwo\n", "one\ninserted words\ntwo\n")
    assert found.undone_in("zero\none\ninserted words\n2\n") == "zero\none\n2\n"
    assert found.undone_in("inserted words\ninserted words\n") is None
    twice = patch("1\n2\n", "1 inserted words\n2 inserted words\n")
    assert twice.undone_in("1 inserted words\n#\n2 inserted words\n") == "1\n#\n2\n"
    assert twice.undone_in("1 inserted words\n2\n") is None
    assert found.undone_in("one\ntwo\n") is None


@settings(max_examples=20)
@given(st.randoms(use_true_random=False))
def test_a_long_line(random: Random) -> None:
    """Changes far from each other on a long line are undone too."""
    words = [f"w{random.randint(0, 600)}," for _ in range(1200)]
    changed = list(words)
    for _ in range(random.randint(1, 3)):
        changed.insert(random.randint(0, len(words)), random.choice(["new,", "w1,", '{"x": 1},']))
        del changed[random.randint(0, len(words) - 1)]
    before, after = "".join(words), "".join(changed)
    assert patch(before, after).undone(after) == before


def test_a_secret_on_a_long_line() -> None:
    """It is not kept, however much is between the two insertions."""
    many = ",".join(f'{{"secret{each}":"{each % 7}"}}' for each in range(2000))
    found = patch(f'{{"a":{{}},"h":[{many}],"b":{{}}}}', f'{{"a":{{"x":1}},"h":[{many}],"b":{{"x":1}}}}')
    assert [each.removed for each in found.edits] == ["", ""]
