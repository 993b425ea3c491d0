"""Nothing secret leaves the doctor: a report can be put into a bug report."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

Value = TypeVar("Value", str, Mapping[str, Any])

_RULES = (
    (re.compile(r"\b([a-z][a-z0-9+.-]*://)[^\s'\"]*@", re.IGNORECASE), r"\1"),  # user and password, as of a proxy
    (re.compile(r"\b([a-z][a-z0-9+.-]*://[^\s?#'\"]*)[?#][^\s'\"]*"), r"\1"),  # a query
    (re.compile(r"(TOKENCTL_\w+ is )(?:'[^']*'|\"[^\"]*\")"), "\\1\N{HORIZONTAL ELLIPSIS}"),  # a variable's value
)


def redacted(value: Value) -> Value:
    """Return a text, or values for `--json`, without the parts of URLs that can be secret, and without variables' values."""
    found: Any = _redacted(value)
    return found  # type: ignore[no-any-return]


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        for pattern, instead in _RULES:
            value = pattern.sub(instead, value)
    elif isinstance(value, Mapping):
        return {name: _redacted(each) for name, each in value.items()}
    elif isinstance(value, list | tuple):
        return [_redacted(each) for each in value]
    return value
