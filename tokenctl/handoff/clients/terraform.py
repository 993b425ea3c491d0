"""Terraform and OpenTofu: one `credentials_helper` block in ~/.terraformrc, in the first version of HCL.

Terraform looks for the helper's program only in ~/.terraform.d/plugins, so it gets a script there. A file may have one
`credentials_helper`, for all hosts; a `credentials` block of a host wins over it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenctl.handoff.clients.lines import with_first
from tokenctl.handoff.clients.wanted import Foreign, Script, Unreadable, Wanted

_TOKEN = re.compile(
    r"""(?P<blank> \s+ | \#[^\n]* | //[^\n]* | /\*.*?\*/ )
    | (?P<heredoc> <<-?(?P<end>\w+)\r?\n .*? ^[ \t]*(?P=end)[ \t\r]*$ )
    | (?P<string> "(?: \\[abfnrtvxuU"\\0-7] | [^"\\\n$] | \$(?!\{) | \$\{[^{}"\\\n]*\} )*" )
    | (?P<other> [\w.-]+ | [{}\[\]=,] )""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)

_UTF_8 = re.compile("[^\0\udc80-\udcff]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """A block `KIND "LABEL" { ... }` on the outermost level: its span in the text, and the tokens in it without commas."""

    kind: str
    label: str
    span: tuple[int, int]
    inside: tuple[str, ...]


def path(environ: Mapping[str, str]) -> Path:
    """Return the file of Terraform's own settings."""
    chosen = environ.get("TF_CLI_CONFIG_FILE") or environ.get("TERRAFORM_CONFIG")
    return Path(chosen) if chosen else Path(environ.get("HOME") or Path.home()) / ".terraformrc"


def is_there(text: str, wanted: Wanted) -> bool:
    """Tell whether our helper is the one, with these arguments."""
    try:
        helpers = [block for block in _blocks(text, wanted) if block.kind == "credentials_helper"]
    except Unreadable:
        return False
    return [(each.label, each.inside) for each in helpers] == [("tokenctl", _inside(wanted))]


def added(text: str, wanted: Wanted) -> str:
    """Put our block first. Raises Foreign for another helper, and for a token of the same host."""
    if is_there(text, wanted):
        return text
    foreign = [block for block in _blocks(text, wanted) if _is_foreign(block, wanted)]
    if foreign and not wanted.replace:
        found = f'{foreign[0].kind} "{foreign[0].label}"'
        hint = "--replace takes its block out"
        if foreign[0].label == "tokenctl":
            hint = "there is one helper for all hosts: leave -p out, and it finds the profile by the host"
        raise Foreign(f"{wanted.file} has {found} already", hint=hint)
    for block in reversed(foreign):
        text = _without(text, block)
    arguments = ", ".join(map(json.dumps, _arguments(wanted)))
    changed = with_first(text, 'credentials_helper "tokenctl" {', f"  args = [{arguments}]", "}")
    if not is_there(changed, wanted):
        raise Unreadable(f"{wanted.file} cannot be changed")
    return changed


def removed(text: str, wanted: Wanted) -> str:
    """Take out our block. Raises Unreadable."""
    for block in reversed(_blocks(text, wanted)):
        if (block.kind, block.label) == ("credentials_helper", "tokenctl"):
            text = _without(text, block)
    return text


def scripts(environ: Mapping[str, str], wanted: Wanted) -> Sequence[Script]:
    """List the script where Terraform looks for the helper."""
    folder = Path(environ.get("HOME") or Path.home()) / ".terraform.d/plugins"
    name = "terraform-credentials-tokenctl"
    return (Script(path=folder / name, words=(str(wanted.companion(name)),)),)


def hints(wanted: Wanted) -> Sequence[str]:
    """Say which file OpenTofu reads."""
    return ("OpenTofu reads ~/.tofurc where that is there: then add '--config-file ~/.tofurc'",)


def _arguments(wanted: Wanted) -> list[str]:
    return ["-p", wanted.profile] if wanted.named else []


def _inside(wanted: Wanted) -> tuple[str, ...]:
    """Return the tokens of our block, without commas."""
    return ("args", "=", "[", *map(json.dumps, _arguments(wanted)), "]")


def _is_foreign(block: _Block, wanted: Wanted) -> bool:
    host = wanted.origin.partition("//")[2]
    return block.kind == "credentials_helper" or (block.kind, block.label.lower()) == ("credentials", host)


def _without(text: str, block: _Block) -> str:
    """Take out a block, and its line where nothing else is in it."""
    begin, end = block.span
    rest = text[end:]
    alone = text[:begin].endswith("\n") or begin == 0
    return text[:begin] + (re.sub(r"\A[ \t]*\r?\n", "", rest) if alone else rest)


def _blocks(text: str, wanted: Wanted) -> list[_Block]:
    """List the blocks of the outermost level. Raises Unreadable for what Terraform would not read, or we do not."""
    tokens = _tokens(text, wanted)
    blocks, at = [], 0
    while at < len(tokens):
        brace = next((each for each in range(at, len(tokens)) if tokens[each][0] in "{="), len(tokens))
        head, end = [token for token, _, _ in tokens[at:brace]], _end(tokens, brace)
        if end is None or not head or any(token in "}[],=" for token in head):
            raise _unreadable(text, wanted, tokens[at][1])
        if tokens[brace][0] == "{":
            blocks.append(
                _Block(
                    kind=head[0].strip('"'),
                    label=" ".join(token.strip('"') for token in head[1:]),
                    span=(tokens[at][1], tokens[end - 1][2]),
                    inside=tuple(token for token, _, _ in tokens[brace + 1 : end - 1] if token != ","),
                )
            )
        at = end
    return blocks


def _end(tokens: Sequence[tuple[str, int, int]], at: int) -> int | None:
    """Return the number behind the value that begins at a brace, or behind an equals sign; None where it has no end."""
    if at < len(tokens) and tokens[at][0] == "=":
        at += 1
    opened: list[str] = []
    while at < len(tokens):
        token = tokens[at][0]
        at += 1
        if token in ("{", "["):
            opened.append(token)
        elif token in ("}", "]") and (not opened or opened.pop() + token not in ("{}", "[]")):
            return None
        if not opened:
            return at
    return None


def _tokens(text: str, wanted: Wanted) -> list[tuple[str, int, int]]:
    """Split a text into tokens, each with its span, without blanks and comments. Raises Unreadable."""
    tokens, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or not _UTF_8.fullmatch(match[0]):
            raise _unreadable(text, wanted, at)
        if match["blank"] is None:
            tokens.append((match[0], at, match.end()))
        at = match.end()
    return tokens


def _unreadable(text: str, wanted: Wanted, at: int) -> Unreadable:
    line = text.count("\n", 0, at) + 1
    return Unreadable(f"{wanted.file} cannot be read as Terraform reads it: line {line}")
