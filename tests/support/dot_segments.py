"""How servers decode a path, each in its way: what one of them takes for `..` must not reach any of them."""

import re
import unicodedata
from urllib.parse import unquote_to_bytes

ROUNDS = 4
"""How often a server may decode a path that was decoded already."""


def readings(target: bytes) -> set[bytes]:
    """Every path that a server could understand a target as."""
    path = re.split(rb"[?#]", target, maxsplit=1)[0]
    found = {path, target.partition(b"?")[0]}
    for _ in range(ROUNDS):
        for way in (unquote_to_bytes, _unicode_escapes, _overlong, _compatible, _no_parameters):
            found |= {way(each) for each in found}
    return found | {each.replace(b"\\", b"/") for each in found}


def dangers(target: bytes) -> list[bytes]:
    """The readings of a target that leave its folder, or that hide something."""
    return sorted(
        each
        for each in readings(target)
        if {b".", b".."} & set(each.split(b"/")) or b"\\" in each or re.search(rb"[\0\r\n]", each)
    )


def _unicode_escapes(path: bytes) -> bytes:
    """Decode `%u002e`, as IIS and some languages do."""
    return re.sub(rb"%u00([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), path, flags=re.IGNORECASE)


def _overlong(path: bytes) -> bytes:
    """Decode UTF-8 that is longer than it must be, as RFC 3629 section 3 forbids, and without a look at the first bits."""
    two = re.sub(rb"[\xc0\xc1][\0-\xff]", lambda found: bytes([(found[0][0] & 1) << 6 | found[0][1] & 63]), path)
    three = re.sub(rb"\xe0[\x80\x81][\x80-\xbf]", lambda found: bytes([(found[0][1] & 1) << 6 | found[0][2] & 63]), two)
    return re.sub(
        rb"\xf0\x80[\x80\x81][\x80-\xbf]", lambda found: bytes([(found[0][2] & 1) << 6 | found[0][3] & 63]), three
    )


def _compatible(path: bytes) -> bytes:
    """Replace full-width letters and the like by plain ones, as some servers do with names."""
    try:
        return unicodedata.normalize("NFKC", path.decode()).encode()
    except UnicodeDecodeError:
        return path


def _no_parameters(path: bytes) -> bytes:
    """Leave out `;name=value` in each segment, as Java's servers do (RFC 3986 section 3.3)."""
    return re.sub(rb";[^/]*", b"", path)
