"""Looking again for a moment before a thread sleeps: a peer on this machine answers sooner than a thread wakes up.

To sleep and to be woken takes some 30 us of a virtual machine, nearly what a whole C-ECHO needs, and leaves cold caches
behind. So a thread looks again and again, for `SPIN_SECONDS` at the most, and each time lets whoever wants its core go
first. Looking in vain makes it rest: it sleeps at once for the next two waits, then for four, in the end for
`MOST_RESTS`. So peers that take their time, and machines that are busy, cost nothing worth mentioning, and whoever has
nothing to do looks once and then sleeps.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Generic, TypeVar

from dicomsim.engine.clock import Clock, SystemClock

SPIN_SECONDS = 0.0005
"""How long a thread looks before it sleeps: longer than a round trip in which the other side sleeps, or two that once
have begun to sleep would never see each other."""

MOST_RESTS = 256
"""Waits that begin with sleep, at the most, before looking is tried again."""

_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
SPINS = _CORES > 1 and hasattr(os, "sched_yield")
"""Whether it is worth anything here: whoever is waited for needs the core if there is only one."""

Reports = TypeVar("Reports")


class Spinning(Generic[Reports]):
    """One thread's way to wait with `look(0)`, which gives something true when there is something."""

    __slots__ = ("_clock", "_look", "_missed", "_rests", "_spins")

    def __init__(self, look: Callable[[float], Reports], *, spins: bool = SPINS, clock: Clock | None = None) -> None:
        self._look = look
        self._clock = clock or SystemClock()
        self._spins = spins
        self._missed = 1  # waits that the last miss has cost; twice as many the next one
        self._rests = 0

    def glance(self) -> Reports | None:
        """Look for a moment, unless it is time to rest; None if there was nothing."""
        if self._rests or not self._spins:
            self._rests -= self._spins
            return None
        look, now = self._look, self._clock.monotonic
        until = now() + SPIN_SECONDS
        while not (reports := look(0)):
            if now() >= until:
                self._missed = self._rests = min(self._missed * 2, MOST_RESTS)
                return None
            os.sched_yield()
        self._missed = 1
        return reports
