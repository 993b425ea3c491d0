"""What a server can read a path as: nothing that leaves its folder gets through, and everything else does."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl.handoff.proxy.paths import has_prefix, is_harmful, readings

DOTS = [
    "%2e",
    "%2E",
    ".",
    "%252e",
    "%25252e",
    "%u002e",
    "%c0%ae",
    "%c0%2e",
    "%e0%80%ae",
    "%f0%80%80%ae",
    "%ef%bc%8e",
    "%e2%80%a4",
]
SLASHES = ["/", "%2f", "%252F", "%c0%af", "%ef%bc%8f", "%u2215", "%e2%88%95"]
ENDS = ["", ";x", "%3bx", ";", "%20", "%0d%0a", "%3f", "%23x"]


def refused(path: str) -> bool:
    """Tell whether the path is refused."""
    found = readings(path.encode())
    return found is None or any(is_harmful(each) for each in found)


@given(st.sampled_from(DOTS), st.sampled_from(["", *DOTS]), st.sampled_from(SLASHES), st.sampled_from(ENDS))
def test_a_segment_of_dots_is_refused_however_it_is_written(one: str, other: str, slash: str, end: str) -> None:
    """One dot or two, in any encoding, are a segment also behind an encoded slash and before parameters."""
    assert refused(f"/a{slash}{one}{other}{end}{slash}b")
    assert refused(f"/{one}{other}{end}")


@pytest.mark.parametrize(
    "character", ["\\", "%5c", "%255C", "%c1%9c", "%ef%bc%bc", "%00", "%2500", "%u0000", "%e2%88%96"]
)
def test_a_backslash_and_nul_are_refused(character: str) -> None:
    """Some servers read a backslash as a slash, and end a path at NUL."""
    assert refused(f"/a{character}b")


@given(st.lists(st.text(st.characters(codec="ascii", categories=["L", "N"], include_characters="-_~@:")), min_size=1))
def test_a_path_of_letters_and_digits_passes_in_every_encoding(segments: list[str]) -> None:
    """A path without dots, backslashes and NUL passes, also when everything in it is encoded."""
    assert not refused("/" + "/".join(segments))
    assert not refused("/" + "/".join("".join(f"%{ord(each):02x}" for each in segment) for segment in segments))


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "//",
        "/a.b",
        "/.well-known/x",
        "/..a",
        "/a..",
        "/...",
        "/%c3%a9",
        "/%E9t%E9",
        "/a%2fb",
        "/a;v=1/b",
        "/100%",
        "/%zz",
    ],
)
def test_an_ordinary_path_passes(path: str) -> None:
    """Names with dots, other languages, encoded slashes and a percent sign alone are no danger."""
    assert not refused(path)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\\\0", exclude_categories=["C", "Z"]), min_size=1))
def test_a_reading_never_fails(text: str) -> None:
    """Every path has readings, and the last one is decoded as far as can be."""
    assert readings(b"/" + quote(text).encode())


def test_a_path_that_is_encoded_too_often_is_refused() -> None:
    """Nobody writes such a path for a good reason."""
    assert readings(b"/%" + b"25" * 7 + b"41") is None


@pytest.mark.parametrize(
    ("path", "covered"),
    [("/v1", True), ("/v1/", True), ("/v1/x", True), ("/v1x", False), ("/V1", False), ("/", False), ("//v1", False)],
)
def test_a_prefix_ends_at_a_segment(path: str, covered: bool) -> None:
    """`/v1` covers itself and what is below it; with or without a slash at its end."""
    assert has_prefix(path, "/v1") is covered
    assert has_prefix(path, "/v1/") is covered
    assert has_prefix(path, "/")
