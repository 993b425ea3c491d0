"""kubectl, and all that uses client-go: the ExecCredential of client.authentication.k8s.io, v1 and v1beta1.

A failure is an exit status that is not 0, with the reason on stderr, which kubectl shows. The protocol has no other
answer for a cluster that is not bound. kubectl keeps the token until `expirationTimestamp`; after a 401 it runs the
helper again in the same process, and does not repeat the request.
"""

from tokenctl.handoff.helpers.plain_json import members, quoted
from tokenctl.handoff.helpers.question import Answer, Question, not_understood, on_stderr, timestamp, unbound
from tokenctl.model.origins import origin_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenctl.errors import TokenctlError
    from tokenctl.handoff.helpers.question import Given, Reads

_ASKED = "KUBERNETES_EXEC_INFO"
_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


def reads(words: "Sequence[str]") -> "Reads":
    """Tell what is read of stdin: nothing, since it is the person's."""
    return "nothing"


def read(words: "Sequence[str]", content: bytes, environ: "Mapping[str, str]") -> Question:
    """Read the question, which is JSON in a variable: the version of the answer, and the cluster."""
    if words:
        return not_understood("kubectl calls this helper without further words")
    if _ASKED not in environ:
        return not_understood(f"this helper is for kubectl, which sets {_ASKED}")
    try:
        asked = members(environ[_ASKED])
        version, spec = asked["apiVersion"], asked["spec"]
        if asked["kind"] != "ExecCredential" or version not in _VERSIONS:
            raise ValueError(version)
        if spec.get("cluster") is None:
            return not_understood("kubectl does not name the cluster: its kubeconfig needs 'provideClusterInfo: true'")
        server = spec["cluster"]["server"]
        address = origin_of(server)
    except (AttributeError, KeyError, TypeError, ValueError):
        return not_understood(f"{_ASKED} has no ExecCredential of v1 or v1beta1 with a server that can get a token")
    return Question(
        "token",
        address,
        absent=unbound(address),
        form=version,
        again=f"kubectl|{server}",
        may_ask=spec.get("interactive") is True,
    )


def found(question: Question, given: "Sequence[Given]", now: int) -> Answer:
    """Answer with the token, in the version that kubectl asked for, and its end where it is known."""
    token = given[0]
    until = timestamp(token.expires_at, now)
    end = "" if until is None else f',"expirationTimestamp":"{until}"'
    status = f'{{"token":{quoted(token.token)}{end}}}'
    return Answer(f'{{"apiVersion":"{question.form}","kind":"ExecCredential","status":{status}}}\n'.encode())


def failed(question: Question, error: "TokenctlError") -> Answer:
    """Answer with the reason on stderr."""
    return on_stderr(error)
