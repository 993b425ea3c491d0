"""A clock that nobody sets: the time since this machine booted, sleep included."""

import sys
import time

if sys.platform == "linux":

    def uptime() -> tuple[str, int] | None:
        """Name this boot, and tell the milliseconds since; None where the platform cannot tell both."""
        try:
            with open("/proc/sys/kernel/random/boot_id") as file:
                return file.read().strip(), time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
        except OSError:
            return None
else:

    def uptime() -> tuple[str, int] | None:
        """Answer None: the wall clock is all that this platform offers to every process alike."""
        return None
