"""docker, and all that reads its configuration: podman, skopeo, buildah. The protocol of docker-credential-helpers.

A failure is a text on stdout with exit status 1. One text means that this helper has nothing for the registry.
"""

from tokenctl import __version__
from tokenctl.handoff.helpers.plain_json import members, quoted
from tokenctl.handoff.helpers.question import Answer, Question
from tokenctl.model.origins import address_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenctl.errors import TokenctlError
    from tokenctl.handoff.helpers.question import Given, Reads

_NOT_FOUND = Answer(b"credentials not found in native keychain\n", 1)
_KEEPS_NOTHING = "tokenctl keeps no passwords, and no profile is bound to this registry: see 'tokenctl help helpers'"


def reads(words: "Sequence[str]") -> "Reads":
    """Tell what is read of stdin: all of it, except for `version`."""
    return "all" if words[-1:] in (["get"], ["store"], ["erase"], ["list"]) else "nothing"


def read(words: "Sequence[str]", content: bytes, environ: object) -> Question:
    """Read the question: a registry as text for `get` and `erase`, a JSON object for `store`."""
    verb = words[0] if len(words) == 1 else ""
    if verb == "version":
        return Question("nothing", answer=Answer(f"docker-credential-tokenctl {__version__}\n".encode()))
    if verb == "list":
        return Question("origins")
    if verb not in ("get", "store", "erase"):
        return _refused(f"unknown credential action: {verb!r:.40}; docker calls get, store, erase, list and version")
    try:
        text = content.decode("ascii").strip("\r\n")
        if verb == "store":
            text = str(members(content.decode())["ServerURL"])
        address = address_of(text)
    except (KeyError, ValueError):
        return Question("nothing", answer=_NOT_FOUND) if verb == "get" else _refused("this is no registry")
    if verb == "get":
        return Question("token", address, absent=_NOT_FOUND, form=text)
    # What tokenctl gives needs no keeping; a password of another registry must not be lost without a word.
    return Question("binding", address, absent=_refused(_KEEPS_NOTHING).answer if verb == "store" else Answer())


def _refused(reason: str) -> Question:
    return Question("nothing", answer=Answer(f"{reason}\n".encode(), 1))


def found(question: Question, given: "Sequence[Given]", now: int) -> Answer:
    """Answer with the token as the password of Basic authentication; for `list`, with the user name of each registry."""
    if question.wants == "origins":
        listed = ",".join(f"{quoted(each.origin.partition('//')[2])}:{quoted(each.username)}" for each in given)
        return Answer(f"{{{listed}}}\n".encode())
    user, secret = quoted(given[0].username), quoted(given[0].token)
    return Answer(f'{{"ServerURL":{quoted(question.form)},"Username":{user},"Secret":{secret}}}\n'.encode())


def failed(question: Question, error: "TokenctlError") -> Answer:
    """Answer with the reason, which docker reads on stdout."""
    step = f"; {error.next_step}" if error.next_step else ""
    return Answer(f"{error.message}{step}\n".encode(), 1)
