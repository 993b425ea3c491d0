"""git: `credential.<URL>.helper` in the configuration of the person (git-config(1), gitcredentials(7)).

The lines of ours are a section of their own at the end of the file:

    [credential "https://git.example.com"]
        helper =
        helper = /home/you/.local/bin/git-credential-tokenctl

The empty value forgets the helpers that are named before: `store` and `cache` would keep the token that ours gives. `git
config` could write the same lines, but not at the end, and not with the line ends of the file.
"""

import contextlib
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath

from tokenctl.errors import UsageError
from tokenctl.handoff.clients.git_config import Entry, Section, parsed, written
from tokenctl.handoff.clients.wanted import Foreign, Script, Unreadable, Wanted
from tokenctl.model.origins import origin_of

_PROGRAM = "git-credential-tokenctl"
_DEEPEST = 10
"""Files that include each other, at most, as in git."""


def path(environ: Mapping[str, str]) -> Path:
    """Return the file that `git config --global` writes. Raises UsageError when there is no HOME."""
    if environ.get("GIT_CONFIG_GLOBAL"):
        return Path(environ["GIT_CONFIG_GLOBAL"])
    if not environ.get("HOME"):
        raise UsageError("git's configuration is in HOME, and HOME is not set")
    usual = Path(environ["HOME"], ".gitconfig")
    other = Path(environ.get("XDG_CONFIG_HOME") or Path(environ["HOME"], ".config"), "git", "config")
    return other if other.exists() and not usual.exists() else usual


def is_there(text: str, wanted: Wanted) -> bool:
    """Tell whether git asks our helper for the origin, with the words that are wanted. Raises Unreadable."""
    asked = _asked(parsed(text, wanted.file)[1], wanted.origin)
    return any(_is_whole(each) and each.value == _call(wanted) for each in asked)


def added(text: str, wanted: Wanted) -> str:
    """Return the text with our helper, which takes the place of an older one of ours. Raises Unreadable, Foreign.

    The files that it includes are read too, for another helper of the origin.
    """
    if is_there(text, wanted):
        return text
    if not wanted.replace:
        _check_no_other(text, wanted)
    text = removed(text, wanted)
    end = _line_end(text)
    lines = [f'[credential "{wanted.origin}"]', "\thelper =", f"\thelper = {written(_call(wanted))}"]
    # A file without an end of its last line stays so: by that `removed` knows that the line end before ours is ours.
    block = end.join(["", *lines]) if text and not text.endswith("\n") else end.join([*lines, ""])
    before, after = _meaning(text, wanted), _meaning(text + block, wanted)
    if after[:-2] != before or [value for _, value in after[-2:]] != ["", _call(wanted)]:
        raise Unreadable(f"the last line of {wanted.file} goes on: it ends with a backslash")
    return text + block


def removed(text: str, wanted: Wanted) -> str:
    """Return the text without our helper for the origin, whatever words it is called with. Raises Unreadable.

    The section goes with it when nothing else is in it.
    """
    sections, entries = parsed(text, wanted.file)
    ours = _ours(entries, wanted.origin)
    cuts = [_lines(text, each) for each in ours]
    for section in dict.fromkeys(each.section for each in ours):
        end = next((each.start for each in sections if each.start > section.start), len(text))
        of_section = [_lines(text, each) for each in ours if each.section == section]
        if not _without(text[:end], of_section)[section.end :].strip():
            cuts.append(_header(text, section))
    kept = _without(text, cuts)
    if ours and kept == text[: sections[-1].start] and not text.endswith("\n"):
        kept = kept.removesuffix(_line_end(text[len(kept) :]))  # `added` put it there
    if _meaning(kept, wanted) != [(each.name, each.value) for each in entries if each not in ours]:
        raise Unreadable(f"our helper cannot be taken out of {wanted.file}: take its lines out by hand")
    return kept


def scripts(environ: Mapping[str, str], wanted: Wanted) -> Sequence[Script]:
    """List no scripts: git can call our helper with words."""
    return ()


def hints(wanted: Wanted) -> Sequence[str]:
    """List nothing: git is ready."""
    return ()


def _call(wanted: Wanted) -> str:
    """Return the value of `helper`: git puts the verb behind it, and gives it to a shell."""
    words = [str(wanted.companion(_PROGRAM)), *(["-p", wanted.profile] if wanted.named else [])]
    call = shlex.join(words)
    return call if call.startswith(words[0]) else f"!{call}"


def _is_ours(entry: Entry) -> bool:
    """Tell whether a helper is tokenctl for the whole origin, also as a person writes it: `tokenctl`, `!tokenctl helper git`."""
    try:
        words = shlex.split((entry.value or "").removeprefix("!"))
    except ValueError:
        return False
    return bool(words) and PurePath(words[0]).name in (_PROGRAM, "tokenctl") and _is_whole(entry)


def _is_whole(entry: Entry) -> bool:
    """Tell whether the section's URL means every user and every repository of its origin."""
    rest = entry.section.subsection.rpartition("://")[2]
    return "@" not in rest and not rest.partition("/")[2]


def _is_for(entry: Entry, origin: str) -> bool:
    """Tell whether a key is `credential.<URL>.helper` with a URL of the origin: with any user, path and spelling."""
    section = entry.section
    return (section.name, entry.key) == ("credential", "helper") and _origin(section.subsection, origin) == origin


def _origin(url: str, asked: str) -> str | None:
    """Return the origin of a URL as git matches it; it can lack the scheme. None for a pattern, and for no URL."""
    scheme, found, rest = url.partition("://")
    if not found:
        scheme, rest = asked.partition("://")[0], url
    try:
        return origin_of(f"{scheme}://{rest.partition('/')[0].rpartition('@')[2]}")
    except ValueError:
        return None


def _asked(entries: Iterable[Entry], origin: str) -> list[Entry]:
    """List the helpers that git asks for the origin: an empty value forgets those before it."""
    helpers: list[Entry] = []
    for entry in entries:
        if _is_for(entry, origin) or entry.name == ("credential", "", "helper"):
            helpers = [*helpers, entry] if entry.value else []
    return helpers


def _ours(entries: Sequence[Entry], origin: str) -> list[Entry]:
    """List our helpers for the origin, each with the empty value right before it."""
    found: list[Entry] = []
    for before, entry in zip([None, *entries], entries, strict=False):
        if _is_for(entry, origin) and _is_ours(entry):
            empty = before and before.section is entry.section and before.key == "helper" and before.value == ""
            found += [before, entry] if before and empty else [entry]
    return found


def _check_no_other(text: str, wanted: Wanted) -> None:
    """Raise Foreign where git asks another helper that is named for just this origin, also in an included file."""
    asked = _asked(_with_included(text, wanted.file), wanted.origin)
    if any(each.section.subsection and not _is_ours(each) for each in asked):
        message = f"git has another helper for {wanted.origin}, in {wanted.file} or a file that it includes"
        raise Foreign(message, hint="with --replace, git asks tokenctl in its place")


def _with_included(text: str, file: Path, depth: int = 0) -> Iterator[Entry]:
    """List the entries of a file with those of the included files in their places; who cannot be read has none."""
    for entry in parsed(text, file)[1]:
        yield entry
        if entry.name == ("include", "", "path") and entry.value and depth < _DEEPEST:
            with contextlib.suppress(OSError, RuntimeError, ValueError, Unreadable):
                included = file.parent / Path(entry.value).expanduser()
                yield from _with_included(included.read_text(errors="replace"), included, depth + 1)


def _lines(text: str, entry: Entry) -> tuple[int, int]:
    """Return where the lines of an entry are; without their end, where the section's header begins the line."""
    end = entry.end
    if entry.start == entry.section.end:
        end -= len(text[:end]) - len(text[:end].rstrip("\r\n"))
    return entry.start, end


def _header(text: str, section: Section) -> tuple[int, int]:
    """Return where the line of a section's header is, which has nothing else."""
    start = len(text[: section.start].rstrip(" \t"))
    rest = text[section.end :].lstrip(" \t")
    end = _line_end(rest)
    return start, len(text) - len(rest) + len(end) if rest.startswith(end) else section.end


def _line_end(text: str) -> str:
    """Return what ends the first line; LF for a text of one line that has no end."""
    return "\r\n" if text[: text.find("\n") + 1].endswith("\r\n") else "\n"


def _without(text: str, cuts: Sequence[tuple[int, int]]) -> str:
    for start, end in sorted(cuts, reverse=True):
        text = text[:start] + text[end:]
    return text


def _meaning(text: str, wanted: Wanted) -> list[tuple[tuple[str, str, str], str | None]]:
    return [(each.name, each.value) for each in parsed(text, wanted.file)[1]]
