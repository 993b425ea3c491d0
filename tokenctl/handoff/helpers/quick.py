"""The fast way of the helpers: no config file is understood, no keyring library is loaded, nothing is renewed.

It answers from the copy of the token in the kernel's keyring (see `fast_path`). And it answers that an origin is not
bound where the config file does not even have the name of the host. Everything else is left to `answering`.
"""

import os
from stat import S_ISREG

from tokenctl import fast_path
from tokenctl.handoff.helpers.conversation import Conversation, written
from tokenctl.handoff.helpers.question import Answer, Given, Question
from tokenctl.model.origins import host_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_LARGEST = 1024 * 1024
"""Bytes of a config file that is searched for a host."""


def answer(conversation: Conversation) -> None:
    """Answer the client's questions and end the process, or return: the conversation has the first one without an answer."""
    status = 0
    if not written(conversation.greeting):
        os._exit(1)
    while (question := conversation.next(os.environ)) is not None:
        try:
            found = _answered(conversation, question)
        except Exception:  # a defect: the ordinary way reports it in the words of the protocol, if it has it too
            return
        if found is None or found.error:
            return
        if not written(found.out):
            os._exit(1)
        status = found.status
    os._exit(status)  # nothing is open and nothing is buffered, so that there is nothing else to end


def _answered(conversation: Conversation, question: Question) -> Answer | None:
    """Return the answer; None where the ordinary way has to find it."""
    if question.wants == "nothing":
        return question.answer
    if question.address and is_surely_unbound(question.address, os.environ):
        return question.absent
    if question.wants != "token":
        return None
    found = fast_path.fetch(conversation.profile or "", question.address, question.min_ttl)
    if found is None:
        return None
    copy, now = found
    if question.user not in ("", copy["username"]):
        return question.absent
    if not _is_first(question, copy, now):
        return None
    given = Given(copy["token"], copy["origin"], copy["username"], copy["prefix"], int(copy["expires_at"]))
    return conversation.helper.found(question, (given,), now)


def _is_first(question: Question, copy: dict[str, str], now: int) -> bool:
    """Tell whether the client has not been refused with this token, as far as can be told; and remember that it gets it."""
    if not question.again:
        return True
    from tokenctl.handoff.helpers import again

    name, folder = again.name_of(question, copy["profile"]), f"{copy['state']}/{again.FOLDER}"
    if name is None:
        return True
    before = again.read(folder, name)
    checksum = again.checksum_of(copy["token"])
    token = again.Remembered(int(copy["obtained_at"]), int(copy["expires_at"]), checksum, now)
    guessed = again.was_refused(before, token, question.interval)
    if guessed and not again.is_in_vain(folder, copy["profile"], token):
        return False
    return again.write(folder, name, token)


def is_surely_unbound(address: str, environ: "Mapping[str, str]") -> bool:
    """Tell whether no profile can be bound to the address, because the config file does not have the host's name.

    There it stands behind the scheme of an origin. A text with a backslash can have it in another spelling, and an IPv6
    address has several. A variable can describe a profile, or name another file. A pipe is not read: its content would
    be gone.
    """
    if any(name.upper().startswith("TOKENCTL_") and name not in fast_path.NAMED for name in environ):
        return False
    path, host = fast_path.config_path(environ), host_of(address)
    if not path.startswith("/") or ":" in host or environ.get("TOKENCTL_PROFILE", "x").strip() == "":
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return "TOKENCTL_CONFIG" not in environ
    except (OSError, ValueError):
        return False
    try:
        found = os.fstat(descriptor)
        content = os.read(descriptor, _LARGEST) if S_ISREG(found.st_mode) else b""
    except OSError:
        return False
    finally:
        os.close(descriptor)
    is_whole = S_ISREG(found.st_mode) and found.st_size == len(content) < _LARGEST
    return is_whole and b"\\" not in content and f"//{host}".encode() not in content.lower()
