"""On PYTHONPATH of a process under test: shifts its clocks, and its worker's, by `WALL_SHIFT` and `BOOT_SHIFT` seconds.

`MONOTONIC_RATE` lets waiting go faster.
"""

import os
import sys
import time
from typing import Any

_wall, _boot = (float(os.environ.get(name, "0")) for name in ("WALL_SHIFT", "BOOT_SHIFT"))
_time, _time_ns, _gettime, _gettime_ns = time.time, time.time_ns, time.clock_gettime, time.clock_gettime_ns

time.time = lambda: _time() + _wall
time.time_ns = lambda: _time_ns() + int(_wall * 1e9)
time.clock_gettime = lambda clock: _gettime(clock) + _boot
time.clock_gettime_ns = lambda clock: _gettime_ns(clock) + int(_boot * 1e9)

_rate, _monotonic = float(os.environ.get("MONOTONIC_RATE", "1")), time.monotonic
time.monotonic = lambda: _rate * _monotonic()


def _shift_worker(event: str, arguments: tuple[Any, ...]) -> None:
    """Let the worker run this file too: it takes no `sitecustomize` of PYTHONPATH."""
    if event == "subprocess.Popen" and "tokenctl.broker.worker" in arguments[1]:
        words = arguments[1]
        at = words.index("-c") + 1
        words[at] = f"import runpy; runpy.run_path({__file__!r}); {words[at]}"


sys.addaudithook(_shift_worker)
