"""The one thread that waits for whatever nobody else waits for: listeners, idle associations and timers.

It reads into one shared buffer, answers inline what needs no user code, and hands the rest to worker threads. A session
that a caller or a worker owns at the moment of a report is left alone; its owner arms it again when done (see `Session`).
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from typing import Protocol

from dicomsim.engine.clock import Clock, SystemClock
from dicomsim.engine.poller import READ, Poller, best_poller
from dicomsim.engine.transport import LONGEST_WAIT
from dicomsim.engine.workers import Workers

LOGGER = logging.getLogger("dicomsim")

READ_BUFFER = 1 << 18
"""Bytes taken from a socket in one read: two P-DATA-TF of the usual 128 kB, and small enough for the cache."""


class Appointment:
    """A time at which a target wants to be called; without a target it is void."""

    __slots__ = ("target", "when")

    def __init__(self, when: float, target: Target) -> None:
        self.when = when
        self.target: Target | None = target


class Target(Protocol):
    """What the reactor calls: a session or a listener."""

    appointment: Appointment | None
    """The next call of `due`; kept by the reactor."""

    def fileno(self) -> int:
        """The descriptor to wait on, -1 when closed."""
        ...

    def ready(self, buffer: memoryview) -> None:
        """The descriptor was reported; `buffer` may be used during the call."""
        ...

    def due(self, now: float) -> None:
        """The scheduled time has come."""
        ...


class Reactor:
    """Owns the poller and the thread, which starts with the first target."""

    def __init__(self, clock: Clock | None = None, poller: Poller | None = None, workers: Workers | None = None) -> None:
        self.clock: Clock = clock or SystemClock()
        self.workers = workers or Workers()
        self._poller = poller or best_poller()
        self._targets: dict[int, Target] = {}
        self._lock = threading.Lock()
        self._timers: list[tuple[float, int, Appointment]] = []
        self._sequence = itertools.count()
        self._sleeping_until: float | None = 0.0
        self._thread: threading.Thread | None = None
        self._stopping = False

    def add(self, target: Target, mask: int = READ) -> None:
        """Begin to watch a target."""
        with self._lock:
            self._targets[target.fileno()] = target
            self._poller.add(target.fileno(), mask)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="dicomsim reactor", daemon=True)
                self._thread.start()

    def arm(self, target: Target, mask: int) -> None:
        """Report the target once when it is ready; a closed one is passed over."""
        with self._lock:  # so that the descriptor cannot be closed, and given to somebody else, in between
            fd = target.fileno()
            if fd >= 0 and self._targets.get(fd) is target:
                self._poller.arm(fd, mask)

    def forget(self, target: Target) -> None:
        """Stop watching, before the target closes its descriptor."""
        with self._lock:
            fd = target.fileno()
            if fd >= 0 and self._targets.get(fd) is target:
                del self._targets[fd]
                self._poller.remove(fd)
            if target.appointment is not None:
                target.appointment.target = None  # the heap keeps the entry until its time, but not the target
                target.appointment = None

    def schedule(self, target: Target, when: float) -> None:
        """Call `target.due` at that time; an earlier appointment stands, a later one is replaced."""
        with self._lock:
            if target.appointment is not None:
                if target.appointment.when <= when:
                    return
                target.appointment.target = None
            target.appointment = Appointment(when, target)
            heapq.heappush(self._timers, (when, next(self._sequence), target.appointment))
            wake = self._sleeping_until is None or when < self._sleeping_until
        if wake:
            self._poller.wake()

    def stop(self) -> None:
        """End the thread; targets stay open. For tests: the process-wide reactor runs as long as the process."""
        self._stopping = True
        self._poller.wake()
        if self._thread is not None:
            self._thread.join()
        self._poller.close()

    def _run(self) -> None:
        buffer = memoryview(bytearray(READ_BUFFER))
        while not self._stopping:
            for fd in self._poller.wait(self._until_next_timer()):
                target = self._targets.get(fd)
                if target is not None:
                    try:
                        target.ready(buffer)
                    except Exception:  # a defect of ours must not take every other association down
                        LOGGER.exception("the reactor met a defect with %r", target)
            self._call_due()

    def _until_next_timer(self) -> float | None:
        with self._lock:
            self._sleeping_until = self._timers[0][0] if self._timers else None
        if self._sleeping_until is None:
            return None
        return min(max(0.0, self._sleeping_until - self.clock.monotonic()), LONGEST_WAIT)

    def _call_due(self) -> None:
        if not self._timers:
            return
        now = self.clock.monotonic()
        due = []
        with self._lock:
            self._sleeping_until = now
            while self._timers and self._timers[0][0] <= now:
                target = heapq.heappop(self._timers)[2].target
                if target is not None:
                    target.appointment = None
                    due.append(target)
        for target in due:
            try:
                target.due(now)
            except Exception:  # as above
                LOGGER.exception("the reactor met a defect with %r", target)


_shared: Reactor | None = None
_shared_lock = threading.Lock()


def shared_reactor() -> Reactor:
    """The reactor of this process."""
    global _shared
    with _shared_lock:
        if _shared is None:
            _shared = Reactor()
        return _shared
