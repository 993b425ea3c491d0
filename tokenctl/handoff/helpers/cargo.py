"""cargo: the protocol of its credential providers, and that of `cargo:token-from-stdout`.

With `--cargo-plugin` each request is a line of JSON, and so is each answer; a failure is an answer too, with exit status 0.
Without it a variable names the registry, the answer is one line, and a failure is a reason on stderr.
"""

from tokenctl.handoff.helpers.plain_json import members, quoted
from tokenctl.handoff.helpers.question import Answer, Question, not_understood, one_text, reported
from tokenctl.model.origins import origin_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenctl.errors import TokenctlError
    from tokenctl.handoff.helpers.question import Given, Reads

GREETING = b'{"v":[1]}\n'
"""The versions of the protocol that this helper knows: cargo waits for it."""
_PLUGIN = ["--cargo-plugin"]
_LINE = "line"
_INDEX = "CARGO_REGISTRY_INDEX_URL"
_NOT_THIS_ONE = Answer(b'{"Err":{"kind":"url-not-supported"}}\n')
"""Lets cargo ask its next provider."""
_UNKNOWN_KIND = Answer(b'{"Err":{"kind":"operation-not-supported"}}\n')
_SIGN_IN = "tokenctl keeps no token of cargo's: sign in with 'tokenctl login', and out with 'tokenctl revoke'"


def reads(words: "Sequence[str]") -> "Reads":
    """Tell what is read of stdin: a request each line."""
    return "lines" if list(words) == _PLUGIN else "nothing"


def read(words: "Sequence[str]", content: bytes, environ: "Mapping[str, str]") -> Question:
    """Read a request of cargo. A registry whose index is not on http is no registry of ours."""
    if list(words) == _PLUGIN:
        return _request(content)
    if words or _INDEX not in environ:
        return not_understood(
            "cargo calls this helper with --cargo-plugin, or as its provider 'cargo:token-from-stdout'"
        )
    unbound = Answer(status=1, error="no profile is bound to this registry", hint="see 'tokenctl help helpers'")
    try:
        return Question("token", _address(environ[_INDEX]), absent=unbound, form=_LINE)
    except ValueError:
        return Question("nothing", answer=unbound)


def _request(line: bytes) -> Question:
    try:
        request = members(line.decode())
        version, kind, url = request["v"], request["kind"], str(request["registry"]["index-url"])
        profile = _profile(request.get("args", []))
    except (KeyError, TypeError, ValueError):
        return Question("nothing", answer=_failure("this is no request of cargo that tokenctl understands"))
    if version != 1:
        return Question("nothing", answer=_failure("tokenctl knows only version 1 of cargo's requests"))
    try:
        address = _address(url)
    except ValueError:
        return Question("nothing", answer=_NOT_THIS_ONE)
    if kind == "get":
        return Question("token", address, absent=_NOT_THIS_ONE, profile=profile)
    answer = _failure(_SIGN_IN) if kind in ("login", "logout") else _UNKNOWN_KIND
    return Question("binding", address, answer=answer, absent=_NOT_THIS_ONE, profile=profile)


def _profile(args: object) -> str:
    """Read the words that stand behind the program's name in cargo's configuration. Raises ValueError."""
    match args:
        case []:
            return ""
        case ["-p" | "--profile", str(name)] if name:
            return name
    raise ValueError("not the words of a profile")


def _address(index: str) -> str:
    return origin_of(index.removeprefix("sparse+"))


def _failure(reason: str) -> Answer:
    return Answer(f'{{"Err":{{"kind":"other","message":{quoted(reason)},"caused-by":[]}}}}\n'.encode())


def found(question: Question, given: "Sequence[Given]", now: int) -> Answer:
    """Answer with the value of the header: cargo sends it as it is. It can use it for every operation until its end."""
    header = given[0].header
    if question.form == _LINE:
        return Answer(f"{header}\n".encode())
    until = reported(given[0].expires_at, now)
    cache = '"session"' if until is None else f'"expires","expiration":{until}'
    answer = f'{{"kind":"get","token":{quoted(header)},"cache":{cache},"operation_independent":true}}'
    return Answer(f'{{"Ok":{answer}}}\n'.encode())


def failed(question: Question, error: "TokenctlError") -> Answer:
    """Answer with the reason, which cargo shows; it then asks no other provider."""
    if question.form == _LINE:
        return Answer(status=1, error=error.message, hint=error.next_step)
    return _failure(one_text(error))
