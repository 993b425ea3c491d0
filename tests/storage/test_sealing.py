"""Sealing: what is sealed is opened with the same key and the same bound bytes, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl.storage.sealing import NONCE, UnsealFailed, seal, unseal

KEY = bytes(range(32))
TEXT = b"a refresh token"
BOUND = b"the profile"


@given(st.binary(min_size=32, max_size=32), st.binary(), st.binary())
def test_what_is_sealed_is_opened(key: bytes, text: bytes, bound: bytes) -> None:
    """With the same key and the same bound bytes any text comes back."""
    assert unseal(key, seal(key, text, bound), bound) == text


def test_the_text_does_not_show_and_no_nonce_comes_twice() -> None:
    """The same text looks different each time, and neither it nor what is bound is in there."""
    sealed = {seal(KEY, TEXT, BOUND) for _ in range(50)}
    assert len({each[:NONCE] for each in sealed}) == 50
    assert not any(TEXT in each or BOUND in each for each in sealed)


@pytest.mark.parametrize(("key", "bound"), [(bytes(32), BOUND), (KEY, b""), (KEY, BOUND + b"x"), (KEY, b"another")])
def test_another_key_or_another_place_opens_nothing(key: bytes, bound: bytes) -> None:
    """So nothing can be put in another's place."""
    with pytest.raises(UnsealFailed):
        unseal(key, seal(KEY, TEXT, BOUND), bound)


def test_one_bit_that_changed_is_noticed() -> None:
    """In the nonce, in the text or in the tag."""
    sealed = seal(KEY, TEXT, BOUND)
    for number in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[number // 8] ^= 1 << number % 8
        with pytest.raises(UnsealFailed):
            unseal(KEY, bytes(changed), BOUND)


def test_what_was_cut_off_or_grew_is_noticed() -> None:
    """However short it is, it is `UnsealFailed` and no other error."""
    sealed = seal(KEY, TEXT, BOUND)
    for end in range(len(sealed)):
        with pytest.raises(UnsealFailed):
            unseal(KEY, sealed[:end], BOUND)
    with pytest.raises(UnsealFailed):
        unseal(KEY, sealed + b"\0", BOUND)


@given(st.binary())
def test_no_bytes_are_opened_by_chance(sealed: bytes) -> None:
    """And none make another error, which holds nothing of the text."""
    with pytest.raises(UnsealFailed) as caught:
        unseal(KEY, sealed, BOUND)
    assert caught.value.args == ()
