"""Nothing secret leaves the doctor: a report can be put into a bug report."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from tokenctl.config.variables import PREFIX
from tokenctl.model.profile import CHECKS

Value = TypeVar("Value", str, Mapping[str, Any])

CUT = "\N{HORIZONTAL ELLIPSIS}"
"""What stands in the place of what is cut."""
_QUOTED = r"""'(?:[^'\\]|\\.)*'?|"(?:[^"\\]|\\.)*"?"""
_RULES = (
    # User and password, as of a proxy; a remedy says where to write them.
    (re.compile(r"\b([a-z][a-z0-9+.-]*://)(?!USER:PASSWORD@)[^\s'\"]*@", re.IGNORECASE), r"\1"),
    (re.compile(r"\b([a-z][a-z0-9+.-]*://[^\s?#'\"]*)[?#][^\s'\"]*", re.IGNORECASE), r"\1"),  # a query
    # The value of a variable, as the messages about variables quote it. A long one is cut off, with its last quotation mark.
    (re.compile(r"(TOKENCTL_\w+[^'\";]*, not ).*", re.DOTALL), rf"\1{CUT}"),
    (re.compile(rf"(TOKENCTL_\w+(?::| is) )(?:{_QUOTED})"), rf"\1{CUT}"),
)
_SHOWN = {f"{PREFIX}{name.upper()}" for name in (*CHECKS, "profile", "config", "state_dir") if name != "hosts"}
"""Variables that say who is asked, and for what: a finding can be about that."""
SHORTEST = 8
"""Characters of a word that is cut wherever it is: a shorter one is also an ordinary word."""


class Redaction:
    """Cuts the parts of addresses that can be secret, and what the variables of an environment say."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        said = [value for name, value in environ.items() if name.startswith(PREFIX) and name not in _SHOWN]
        words = {word for value in said for word in (value.strip(), *value.split()) if len(word) >= SHORTEST}
        self._words = sorted(words, key=len, reverse=True)  # a long one first: a short one can be a part of it

    def of(self, value: Value) -> Value:
        """Return a text, or values for `--json`, without what can be secret."""
        found: Any = self._of(value)
        return found  # type: ignore[no-any-return]

    def _of(self, value: Any) -> Any:
        if isinstance(value, str):
            for word in self._words:
                value = value.replace(word, CUT)
            for pattern, instead in _RULES:
                value = pattern.sub(instead, value)
        elif isinstance(value, Mapping):
            return {name: self._of(each) for name, each in value.items()}
        elif isinstance(value, list | tuple):
            return [self._of(each) for each in value]
        return value
