"""Google Cloud's libraries: executable-sourced credentials of workload identity federation, version 1.

The library asks with variables GOOGLE_EXTERNAL_ACCOUNT_*, and trades the token at Google's token endpoint. A failure is
JSON on stdout too, with an exit status that is not 0. The library for Python reads stderr as a part of stdout, so
nothing is ever written there.

GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE is not written: the library would keep the token there after its session was
revoked, and a call of this helper is fast. In interactive mode the library has a terminal in the place of stdout, so
the mode is refused.
"""

from tokenctl.handoff.helpers.plain_json import quoted
from tokenctl.handoff.helpers.question import Answer, Question, one_text, reported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenctl.errors import TokenctlError
    from tokenctl.handoff.helpers.question import Given, Reads

_VARIABLE = "GOOGLE_EXTERNAL_ACCOUNT_"
_TYPE = "urn:ietf:params:oauth:token-type:"


def reads(words: "Sequence[str]") -> "Reads":
    """Tell what is read of stdin: nothing."""
    return "nothing"


def read(words: "Sequence[str]", content: bytes, environ: "Mapping[str, str]") -> Question:
    """Read the question, which is in variables."""
    kind = environ.get(f"{_VARIABLE}TOKEN_TYPE", "")
    if words:
        return _refused("Google's libraries call this helper without further words")
    if environ.get(f"{_VARIABLE}REVOKE") == "1":
        return _refused("this helper signs nobody out: run 'tokenctl revoke'")
    if environ.get(f"{_VARIABLE}INTERACTIVE") == "1":
        return _refused("this helper has no interactive mode: run 'tokenctl login', and leave interactive mode off")
    if kind not in (f"{_TYPE}id_token", f"{_TYPE}jwt"):
        return _refused(f"{_VARIABLE}TOKEN_TYPE must be {_TYPE}jwt or {_TYPE}id_token")
    return Question("token", form=kind)


def found(question: Question, given: "Sequence[Given]", now: int) -> Answer:
    """Answer with the token, and its end where it is known."""
    until = reported(given[0].expires_at, now)
    end = "" if until is None else f',"expiration_time":{until}'
    token = f'"token_type":"{question.form}","id_token":{quoted(given[0].token)}'
    return Answer(f'{{"version":1,"success":true,{token}{end}}}\n'.encode())


def failed(question: Question, error: "TokenctlError") -> Answer:
    """Answer with the reason in JSON; the code is the exit status."""
    return _failure(error.exit_status, one_text(error))


def _refused(reason: str) -> Question:
    return Question("nothing", answer=_failure(2, reason))


def _failure(status: int, message: str) -> Answer:
    return Answer(
        f'{{"version":1,"success":false,"code":"{status}","message":{quoted(message)}}}\n'.encode(),
        status,
    )
