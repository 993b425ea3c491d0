"""The time: the wall clock, which can be set, and the time since this machine booted, which nobody sets.

The second one counts sleep on Linux. A virtual machine that is restored from a snapshot has an old one.
"""

import sys
import time
from functools import cache

if sys.platform == "linux":

    def uptime() -> tuple[str, int] | None:
        """Return the id of this boot and the milliseconds since it; None where the platform does not have both."""
        boot_id = _boot_id()
        return None if boot_id is None else (boot_id, time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000)

    @cache  # no process outlives the boot
    def _boot_id() -> str | None:
        try:
            with open("/proc/sys/kernel/random/boot_id") as file:
                return file.read().strip()
        except OSError:
            return None
else:

    def uptime() -> tuple[str, int] | None:
        """Return None: this platform has no such clock that is the same for every process."""
        return None


class Clock:
    """The clocks of this machine. A program that uses this one may pass clocks of its own."""

    def now(self) -> float:
        """Tell the wall clock's time in epoch seconds."""
        return time.time()

    def since_boot(self) -> float:
        """Return the seconds since this machine booted, sleep included where the platform counts it."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def uptime(self) -> tuple[str, int] | None:
        """Name this boot, and tell the milliseconds since, sleep included; None where the platform cannot tell both."""
        return uptime()
