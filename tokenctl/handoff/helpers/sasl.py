"""sasl: the initial response of a SASL sign-in at a mail server (RFC 4422 section 3), in base64, with a newline.

The mechanisms are OAUTHBEARER (RFC 7628 section 3.1) and XOAUTH2, which Google and Microsoft have besides. The user name
is the one that the mail server knows, mostly an address. It is not the profile's `username`.
"""

from binascii import b2a_base64

from tokenctl.handoff.helpers.options import split
from tokenctl.handoff.helpers.question import Answer, Question, not_understood, on_stderr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenctl.errors import TokenctlError
    from tokenctl.handoff.helpers.question import Given, Reads

_END = "\x01"
"""What ends each part of a response, and once more the response."""


def reads(words: "Sequence[str]") -> "Reads":
    """Tell what is read of stdin: nothing."""
    return "nothing"


def read(words: "Sequence[str]", content: bytes, environ: "Mapping[str, str]") -> Question:
    """Read the question: the mechanism, `--user`, `--host` and `--port`. Its `form` is the response up to the token.

    OAUTHBEARER needs none of the options: without a user name the server takes that of the token, and host and port are
    there for tokens that sign them. XOAUTH2 needs the user name, and sends no host.
    """
    try:
        others, options = split(words, ("--user", "--host", "--port"))
        user, host, port = _user(options), _host(options), _port(options)
    except ValueError as error:
        return not_understood(str(error))
    match others:
        case ["oauthbearer"]:
            name = f"a={user.replace('=', '=3D').replace(',', '=2C')}" if user else ""
            return Question("token", form=f"n,{name},{_END}{host}{port}")
        case ["xoauth2"] if user:
            return Question("token", form=f"user={user}{_END}")
        case ["xoauth2"]:
            return not_understood("xoauth2 needs the user name that the mail server knows: --user you@example.com")
    return not_understood("name one mechanism: oauthbearer or xoauth2")


def _user(options: "Mapping[str, str]") -> str:
    """Return the user name; empty when there is none. A control character could end its part of the response."""
    user = options.get("--user", "")
    if not user.isprintable():
        raise ValueError(f"--user has characters that no user name has: {user!a:.40}")
    return user


def _host(options: "Mapping[str, str]") -> str:
    host = options.get("--host", "")
    if not host.isascii() or not host.isprintable() or " " in host:
        raise ValueError(f"--host is not the name of a server: {host!a:.40}")
    return f"host={host}{_END}" if host else ""


def _port(options: "Mapping[str, str]") -> str:
    port = options.get("--port", "")
    if port and not (port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65536):
        raise ValueError(f"--port is a number from 1 to 65535, not {port!a:.40}")
    return f"port={int(port)}{_END}" if port else ""


def found(question: Question, given: "Sequence[Given]", now: int) -> Answer:
    """Answer with the response."""
    return Answer(b2a_base64(f"{question.form}auth=Bearer {given[0].token}{_END}{_END}".encode()))


def failed(question: Question, error: "TokenctlError") -> Answer:
    """Answer with the reason on stderr."""
    return on_stderr(error)
