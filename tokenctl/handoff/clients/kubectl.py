"""kubectl: a user of our own in the first file of KUBECONFIG, for the contexts whose cluster is at the origin.

The contexts get another user, and the old user stays as it is: another context may need it, and `removed` finds its name
in the new one. `kubectl config set-credentials` writes the whole file anew, so it is not used.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tokenctl.errors import UsageError
from tokenctl.handoff.clients import kubeconfig
from tokenctl.handoff.clients.block_yaml import Node, NotUnderstood, read
from tokenctl.handoff.clients.kubeconfig import text_of
from tokenctl.handoff.clients.lines import checked_path, without_lines
from tokenctl.handoff.clients.wanted import Foreign, Script, Unreadable, Wanted

_PLAIN = re.compile(r"[A-Za-z/][\w./@+-]*")


def path(environ: Mapping[str, str]) -> Path:
    """Return the first file of KUBECONFIG, or ~/.kube/config."""
    chosen = next(filter(None, environ.get("KUBECONFIG", "").split(os.pathsep)), None)
    return Path(chosen) if chosen else Path(environ.get("HOME") or Path.home()) / ".kube/config"


def is_there(text: str, wanted: Wanted) -> bool:
    """Tell whether a context of the cluster has a user that calls our helper in this way."""
    try:
        root = read(text)
        users = kubeconfig.named(root, "users")
        names = [text_of(context, "user") or "" for context in kubeconfig.contexts_at(root, wanted.origin)]
    except NotUnderstood:
        return False
    return any(_call(users.get(name)) == wanted.call("kubectl") for name in names)


def added(text: str, wanted: Wanted) -> str:
    """Give the contexts of the cluster a user that calls our helper.

    Contexts that have credentials are left alone where others have none. Raises Foreign where all have some,
    Unreadable, and UsageError where no context is for a cluster at the origin.
    """
    if is_there(text, wanted):
        return text
    with _readable(wanted):
        root = read(text)
        users, contexts = kubeconfig.named(root, "users"), list(kubeconfig.contexts_at(root, wanted.origin))
        chosen = _chosen(users, contexts, wanted)
        ours = {_name(context, wanted) for context in chosen}
        for context in chosen:
            text = _pointed(text, context, wanted)
        for name in sorted(ours):
            if name in users:
                text = kubeconfig.without_user(text, name)
            text = kubeconfig.with_user(text, _user(name, wanted))
    if not is_there(text, wanted):
        raise _unreadable(wanted, "what it has")
    return text


def removed(text: str, wanted: Wanted) -> str:
    """Give the contexts of the cluster their old users again, and take out users of ours that no context has."""
    with _readable(wanted):
        root = read(text)
        users, ours = kubeconfig.named(root, "users"), set()
        for context in kubeconfig.contexts_at(root, wanted.origin):
            name = text_of(context, "user") or ""
            if _call(users.get(name))[1:3] == ["helper", "kubectl"]:
                ours.add(name)
                text = _pointed_back(text, context.members["user"])
        for name in sorted(ours - {text_of(each, "user") for each in kubeconfig.contexts(read(text))}):
            text = kubeconfig.without_user(text, name)
    return text


def scripts(environ: Mapping[str, str], wanted: Wanted) -> Sequence[Script]:
    """List nothing: kubectl calls tokenctl itself."""
    return ()


def hints(wanted: Wanted) -> Sequence[str]:
    """Say when kubectl asks no helper."""
    return ("kubectl asks for https servers only, and not where '--token' is given",)


@contextmanager
def _readable(wanted: Wanted) -> Iterator[None]:
    try:
        yield
    except NotUnderstood as line:
        raise _unreadable(wanted, str(line)) from None


def _unreadable(wanted: Wanted, what: str) -> Unreadable:
    words = " ".join(f"--exec-arg={word}" for word in wanted.call("kubectl")[1:])
    return Unreadable(
        f"{wanted.file} cannot be changed line by line: {what} is not as kubectl writes it",
        hint=f"kubectl config set-credentials USER --exec-command={wanted.program} {words}"
        " --exec-api-version=client.authentication.k8s.io/v1 --exec-interactive-mode=IfAvailable"
        " --exec-provide-cluster-info=true",
    )


def _chosen(users: Mapping[str, Node], contexts: Sequence[Node], wanted: Wanted) -> Sequence[Node]:
    """Return the contexts that get our user: those without credentials, else all. Raises UsageError."""
    if not contexts:
        raise UsageError(
            f"{wanted.file} has no context for a cluster whose server is at {wanted.origin}",
            hint="'kubectl config set-cluster' and 'kubectl config set-context' make them;"
            " where they are in another file of KUBECONFIG, name it with --config-file",
        )
    with_credentials = {name for name, user in users.items() if not user.empty}
    free = [context for context in contexts if text_of(context, "user") not in with_credentials]
    if not free and not wanted.replace:
        raise Foreign(
            f"the user {text_of(contexts[-1], 'user')!r} in {wanted.file} has other credentials for the cluster",
            hint="--replace gives its contexts a user of tokenctl, and leaves that user in the file",
        )
    return free or contexts


def _call(user: Node | None) -> list[str | None]:
    """Return the words of the program that gives a user's credentials."""
    execute = user.members.get("exec") if user else None
    if execute is None or "args" not in execute.members:
        return []
    return [text_of(execute, "command"), *(each.text for each in execute.members["args"].items)]


def _ending(wanted: Wanted) -> str:
    return f"tokenctl-{wanted.profile}" if wanted.named else "tokenctl"


def _name(context: Node, wanted: Wanted) -> str:
    """Return the name of our user: the old one's and an ending, so that the old one can be found again."""
    old = context.members.get("user")
    return _ending(wanted) if old is None else f"{old.text}@{_ending(wanted)}"


def _pointed(text: str, context: Node, wanted: Wanted) -> str:
    old = context.members.get("user")
    if old is None:
        return kubeconfig.with_line_below(text, context.members["cluster"], f"user: {_name(context, wanted)}")
    return kubeconfig.with_other_end(text, old, "", f"@{_ending(wanted)}")


def _pointed_back(text: str, user: Node) -> str:
    ending = re.search(r"@tokenctl(-[^@]*)?$", user.text or "")
    if ending:
        return kubeconfig.with_other_end(text, user, ending[0], "")
    return without_lines(text, user.begin, user.end)


def _user(name: str, wanted: Wanted) -> list[str]:
    """Return the lines of a user, as kubectl writes them."""
    return [
        f"- name: {_written(name)}",
        "  user:",
        "    exec:",
        "      apiVersion: client.authentication.k8s.io/v1",
        "      args:",
        *(f"      - {_written(word)}" for word in wanted.call("kubectl")[1:]),
        f"      command: {_written(checked_path(wanted.program, '', 'kubectl'))}",
        "      env: null",
        "      installHint: install tokenctl, and sign in with 'tokenctl login'",
        "      interactiveMode: IfAvailable",
        "      provideClusterInfo: true",
    ]


def _written(word: str) -> str:
    return word if _PLAIN.fullmatch(word) and word not in ("null", "true", "false", "yes", "no") else json.dumps(word)
