"""git: the protocol of its credential helpers (git-credential(1)). From git 2.46 on with `authtype`: a Bearer token.

git ignores the exit status of `get`, and asks the next helper, or the person, when it gets no answer. So a failure is
answered with `quit=1`, and git ends with the reason that was written to stderr.
"""

from tokenctl.handoff.helpers.question import Answer, Question, reported
from tokenctl.model.origins import origin_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenctl.errors import TokenctlError
    from tokenctl.handoff.helpers.question import Given, Reads

_ONCE = ("protocol", "host", "username", "password", "authtype", "credential", "path")
_CAPABILITY = b"version 0\ncapability authtype\n"
BEARER = "bearer"
_SCHEME = "wwwauth[]="


def reads(words: "Sequence[str]") -> "Reads":
    """Tell what is read of stdin: lines up to an empty one, for the verbs that have them."""
    return "block" if words[-1:] in (["get"], ["erase"], ["store"]) else "nothing"


def read(words: "Sequence[str]", content: bytes, environ: object) -> Question:
    """Read the question of git. What cannot be understood, and an unknown verb, is answered with silence."""
    if list(words) == ["capability"]:
        return Question("nothing", answer=Answer(_CAPABILITY))
    if len(words) != 1 or words[0] not in ("get", "erase"):
        return Question("nothing")
    members, listed = _members(content)
    try:
        address = origin_of(f"{members['protocol']}://{members['host']}")
    except (KeyError, ValueError):
        return Question("nothing")
    if "/" in members["host"]:
        return Question("nothing")
    if words[0] == "erase":
        return Question("refusal", address, refused=members.get("credential") or members.get("password", ""))
    return Question("token", address, user=members.get("username", ""), form=_form(listed))


def _form(listed: "Sequence[str]") -> str:
    """Choose Bearer where git offers it, unless the server has said that it takes other schemes only (RFC 9110 11.6.1)."""
    schemes = [line[len(_SCHEME) :].partition(" ")[0].lower() for line in listed if line.startswith(_SCHEME)]
    return BEARER if "capability[]=authtype" in listed and (not schemes or BEARER in schemes) else ""


def _members(content: bytes) -> tuple[dict[str, str], list[str]]:
    """Read the lines `key=value`, and those with `key[]`; empty when one of them is no line of git's."""
    members: dict[str, str] = {}
    listed = []
    for line in content.decode(errors="replace").split("\n"):
        key, equals, value = line.partition("=")
        if not line:
            break
        harmful = "\0" in line or "\r" in line
        if not equals or harmful or (key in _ONCE and key in members):
            return {}, []
        if key.endswith("[]"):
            listed.append(line)
        else:
            members[key] = value
    return members, listed


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
    """Let git end, and say why."""
    return Answer(b"quit=1\n", error.exit_status, error.message, error.next_step)
