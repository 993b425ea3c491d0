"""The parts of a kubeconfig: clusters, contexts and users, and how their lines are changed.

All functions raise NotUnderstood where a part is not written as kubectl writes it.
"""

from collections.abc import Iterator, Sequence

from tokenctl.handoff.clients.block_yaml import Node, NotUnderstood, read
from tokenctl.handoff.clients.lines import end_of, line_end, lines_of, without_lines
from tokenctl.model.origins import origin_of


def text_of(node: Node, name: str) -> str | None:
    """Return the text of a member of a mapping; None without it."""
    member = node.members.get(name)
    return member.text if member else None


def named(root: Node, part: str) -> dict[str, Node]:
    """Return what `clusters`, `contexts` or `users` has, by name."""
    found = {text_of(item, "name"): item.members.get(part.removesuffix("s")) for item in _items(root, part)}
    return {name: node for name, node in found.items() if name is not None and node is not None}


def contexts(root: Node) -> list[Node]:
    """List the contexts, without their names."""
    return [item.members["context"] for item in _items(root, "contexts") if "context" in item.members]


def contexts_at(root: Node, origin: str) -> Iterator[Node]:
    """Give the contexts whose cluster has its server at the origin, the last one first."""
    names = {name for name, each in named(root, "clusters").items() if _origin(text_of(each, "server")) == origin}
    return (each for each in reversed(contexts(root)) if text_of(each, "cluster") in names)


def with_other_end(text: str, scalar: Node, old: str, new: str) -> str:
    """Change the end of a name, inside of its quotes if it has some."""
    if scalar.text is None:
        raise NotUnderstood(scalar.begin + 1)
    lines = lines_of(text)
    line = lines[scalar.begin]
    stop = scalar.stop - (line[scalar.stop - 1] in "\"'")
    lines[scalar.begin] = line[:stop].removesuffix(old) + new + line[stop:]
    return "".join(lines)


def with_line_below(text: str, node: Node, line: str) -> str:
    """Put a line below the one of a member, at the same column."""
    lines = lines_of(text)
    above = lines[node.begin]
    column = len(above) - len(above.lstrip(" -"))
    lines[node.begin : node.begin + 1] = [above.rstrip("\r\n") + line_end(text), " " * column + line + end_of(above)]
    return "".join(lines)


def with_user(text: str, item: Sequence[str]) -> str:
    """Add the lines of a user behind all other users."""
    users, lines, end = read(text).members.get("users"), lines_of(text), line_end(text)
    at, column = (users.end, users.column) if users else (len(lines), 0)
    if users is None:
        item = ["users:", *item]
    elif not users.items:
        column = 0
        lines[users.begin] = "users:" + end_of(lines[users.begin])
    last = lines[at - 1]
    lines[at - 1] = last.rstrip("\r\n") + end
    lines.insert(at, end.join(" " * column + line for line in item) + (end if last.endswith("\n") else ""))
    return "".join(lines)


def without_user(text: str, name: str) -> str:
    """Take out a user; the list stays, empty if it was the only one."""
    users = read(text).members["users"]
    [user] = [item for item in users.items if text_of(item, "name") == name]
    lines = lines_of(text)
    if len(users.items) == 1:
        header = max(at for at in range(users.begin) if lines[at].startswith("users:"))
        lines[header] = "users: []" + end_of(lines[header])
    return without_lines("".join(lines), user.begin, user.end)


def _items(root: Node, part: str) -> list[Node]:
    node = root.members.get(part)
    if node is None or node.empty:
        return []
    # A user written in one line has credentials; which cluster a context is for must be read.
    inside = [each for item in node.items for each in item.members.values() if part != "users"]
    for each in (node, *node.items, *inside):
        if not each.empty and (each.flow or (each is node and not node.items)):
            raise NotUnderstood(each.begin + 1)
    return node.items


def _origin(server: str | None) -> str | None:
    try:
        return origin_of(server or "")
    except ValueError:
        return None
