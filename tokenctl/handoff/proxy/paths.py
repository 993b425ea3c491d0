"""What a server can understand a path as, however it is encoded.

A path reaches the upstream as it came. So every reading of it has to be harmless: decoded once or several times, as
UTF-8 with needless bytes, by Unicode's compatibility forms, and with parameters cut off.
"""

import re
import unicodedata
from urllib.parse import unquote_to_bytes

MOST_LAYERS = 5
"""How often a path can be encoded; one that is encoded more often is refused."""

_PLAIN = re.compile(rb"(?:/+[A-Za-z0-9_~!$&'()*+,=:@-][A-Za-z0-9_~!$&'()*+,=:@.-]*)*/*")
"""A path that can be read in one way only, and has no segment of dots."""
_UNICODE_ESCAPE = re.compile(rb"%[uU]([0-9A-Fa-f]{4})")
_LOOSE_UTF_8 = re.compile(
    rb"[\xc0\xc1][\x00-\xff]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf7][\x80-\xbf]{3}"
    rb"|[\xf8-\xfb][\x80-\xbf]{4}|[\xfc\xfd][\x80-\xbf]{5}"
)
"""Characters in UTF-8, also where fewer bytes would do (RFC 3629 section 3 forbids that)."""
_LIKE_ASCII = str.maketrans(
    {"\u2044": "/", "\u2215": "/", "\u29f8": "/", "\u2216": "\\", "\u29f5": "\\", "\u29f9": "\\", "\u3002": "."}
)
"""Characters that some systems read as ASCII, beside those that Unicode's compatibility forms name."""
_END_OF_SEGMENT = re.compile(r"[;?#]")
_CONTROLS = re.compile(r"[\x00-\x20\x7f-\xa0]")


def readings(path: bytes) -> list[str] | None:
    """Return what the path can be read as, from as it is to wholly decoded; None if it is encoded too often."""
    if _PLAIN.fullmatch(path):
        return [path.decode("ascii")]
    found = []
    for _ in range(MOST_LAYERS + 1):
        found += [path.decode("latin-1"), _text(path)]
        decoded = _decoded(path)
        if decoded == path:
            return found
        path = decoded
    return None


def is_harmful(reading: str) -> bool:
    """Tell whether a reading of a path has a segment `.` or `..`, a backslash or NUL."""
    if "\\" in reading or "\0" in reading:
        return True
    segments = (_END_OF_SEGMENT.split(each, maxsplit=1)[0] for each in reading.split("/"))
    return any(_CONTROLS.sub("", each) in (".", "..") for each in segments)


def has_prefix(reading: str, prefix: str) -> bool:
    """Tell whether a path begins with the segments of a prefix: `/v1` is one of `/v1/x`, and not of `/v1x`."""
    prefix = prefix.rstrip("/")
    return reading == prefix or reading.startswith(f"{prefix}/")


def _decoded(path: bytes) -> bytes:
    path = _UNICODE_ESCAPE.sub(lambda found: chr(int(found[1], 16)).encode("utf-8", "replace"), path)
    return unquote_to_bytes(path)


def _text(path: bytes) -> str:
    """Read bytes as UTF-8, leniently, and as Latin-1 what is none; in the compatibility form (NFKC)."""
    parts, end = [], 0
    for found in _LOOSE_UTF_8.finditer(path):
        parts += [path[end : found.start()].decode("latin-1"), _character(found[0])]
        end = found.end()
    text = "".join(parts) + path[end:].decode("latin-1")
    return unicodedata.normalize("NFKC", text.translate(_LIKE_ASCII)).translate(_LIKE_ASCII)


def _character(sequence: bytes) -> str:
    number = sequence[0] & (0xFF >> (len(sequence) + 1))
    for byte in sequence[1:]:
        number = number << 6 | byte & 0x3F
    return chr(number) if number < 0x110000 else "\N{REPLACEMENT CHARACTER}"
