"""docker, and all that reads its configuration: podman, skopeo, buildah. The protocol of docker-credential-helpers.

A failure is a text on stdout with exit status 1. One text means that this helper has nothing for the registry. Some
commands of docker drop any other text, and go on without credentials; what is on stderr reaches the person.
"""

from tokenctl import __version__
from tokenctl.handoff.helpers.plain_json import members, quoted
from tokenctl.handoff.helpers.question import Answer, Question, one_text
from tokenctl.model.origins import address_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenctl.errors import TokenctlError
    from tokenctl.handoff.helpers.question import Given, Reads

_NOT_FOUND = Answer(b"credentials not found in native keychain\n", 1)
_KEEPS_NOTHING = "tokenctl keeps no passwords, and no profile is bound to this registry: see 'tokenctl help helpers'"


def reads(words: "Sequence[str]") -> "Reads":
    """Tell what is read of stdin: all of it, also for `list`, for which docker writes a word that means nothing."""
    return "all" if words[-1:] in (["get"], ["store"], ["erase"], ["list"]) else "nothing"


def read(words: "Sequence[str]", content: bytes, environ: object) -> Question:
    """Read the question: a registry as text for `get` and `erase`, a JSON object for `store`."""
    match list(words):
        case ["version"]:
            return Question("nothing", answer=Answer(f"docker-credential-tokenctl {__version__}\n".encode()))
        case ["list"]:
            return Question("origins")
        case ["get"]:
            return _get(content)
        case ["store" | "erase" as verb]:
            return _store(content) if verb == "store" else _erase(content)
    return _refused(f"docker calls get, store, erase, list and version, not {' '.join(words)!r:.60}")


def _get(content: bytes) -> Question:
    try:
        asked = _registry(content)
        return Question("token", address_of(asked), absent=_NOT_FOUND, form=asked)
    except ValueError:
        return Question("nothing", answer=_NOT_FOUND)


def _store(content: bytes) -> Question:
    """What tokenctl gives needs no keeping; a password of another registry must not be lost without a word."""
    try:
        address = address_of(str(members(content.decode())["ServerURL"]))
    except (KeyError, ValueError):
        return _refused("tokenctl can store nothing for this: it names no registry")
    return Question("binding", address, absent=_refused(_KEEPS_NOTHING).answer)


def _erase(content: bytes) -> Question:
    try:
        address_of(_registry(content))
    except ValueError:
        return _refused("tokenctl can erase nothing for this: it is no registry")
    return Question("nothing")


def _registry(content: bytes) -> str:
    return content.decode().removesuffix("\n").removesuffix("\r")


def _refused(reason: str) -> Question:
    return Question("nothing", answer=Answer(f"{reason}\n".encode(), 1))


def found(question: Question, given: "Sequence[Given]", now: int) -> Answer:
    """Answer with the token as the password of Basic authentication; for `list`, with the user name of each registry.

    The user name is never `<token>`, which would make it a refresh token: no profile can have that one.
    """
    if question.wants == "origins":
        users = {each.origin.partition("//")[2]: each.username for each in given}
        return _object(users)
    token = given[0]
    return _object({"ServerURL": question.form, "Username": token.username, "Secret": token.token})


def _object(texts: dict[str, str]) -> Answer:
    return Answer(f"{{{','.join(f'{quoted(name)}:{quoted(text)}' for name, text in texts.items())}}}\n".encode())


def failed(question: Question, error: "TokenctlError") -> Answer:
    """Answer with the reason: on stdout for docker, and on stderr for the person."""
    return Answer(f"{one_text(error)}\n".encode(), 1, error.message, error.next_step)
