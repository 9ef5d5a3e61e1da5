"""Time for the engine: monotonic seconds for deadlines, nanoseconds since the epoch for events."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """The two readings the engine takes; `dicomsim.testing` has one that only moves when told."""

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    def wall(self) -> int:
        """Nanoseconds since the epoch."""
        ...


class SystemClock:
    """The machine's clock."""

    __slots__ = ()

    monotonic = staticmethod(time.monotonic)
    wall = staticmethod(time.time_ns)
