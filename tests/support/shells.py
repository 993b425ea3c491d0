"""Real shells that complete: bash and zsh at a terminal of their own, fish by its command `complete`.

PATH has one folder only, with the programs that a test puts there; so whoever needs grep or Python fails.
"""

import os
import pty
import re
import subprocess
import termios
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from tests.support.paths import ROOT
from tests.support.processes import marked
from tests.support.real_parts import program

BASH_COMPLETION = Path("/usr/share/bash-completion/bash_completion")
KILL_LINE, TAB, TELL = "\x15", "\t", "\x18l"
"""Keys: TELL is bound to a function that writes the line, as it is now."""

BASHRC = """
PS1=
{setup}
source {completion} && source {script}
probe() {{
  _tokenctl "$@"
  local status=$?
  printf '%s\\n' "${{COMPREPLY[@]}}" >&{answers}
  return $status
}}
complete -o nosort -F probe tokenctl 2>/dev/null || complete -F probe tokenctl
tell() {{ printf '\\0%s\\0' "$READLINE_LINE" >&{answers}; }}
bind -x '"\\C-xl": tell'
child() {{ [[ ${{COMP_WORDS[0]}} != child ]] || COMPREPLY=(own-word); }}
complete -F child child
"""

ZSHRC = """
PROMPT= RPROMPT=
{setup}
fpath=({folder} $fpath)
autoload -Uz compinit && compinit -D -u
setopt no_auto_list no_auto_menu
bindkey -e
tell() {{ print -rnu {answers} -- $'\\0'$BUFFER$'\\0' }}
zle -N tell
bindkey '^Xl' tell
# Writes each word that is offered, with its help, and offers it.
compadd() {{
  if [[ ${{@[1,(i)(-|--)]}} = *-(O|A|D)\\ * ]]; then
    builtin compadd "$@"
    return
  fi
  local -a words_offered helps
  if (( $@[(I)-d] )); then
    local name=${{@[$(( ${{@[(i)-d]}} + 1 ))]}}
    helps=("${{(@P)name}}")
  fi
  builtin compadd -A words_offered -D helps "$@"
  local at suffix=
  (( $@[(I)-S] )) && suffix=${{(Q)@[$(( ${{@[(i)-S]}} + 1 ))]}}
  for ((at = 1; at <= $#words_offered; at++)); do
    print -ru {answers} -- "$IPREFIX$words_offered[at]${{suffix%% }}"$'\\t'"$helps[at]"
  done
  builtin compadd "$@"
}}
_child() {{ compadd own-word }}
compdef _child child
"""

FISH = """
source {script}
complete -c child -f -a own-word
while read line
    complete -C"$line"
    printf '\\0\\0'
end
"""


class Shell:
    """A running shell. `offered` is what TAB offers at the end of a line: each word whole, with its help."""

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str] = {},
        *,
        before: Sequence[str] = (),
        helper: bool = False,
        setup: str = "",
    ) -> None:
        self.folder, self.helper, self.setup = folder, helper, setup
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True, exist_ok=True)
        self.environ = {"HOME": str(folder), "PATH": str(self.bin), "TERM": "dumb", **marked(), **environ}
        self.said = b""
        """Everything that the shell wrote to its terminal, or as an error."""
        answers, writing = os.pipe()
        self.answers: BinaryIO = os.fdopen(answers, "rb", buffering=0)
        self.process = self._start([*before], writing, helper)
        os.close(writing)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _start(self, before: list[str], answers: int, helper: bool) -> "subprocess.Popen[bytes]":
        raise NotImplementedError

    def _at_terminal(self, words: list[str], answers: int) -> "subprocess.Popen[bytes]":
        self.terminal, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (50, 400))  # wide, so that no help is cut off
        process = subprocess.Popen(
            words,
            env=self.environ,
            cwd=self.folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            pass_fds=[answers],
        )
        os.close(theirs)
        return process

    def _read(self) -> None:
        with suppress(OSError):  # the other end is closed
            while some := os.read(self.terminal, 4096):
                self.said += some

    def offered(self, line: str) -> dict[str, str]:
        """Press TAB at the end of a line."""
        return self.press(line)[0]

    def completed(self, line: str) -> str:
        """Return the line as it is after TAB at its end."""
        return self.press(line)[1]

    def press(self, line: str) -> tuple[dict[str, str], str]:
        """Press TAB at the end of a line, and return what is offered, and the line then."""
        os.write(self.terminal, (KILL_LINE + line + TAB + TELL).encode())
        words, after, _ = self._answer()
        return {word: help for word, _, help in (each.partition("\t") for each in words.splitlines()) if word}, after

    def _answer(self) -> list[str]:
        found = b""
        while found.count(b"\0") < 2:
            some = self.answers.read(65536)
            assert some, f"the shell has ended: {self.said!r}"
            found += some
        return found.decode().split("\0")

    def _leave(self) -> None:
        os.write(self.terminal, f"{KILL_LINE}exit\r".encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # it has ended
            self._leave()
        self.process.wait()
        self.reader.join()
        self.answers.close()
        os.close(self.terminal)


class Bash(Shell):
    """bash, with its readline; with `helper` also the package bash-completion."""

    def _start(self, before: list[str], answers: int, helper: bool) -> "subprocess.Popen[bytes]":
        script = ROOT / "completions" / "tokenctl.bash"
        file = self.folder / "bashrc"
        file.write_text(
            BASHRC.format(
                completion=BASH_COMPLETION if helper else "/dev/null", script=script, answers=answers, setup=self.setup
            )
        )
        return self._at_terminal([*before, program("bash"), "--noprofile", "--rcfile", str(file), "-i"], answers)

    def press(self, line: str) -> tuple[dict[str, str], str]:
        """See Shell. bash offers what follows the last = or : of the word."""
        words, after = super().press(line)
        typed = re.search(r"\S*$", line)
        head = re.sub(r"[^=:]*$", "", typed[0]) if typed else ""
        return {head + word: "" for word in words}, after


class Zsh(Shell):
    """zsh, with its line editor and completion system."""

    def _start(self, before: list[str], answers: int, helper: bool) -> "subprocess.Popen[bytes]":
        (self.folder / ".zshrc").write_text(
            ZSHRC.format(folder=ROOT / "completions", answers=answers, setup=self.setup)
        )
        self.environ["ZDOTDIR"] = str(self.folder)
        return self._at_terminal([*before, program("zsh"), "-d", "-i"], answers)


class Fish(Shell):
    """fish, without a terminal: `complete -C` asks the same code as TAB."""

    def _start(self, before: list[str], answers: int, helper: bool) -> "subprocess.Popen[bytes]":
        file = self.folder / "driver.fish"
        file.write_text(FISH.format(script=ROOT / "completions" / "tokenctl.fish"))
        self.terminal, errors = os.pipe()
        process = subprocess.Popen(
            [*before, program("fish"), "--no-config", str(file)],
            env=self.environ,
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=answers,
            stderr=errors,
            start_new_session=True,
        )
        os.close(errors)
        return process

    def press(self, line: str) -> tuple[dict[str, str], str]:
        """See Shell; the line is not known."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()
        words = self._answer()[0]
        return {word: help for word, _, help in (each.partition("\t") for each in words.splitlines())}, ""

    def _leave(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
