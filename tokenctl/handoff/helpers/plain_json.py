"""JSON without the `json` package, whose import costs as much as half an interpreter's start.

Reading is done by the C code below that package. Where a Python has none, the package does it.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SPACE = " \t\n\r"
_MOST = 1024
"""Objects and arrays in a text, at most: so none can be nested too deep for the stack of the C code."""


def loads(text: str) -> "Any":
    """Read a JSON text. Raises ValueError, also for duplicate names (RFC 8259 section 4) and for one that is too deep."""
    if text.count("[") + text.count("{") > _MOST:
        raise ValueError("too deep")
    in_c = _c_code()
    if in_c is None:
        import json

        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    start = len(text) - len(text.lstrip(_SPACE))
    try:
        value, end = in_c.make_scanner(_Context)(text, start)
    except (StopIteration, SystemError):  # the second: without the package, the scanner has no error of its own
        raise ValueError("not JSON") from None
    except RecursionError:
        raise ValueError("too deep") from None
    if text[end:].strip(_SPACE):
        raise ValueError("more than one value")
    return value


def members(text: str) -> "dict[str, Any]":
    """Read a JSON text that must be an object. Raises ValueError."""
    found = loads(text)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def quoted(text: str) -> str:
    """Write a JSON string, in ASCII. The text is a token mostly, and needs no code but this."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    import json

    return json.dumps(text)


def _c_code() -> "Any":
    """Return the C code that reads JSON; None for a Python that has none."""
    try:
        import _json
    except ImportError:
        return None
    return _json


def _once(pairs: "list[tuple[str, Any]]") -> "dict[str, Any]":
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


class _Context:
    """What the scanner asks for."""

    strict = True
    object_hook = None
    object_pairs_hook = staticmethod(_once)
    parse_float = float
    parse_int = int
    parse_constant = staticmethod(_no_constant)
    memo: "dict[str, str]" = {}  # noqa: RUF012 (the scanner's own)
