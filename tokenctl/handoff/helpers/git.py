"""git: the protocol of its credential helpers (git-credential(1)). From git 2.46 on with `authtype`: a Bearer token.

git ignores the exit status of `get`, and asks the next helper, or the person, when it gets no answer. So a failure is
answered with `quit=1`, and git ends with the reason that was written to stderr.
"""

from tokenctl.handoff.helpers.question import Answer, Question, on_stderr, reported
from tokenctl.model.origins import origin_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenctl.errors import TokenctlError
    from tokenctl.handoff.helpers.question import Given, Reads

BEARER = "bearer"
_CAPABILITY = b"version 0\ncapability authtype\n"
_LONGEST = 65535
"""Bytes of a line, with its end, at most (git-credential(1))."""


def reads(words: "Sequence[str]") -> "Reads":
    """Tell what is read of stdin: lines up to an empty one, for the verbs that have them."""
    return "block" if words[-1:] in (["get"], ["erase"], ["store"]) else "nothing"


def read(words: "Sequence[str]", content: bytes, environ: object) -> Question:
    """Read the question of git. What cannot be understood, and an unknown verb, is answered with silence."""
    if list(words) == ["capability"]:
        return Question("nothing", answer=Answer(_CAPABILITY))
    if len(words) != 1 or words[0] not in ("get", "erase"):
        return Question("nothing")
    try:
        values, lists = _attributes(content)
        address = _address(values["protocol"], values["host"])
    except (KeyError, ValueError):
        return Question("nothing")
    if words[0] == "get":
        return Question("token", address, user=values.get("username", ""), form=_form(lists))
    refused = values.get("credential") or values.get("password")
    return Question("refusal", address, refused=refused) if refused else Question("nothing")


def _attributes(content: bytes) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Read the lines: `key=value`, and `key[]=value` of keys with several values, where an empty one forgets the others.

    Raises ValueError for what git does not write: an attribute twice, and `url`, which would name a second host.
    """
    values: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    for line in content.split(b"\n"):
        if not line:
            break
        key, equals, value = line.decode(errors="replace").partition("=")
        if not equals or len(line) >= _LONGEST or b"\0" in line or b"\r" in line or key in values or key == "url":
            raise ValueError("not a line of git's")
        if not key.endswith("[]"):
            values[key] = value
        elif value:
            lists.setdefault(key, []).append(value)
        else:
            lists.pop(key, None)
    return values, lists


def _address(protocol: str, host: str) -> str:
    """Return the origin that is asked for. Raises ValueError, also when one of the two is more than its name says."""
    if protocol not in ("https", "http") or not {"/", "?", "#"}.isdisjoint(host):
        raise ValueError("not an origin")
    return origin_of(f"{protocol}://{host}")


def _form(lists: "dict[str, list[str]]") -> str:
    """Choose Bearer where git offers it, unless the server has said that it takes other schemes only."""
    schemes = [scheme for value in lists.get("wwwauth[]", ()) for scheme in _schemes(value)]
    return BEARER if "authtype" in lists.get("capability[]", ()) and (not schemes or BEARER in schemes) else ""


def _schemes(value: str) -> list[str]:
    """List the schemes of a `WWW-Authenticate` header, which can have several challenges (RFC 9110 section 11.6.1)."""
    unquoted = "".join(value.replace('\\"', "").split('"')[::2])
    firsts = [part.split()[0] for part in unquoted.replace(" =", "=").split(",") if part.strip()]
    return [first.lower() for first in firsts if "=" not in first]


def found(question: Question, given: "Sequence[Given]", now: int) -> Answer:
    """Answer with the token: as the password of Basic authentication, or as it is where git offered that."""
    token = given[0]
    if question.form == BEARER and token.prefix == "Bearer ":
        lines = ["capability[]=authtype", "authtype=Bearer", f"credential={token.token}", "ephemeral=1"]
    else:
        lines = [f"username={token.username}", f"password={token.token}"]
    until = reported(token.expires_at, now)
    if until is not None:
        lines.append(f"password_expiry_utc={until}")
    return Answer("".join(f"{line}\n" for line in lines).encode())


def failed(question: Question, error: "TokenctlError") -> Answer:
    """Let git end, and say why. After `erase` it reads no answer."""
    out = b"quit=1\n" if question.wants == "token" else b""
    return on_stderr(error, out)
