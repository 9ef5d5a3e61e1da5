"""The one thread that waits for whatever nobody else waits for: listeners, idle associations and timers.

It answers inline what needs no user code, and hands the rest to worker threads. A session that a caller or a worker
owns at the moment of a report is left alone; its owner arms it again when done (see `ownership`).
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from typing import Protocol

from dicomsim.engine.clock import Clock, SystemClock
from dicomsim.engine.heap import keep_freed_memory
from dicomsim.engine.poller import READ, Poller, best_poller
from dicomsim.engine.transport import LONGEST_WAIT
from dicomsim.engine.workers import Workers

LOGGER = logging.getLogger("dicomsim")


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

    def ready(self) -> None:
        """The descriptor was reported."""
        ...

    def due(self, now: float) -> None:
        """The scheduled time has come."""
        ...


class ArmedTarget(Target, Protocol):
    """A target that is armed by its own wish, which may change in any thread at any time."""

    wish: int
    """What it wants to be watched for."""
    armed: int
    """What it is watched for; negative after a report. Changed by the reactor alone."""


class Reactor:
    """Owns the poller and the thread, which starts with the first target."""

    def __init__(
        self, clock: Clock | None = None, poller: Poller | None = None, workers: Workers | None = None
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.workers = workers or Workers()
        self._poller = poller or best_poller()
        self._targets: dict[int, Target] = {}
        self._lock = threading.Lock()
        self._timers: list[tuple[float, int, Appointment]] = []
        self._sequence = itertools.count()
        self._sleeping_until: float | None = 0.0
        self._thread: threading.Thread | None = None
        self._ident: int | None = None
        self._stopping = False
        keep_freed_memory()

    @property
    def is_here(self) -> bool:
        """Whether the calling thread is the reactor's, which must not wait for anything but its poller."""
        return threading.get_ident() == self._ident

    def add(self, target: Target, mask: int = READ) -> None:
        """Begin to watch a target."""
        with self._lock:
            if self._stopping:
                return
            fd = target.fileno()
            self._targets[fd] = target  # first, for the report may come at once
            try:
                self._poller.add(fd, mask)
            except OSError:
                del self._targets[fd]
                raise
            if self._thread is None:
                self._start()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="dicomsim reactor", daemon=True)
        self._thread.start()

    def arm(self, target: Target, mask: int) -> None:
        """Report the target once when it is ready; a closed one is passed over."""
        with self._lock:  # so that the descriptor cannot be closed, and given to somebody else, in between
            if self._knows(target):
                self._poller.arm(target.fileno(), mask)

    def follow(self, target: ArmedTarget) -> None:
        """Arm a target as it wishes at this moment: of several threads that come with a wish, the last one's counts."""
        with self._lock:
            wish, fd = target.wish, target.fileno()
            if target.armed != wish and self._targets.get(fd) is target and not self._stopping:
                target.armed = wish
                self._poller.arm(fd, wish)

    def _knows(self, target: Target) -> bool:
        fd = target.fileno()
        return fd >= 0 and self._targets.get(fd) is target and not self._stopping

    def forget(self, target: Target) -> None:
        """Stop watching, before the target closes its descriptor."""
        with self._lock:
            if self._knows(target):
                del self._targets[target.fileno()]
                self._poller.remove(target.fileno())
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
            asleep = self._sleeping_until is None or when < self._sleeping_until
            if asleep and not self._stopping and not self.is_here:
                self._poller.wake()

    def stop(self) -> None:
        """End the thread; targets stay open and are not watched any more. Does nothing the second time.

        For tests: the process-wide reactor runs as long as the process.
        """
        with self._lock:
            if self._stopping:
                return
            self._stopping = True
            self._targets.clear()
            self._timers.clear()
            self._poller.wake()
        if self._thread is not None:
            self._thread.join()
        self._poller.close()

    def _run(self) -> None:
        self._ident = threading.get_ident()
        while not self._stopping:
            when = self.next_due()
            left = None if when is None else min(max(0.0, when - self.clock.monotonic()), LONGEST_WAIT)
            self.turn(left)

    def turn(self, seconds: float | None) -> int:
        """Wait that long for reports, and see to them and to what is due; how many targets were called."""
        called = 0
        for fd in self._poller.wait(seconds):
            target = self._targets.get(fd)
            if target is not None:
                called += 1
                try:
                    target.ready()
                except BaseException:  # whatever it is must not take every other association down
                    LOGGER.exception("the reactor met a defect with %r", target)
        return called + self._call_due()

    def next_due(self) -> float | None:
        """When the next appointment is, if there is one; whoever asks for it is woken by an earlier one."""
        with self._lock:
            while self._timers and self._timers[0][2].target is None:
                heapq.heappop(self._timers)
            self._sleeping_until = self._timers[0][0] if self._timers else None
            return self._sleeping_until

    def _call_due(self) -> int:
        if not self._timers:
            return 0
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
            except BaseException:  # as above
                LOGGER.exception("the reactor met a defect with %r", target)
        return len(due)


_shared: list[Reactor] = []
_shared_lock = threading.Lock()


def shared_reactor() -> Reactor:
    """The reactor of this process."""
    with _shared_lock:
        if not _shared:
            _shared.append(Reactor())
        return _shared[0]
