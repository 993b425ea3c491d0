"""kubectl: a user of our own in the first file of KUBECONFIG, for the contexts whose cluster is at the origin.

The contexts get another user, and the old user stays as it is: another context may need it, and `removed` finds its name
in the new one. `kubectl config set-credentials` writes the whole file anew, so it is not used.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tokenctl.errors import UsageError
from tokenctl.handoff.clients.block_yaml import Node, NotUnderstood, read
from tokenctl.handoff.clients.lines import end_of, line_end, lines_of, without_lines
from tokenctl.handoff.clients.wanted import Foreign, Script, Unreadable, Wanted
from tokenctl.model.origins import origin_of

_OURS = re.compile(r"(.*)@tokenctl(-[^@]*)?|tokenctl(-[^@]*)?")
_PLAIN = re.compile(r"[A-Za-z/][\w./@+-]*")


def path(environ: Mapping[str, str]) -> Path:
    """Return the first file of KUBECONFIG, or ~/.kube/config."""
    chosen = next(filter(None, environ.get("KUBECONFIG", "").split(os.pathsep)), None)
    return Path(chosen) if chosen else Path(environ.get("HOME") or Path.home()) / ".kube/config"


def is_there(text: str, wanted: Wanted) -> bool:
    """Tell whether a context of the cluster has a user that calls our helper in this way."""
    try:
        root = _read(text, wanted)
        users = _named(root, "users", wanted)
        names = [_text(context, "user") for context in _contexts(root, wanted)]
    except UsageError:
        return False
    return any(_calls(users[name], wanted) for name in names if name in users)


def added(text: str, wanted: Wanted) -> str:
    """Give the contexts of the cluster a user that calls our helper.

    Contexts that have credentials are left alone where others have none. Raises Foreign where all have some,
    Unreadable, and UsageError where no context is for a cluster at the origin.
    """
    if is_there(text, wanted):
        return text
    root = _read(text, wanted)
    users, contexts = _named(root, "users", wanted), list(_contexts(root, wanted))
    if not contexts:
        raise UsageError(
            f"{wanted.file} has no context for a cluster whose server is at {wanted.origin}",
            hint="'kubectl config set-cluster' and 'kubectl config set-context' make them",
        )
    free = [context for context in contexts if not _has_credentials(users, _text(context, "user"))]
    if not free and not wanted.replace:
        raise Foreign(
            f"the user {_text(contexts[0], 'user')!r} in {wanted.file} has other credentials for the cluster",
            hint="--replace gives its contexts a user of tokenctl, and leaves that user in the file",
        )
    names = set()
    for context in sorted(free or contexts, key=lambda each: -each.begin):
        text, name = _pointed(text, context, wanted)
        names.add(name)
    for name in sorted(names):
        text = _without_user(text, name, wanted)
        text = _with_user(text, name, wanted)
    if not is_there(text, wanted):
        raise _unreadable(wanted, "its form")
    return text


def removed(text: str, wanted: Wanted) -> str:
    """Give the contexts of the cluster their old users again, and take out users of ours that no context has."""
    names = set()
    for context in sorted(_contexts(_read(text, wanted), wanted), key=lambda each: -each.begin):
        name = _text(context, "user") or ""
        if match := _OURS.fullmatch(name):
            names.add(name)
            text = _pointed_back(text, context.members["user"], match)
    for name in names - {_text(each, "user") for each in _listed(_read(text, wanted), "contexts", "context", wanted)}:
        text = _without_user(text, name, wanted)
    return text


def scripts(environ: Mapping[str, str], wanted: Wanted) -> Sequence[Script]:
    """List nothing: kubectl calls tokenctl itself."""
    return ()


def hints(wanted: Wanted) -> Sequence[str]:
    """Say when kubectl asks no helper."""
    return ("kubectl asks for https servers only, and not where '--token' is given",)


def _read(text: str, wanted: Wanted) -> Node:
    try:
        return read(text)
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


def _text(node: Node, name: str) -> str | None:
    member = node.members.get(name)
    return member.text if member else None


def _named(root: Node, part: str, wanted: Wanted) -> dict[str, Node]:
    """Return what `clusters`, `contexts` or `users` has, by name."""
    items = _items(root, part, wanted)
    found = {_text(item, "name"): item.members.get(part.removesuffix("s")) for item in items}
    return {name: node for name, node in found.items() if name is not None and node is not None}


def _listed(root: Node, part: str, member: str, wanted: Wanted) -> list[Node]:
    return [item.members[member] for item in _items(root, part, wanted) if member in item.members]


def _items(root: Node, part: str, wanted: Wanted) -> list[Node]:
    node = root.members.get(part)
    if node is None or node.empty:
        return []
    # A user written in one line has credentials; which cluster a context is for must be read.
    inside = [item.members[part[:-1]] for item in node.items if part[:-1] in item.members and part != "users"]
    if not node.items or any(each.flow and not each.empty for each in (*node.items, *inside)):
        raise _unreadable(wanted, f"'{part}'")
    return node.items


def _contexts(root: Node, wanted: Wanted) -> Iterator[Node]:
    """Give the contexts of clusters at the origin."""
    clusters = _named(root, "clusters", wanted)
    at = {name for name, cluster in clusters.items() if _origin(_text(cluster, "server")) == wanted.origin}
    return (each for each in _listed(root, "contexts", "context", wanted) if _text(each, "cluster") in at)


def _origin(server: str | None) -> str | None:
    try:
        return origin_of(server or "")
    except ValueError:
        return None


def _has_credentials(users: Mapping[str, Node], name: str | None) -> bool:
    return name is not None and name in users and not users[name].empty


def _calls(user: Node, wanted: Wanted) -> bool:
    execute = user.members.get("exec")
    if execute is None or "args" not in execute.members:
        return False
    return [_text(execute, "command"), *(each.text for each in execute.members["args"].items)] == wanted.call("kubectl")


def _pointed(text: str, context: Node, wanted: Wanted) -> tuple[str, str]:
    """Give a context a user of ours; return the text, and the user's name."""
    lines, old = lines_of(text), context.members.get("user")
    ours = f"tokenctl-{wanted.profile}" if wanted.named else "tokenctl"
    if old is None:
        at = context.members["cluster"].begin
        lines.insert(at + 1, " " * context.column + f"user: {ours}" + end_of(lines[at]))
        lines[at] = lines[at].rstrip("\r\n") + line_end(text)
        return "".join(lines), ours
    if old.text is None:
        raise _unreadable(wanted, f"line {old.begin + 1}")
    # Inside the closing quote, if there is one: the old name stays as it was written.
    line = lines[old.begin]
    stop = old.stop - (line[old.stop - 1] in "\"'")
    lines[old.begin] = f"{line[:stop]}@{ours}{line[stop:]}"
    return "".join(lines), f"{old.text}@{ours}"


def _pointed_back(text: str, user: Node, match: re.Match[str]) -> str:
    lines = lines_of(text)
    line = lines[user.begin]
    if match[1] is None:
        del lines[user.begin]
    else:
        head, _, tail = line[: user.stop].rpartition("@tokenctl")
        lines[user.begin] = head + (tail[-1:] if tail[-1:] in ("'", '"') else "") + line[user.stop :]
    return "".join(lines)


def _with_user(text: str, name: str, wanted: Wanted) -> str:
    """Add a user that calls our helper, behind all others."""
    root, lines, end = _read(text, wanted), lines_of(text), line_end(text)
    users = root.members.get("users")
    column = users.column if users and users.items else 0
    item = [" " * column + line for line in _user(name, wanted)]
    at = users.end if users else len(lines)
    if users is None:
        item = ["users:", *item]
    elif not users.items:
        lines[users.begin] = "users:" + end_of(lines[users.begin])
    last = lines[at - 1]
    lines[at - 1] = last.rstrip("\r\n") + end
    written = end.join(item) + (end if last.endswith("\n") else "")
    return "".join([*lines[:at], written, *lines[at:]])


def _user(name: str, wanted: Wanted) -> list[str]:
    """Return the lines of a user, as kubectl writes them."""
    return [
        f"- name: {_written(name)}",
        "  user:",
        "    exec:",
        "      apiVersion: client.authentication.k8s.io/v1",
        "      args:",
        *(f"      - {_written(word)}" for word in wanted.call("kubectl")[1:]),
        f"      command: {_written(str(wanted.program))}",
        "      env: null",
        "      installHint: install tokenctl, and sign in with 'tokenctl login'",
        "      interactiveMode: IfAvailable",
        "      provideClusterInfo: true",
    ]


def _without_user(text: str, name: str, wanted: Wanted) -> str:
    """Take out a user of ours."""
    users = _read(text, wanted).members.get("users")
    found = [item for item in users.items if _text(item, "name") == name] if users else []
    if users is None or not found:
        return text
    lines = lines_of(text)
    if len(users.items) == 1:
        header = max(at for at in range(users.begin) if lines[at].startswith("users:"))
        lines[header] = "users: []" + end_of(lines[header])
    return without_lines("".join(lines), found[0].begin, found[0].end)


def _written(word: str) -> str:
    return word if _PLAIN.fullmatch(word) and word not in ("null", "true", "false", "yes", "no") else json.dumps(word)
