"""Who may touch a session: exactly one owner at a time.

- the **caller's thread**, from `take` to `give_back`, while it sends a request and reads up to the answer: no hand-over;
- the **reactor**, for the length of one report, when nobody else does: idle associations, accepted ones, timers;
- a **worker**, for the length of one answer: user code runs without owning the session, so that the reactor sees an
  A-ABORT or a C-CANCEL while a handler is at work.

Guarantees: the lock is held by the owner and by nobody else; a report that comes while it is held is dropped, and the
owner arms the descriptor again after letting go (`_armed` says whether that is needed), so that no report is lost.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

from dicomsim.engine.reactor import Appointment, Reactor


class Owned(ABC):
    """The owner's lock, and what the reactor calls; what there is to do is up to the class that derives from it."""

    __slots__ = ("_armed", "_depth", "_lock", "appointment", "clock", "reactor")

    def __init__(self, reactor: Reactor) -> None:
        self.reactor = reactor
        self.clock = reactor.clock
        self.appointment: Appointment | None = None
        self._lock = threading.RLock()
        self._depth = 0
        self._armed = 0

    def take(self, *, quiet: bool = True) -> None:
        """Become the owner, once the present one lets go; with `quiet` the reactor is not woken by what arrives."""
        self._lock.acquire()
        self._depth += 1
        if quiet and self._depth == 1 and self._armed:
            self._armed = 0
            self.reactor.arm(self, 0)

    def give_back(self) -> None:
        """Let go; the reactor watches from here."""
        self._depth -= 1
        if self._depth:
            self._lock.release()
            return
        deadline, wanted = self._deadline(), self._wanted()
        self._lock.release()
        if deadline is not None and (self.appointment is None or deadline < self.appointment.when):
            self.reactor.schedule(self, deadline)
        if self._armed != wanted:
            self._armed = wanted
            self.reactor.arm(self, wanted)

    def ready(self, buffer: memoryview) -> None:
        """The reactor says that something can be read or written."""
        self._armed = 0
        if not self._lock.acquire(blocking=False):
            return  # the owner will see that it is not armed
        self._depth += 1
        try:
            self._pump(buffer)
        finally:
            self.give_back()

    def due(self, now: float) -> None:
        """The reactor says that a deadline may have passed."""
        if not self._lock.acquire(blocking=False):
            return  # the owner makes a new appointment when it lets go
        self._depth += 1
        try:
            self._check_time(now)
        finally:
            self.give_back()

    @abstractmethod
    def fileno(self) -> int:
        """The descriptor to wait on, -1 when there is none."""

    @abstractmethod
    def _wanted(self) -> int:
        """What the reactor is to wait for: READ, WRITE, both or nothing."""

    @abstractmethod
    def _deadline(self) -> float | None:
        """When `due` is to be called."""

    @abstractmethod
    def _pump(self, buffer: memoryview) -> None:
        """Read and write what can be read and written; `buffer` may be used during the call."""

    @abstractmethod
    def _check_time(self, now: float) -> None:
        """See to what is due."""
