"""Who may touch a session: exactly one owner at a time.

- the **caller's thread**, from `take` to `give_back`, while it sends a request and reads up to the answer: no hand-over;
- the **reactor**, for the length of one report, when nobody else does: idle associations, accepted ones, timers;
- a **worker**, for the length of one answer: user code runs without owning the session, so that the reactor sees an
  A-ABORT or a C-CANCEL while a handler is at work.

Guarantees: the lock is held by the owner and by nobody else; a report that comes while it is held is dropped, and the
owner arms the descriptor again after letting go (`_armed` says whether that is needed), so that no report is lost.

A caller that waits, or that runs user code on the way, *lends* the session: others may own it meanwhile, to send an
answer or to abort. The reactor stays away then, for whoever waits looks at the descriptor and at the time himself, and
is woken when anything has been done.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

from dicomsim.engine.reactor import Appointment, Reactor
from dicomsim.engine.transport import Transport
from dicomsim.engine.waiter import Waiter, thread_waiter


class Owned(ABC):
    """The owner's lock, and what the reactor calls; what there is to do is up to the class that derives from it."""

    __slots__ = (
        "_armed", "_arming", "_depth", "_lent", "_lock", "_turn", "_waiters", "appointment", "clock", "reactor",
    )  # fmt: skip

    def __init__(self, reactor: Reactor) -> None:
        self.reactor = reactor
        self.clock = reactor.clock
        self.appointment: Appointment | None = None
        self._lock = threading.RLock()
        self._depth = 0
        self._armed = 0
        self._arming = threading.Lock()
        self._turn = 0  # counts owners, so that one who has let go does not undo what the next one armed
        self._lent = 0
        self._waiters: list[Waiter] = []

    def take(self, *, quiet: bool = True) -> None:
        """Become the owner, once the present one lets go; with `quiet` the reactor is not woken by what arrives."""
        self._lock.acquire()
        self._depth += 1
        self._turn += 1
        if quiet and self._depth == 1 and self._armed:
            self._armed = 0
            self.reactor.arm(self, 0)

    def give_back(self) -> None:
        """Let go; the reactor watches from here, or whoever has lent it."""
        self._depth -= 1
        if self._depth:
            self._lock.release()
            return
        if self._lent:
            self.wake_waiters()
            self._lock.release()
            return
        deadline, wanted, turn = self._deadline(), self._wanted(), self._turn
        self._lock.release()
        if deadline is not None and (self.appointment is None or deadline < self.appointment.when):
            self.reactor.schedule(self, deadline)
        if self._armed != wanted:
            with self._arming:
                if self._turn == turn:
                    self._armed = wanted
                    self.reactor.arm(self, wanted)

    def lend(self) -> int:
        """Let others be the owner until `reclaim`, which wants what comes back; for owners that are no reactor."""
        depth, self._depth = self._depth, 0
        self._lent += 1
        for _ in range(depth):
            self._lock.release()
        return depth

    def reclaim(self, depth: int) -> None:
        """Be the owner again after `lend`."""
        for _ in range(depth):
            self._lock.acquire()
        self._depth = depth
        self._turn += 1
        self._lent -= 1

    def wait_lent(self, transport: Transport, seconds: float | None, write: bool, read: bool) -> bool:
        """Wait without being the owner; False when the time was over, or somebody else has done something."""
        waiter = thread_waiter()
        self._waiters.append(waiter)
        depth = self.lend()
        try:
            return transport.wait(seconds, write=write, read=read)
        finally:
            self.reclaim(depth)
            self._waiters.remove(waiter)
            waiter.settle()

    def wake_waiters(self) -> None:
        """Something has been done that may be what others wait for."""
        for waiter in self._waiters:
            waiter.wake()

    def ready(self, buffer: memoryview) -> None:
        """The reactor says that something can be read or written."""
        self._armed = 0
        if self._enter():
            try:
                self._pump(buffer)
            finally:
                self.give_back()

    def due(self, now: float) -> None:
        """The reactor says that a deadline may have passed."""
        if self._enter():
            try:
                self._check_time(now)
            finally:
                self.give_back()

    def _enter(self) -> bool:
        """Own it for the reactor; False when somebody else sees to it, who arms and makes appointments when done."""
        if not self._lock.acquire(blocking=False):
            return False
        if self._lent:
            self.wake_waiters()
            self._lock.release()
            return False
        self._depth += 1
        self._turn += 1
        return True

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
