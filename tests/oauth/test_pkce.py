"""Proof Key for Code Exchange."""

import re

from hypothesis import given
from hypothesis import strategies as st

from tokenctl.oauth.pkce import challenge, unreserved


def test_the_challenge_is_the_rfcs() -> None:
    """RFC 7636 appendix B comes out to the character."""
    assert challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@given(st.binary(min_size=32, max_size=32))
def test_a_verifier_has_43_unreserved_characters(entropy: bytes) -> None:
    """RFC 7636 section 4.1 wants 43 to 128 of them, with 256 bits in them."""
    assert re.fullmatch(r"[A-Za-z0-9._~-]{43}", unreserved(entropy))
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", challenge(unreserved(entropy)))


@given(st.lists(st.binary(min_size=32, max_size=32), unique=True, min_size=2))
def test_other_bytes_make_another_verifier(entropies: list[bytes]) -> None:
    """No randomness is lost on the way."""
    assert len({unreserved(each) for each in entropies}) == len(entropies)
