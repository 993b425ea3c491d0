"""Starts one command after the other and tells what each one cost; `speed.py` runs this as a process of its own.

It is as small as a Python process can be, because Linux counts the peak memory of a command from that of the process
that starts it: what needs less than this process cannot be told apart. On stdin come marshalled argv,
environment and the path of its stdin, on stdout goes the answer: wall seconds, CPU seconds (of the process and its children that were waited
for), peak memory in KiB, and exit status.
"""

import marshal
import os
import sys
import time

NOWHERE = [
    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
]


def cost(words: list[str], environ: dict[str, str], stdin: str = os.devnull) -> tuple[float, float, int, int]:
    """Run a command to its end; `stdin` is the path of what it reads."""
    files = [(os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0), *NOWHERE]
    began = time.perf_counter()
    process = os.posix_spawn(words[0], words, environ, file_actions=files)
    _, status, used = os.wait4(process, 0)
    wall = time.perf_counter() - began
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss, os.waitstatus_to_exitcode(status)


def main() -> None:
    """Answer until stdin ends."""
    while True:
        try:
            words, environ, stdin = marshal.load(sys.stdin.buffer)
        except EOFError:
            return
        marshal.dump(cost(words, environ, stdin), sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
