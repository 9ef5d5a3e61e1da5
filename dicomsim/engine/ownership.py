"""Who may touch a session: exactly one owner at a time.

- the **caller's thread**, from `take` to `give_back`, while it sends a request and reads up to the answer;
- the **reactor**, for the length of one report, when nobody else does: idle associations, accepted ones, timers;
- a **worker**, for the length of one answer: user code runs without owning the session, so that the reactor sees an
  A-ABORT or a C-CANCEL while a handler is at work.

A caller that waits *lends* the session: others may own it meanwhile, to send an answer or to abort. The reactor stays
away then, for whoever waits looks at the descriptor and at the time by itself, and is woken when anything was done.

Guarantees: the lock is held by the owner and by nobody else; a report that comes while it is held is not lost, for the
owner sees to it, or has it reported again, when it lets go; and what a thread that has let go still does about the
poller never undoes what a later owner wishes.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from dicomsim.engine.reactor import Appointment, Reactor
from dicomsim.engine.transport import Transport
from dicomsim.engine.waiter import BUSY, Busy, Waiter, thread_waiter

Result = TypeVar("Result")

REPORTED = -1
"""What a descriptor is armed for after a report: nothing, not even the end of the connection."""


class Owned(ABC):
    """The owner's lock, and what the reactor calls; what there is to do is up to the class that derives from it."""

    __slots__ = (
        "_callers", "_depth", "_lock", "_missed", "_waiters", "appointment", "armed", "clock", "reactor", "wish",
    )  # fmt: skip

    def __init__(self, reactor: Reactor) -> None:
        self.reactor = reactor
        self.clock = reactor.clock
        self.appointment: Appointment | None = None
        self.wish = 0
        self.armed = 0
        self._lock = threading.RLock()
        self._depth = 0
        self._missed = False  # a report came that nobody has seen to
        self._waiters: list[Waiter | Busy] = []
        self._callers: list[None] = []  # one for each thread that is kept waiting by the owner

    # -- taking and giving back --------------------------------------------------------------------------------------

    def take(self, *, quiet: bool = True) -> None:
        """Become the owner, once the present one lets go; with `quiet` the reactor is not woken by what arrives."""
        if not self._lock.acquire(blocking=False):
            self._callers.append(None)  # lists are safe between threads, counters are not
            self._lock.acquire()
            self._callers.pop()
        self._depth += 1
        if quiet and self._depth == 1:
            self.wish = 0
            if self.armed > 0:
                self.reactor.follow(self)

    def give_back(self) -> None:
        """Let go; the reactor watches from here, or whoever has lent it."""
        if self._depth > 1:
            self._depth -= 1
            self._lock.release()
            return
        if self._waiters:
            self.wake_waiters()
            self._depth = 0
            self._lock.release()
            return
        try:
            if self._missed:
                self._missed = False
                self._guard(self._pump)
        finally:  # Ctrl-C, for one: whoever it goes to does not own the session any more
            deadline, self.wish = self._outlook()
            self._depth = 0
            self._lock.release()
            if deadline is not None and (self.appointment is None or deadline < self.appointment.when):
                self.reactor.schedule(self, deadline)
            if self.armed != self.wish:
                self.reactor.follow(self)

    def give_back_as_it_was(self, deadline: float) -> None:
        """Let go after something that neither the reactor nor anybody who waits has to know of.

        What was wished for still is, and `due` is called by the `deadline` that an earlier `give_back` has seen.
        """
        if self._depth > 1 or self._waiters or self._missed:
            self.give_back()
            return
        self._depth = 0
        self._lock.release()
        if self.appointment is None:  # it may just have been kept, and the lock held
            self.reactor.schedule(self, deadline)
        if self.armed != self.wish:
            self.reactor.follow(self)

    @contextmanager
    def parted(self) -> Iterator[None]:
        """Give it back altogether, however often it was taken, for the length of a block."""
        depth = self._depth
        for _ in range(depth):
            self.give_back()
        try:
            yield
        finally:
            for _ in range(depth):
                self.take()

    # -- waiting -----------------------------------------------------------------------------------------------------

    def wait_lent(self, transport: Transport, seconds: float | None, write: bool, read: bool) -> bool:
        """Wait without being the owner; False when the time was over, or somebody else has done something."""
        return self.lent(lambda: transport.wait(seconds, write=write, read=read), thread_waiter())

    def lent(self, work: Callable[[], Result], waiter: Waiter | Busy = BUSY) -> Result:
        """Do something without being the owner, which others may be meanwhile, but not the reactor.

        `waiter` is what they are to wake. Work that waits for something else must not be woken: it may be for another
        session, whose owner settles that thread's waiter at the same time.
        """
        self._waiters.append(waiter)
        depth, self._depth = self._depth, 0
        for _ in range(depth):
            self._lock.release()
        try:
            return work()
        finally:
            for _ in range(depth):
                self._lock.acquire()
            self._depth = depth
            self._waiters.remove(waiter)
            waiter.settle()

    def wake_waiters(self) -> None:
        """Something has been done that may be what others wait for."""
        for waiter in self._waiters:
            waiter.wake()

    # -- what the reactor calls --------------------------------------------------------------------------------------

    def ready(self) -> None:
        """The reactor says that something can be read or written."""
        self.armed = REPORTED
        if self._enter():
            self._guard(self._pump)
            self.give_back()
        else:
            self._missed = True

    def due(self, now: float) -> None:
        """The reactor says that a deadline may have passed."""
        if self._enter():
            self._guard(self._check_time, now)
            self.give_back()

    def _enter(self) -> bool:
        """Own it for the reactor; False when somebody else sees to it, who arms and makes appointments when done."""
        if not self._lock.acquire(blocking=False):
            return False
        if self._depth or self._waiters:
            self.wake_waiters()
            self._lock.release()
            return False
        self._depth = 1
        return True

    def _guard(self, work: Callable[..., None], *arguments: object) -> None:
        """Do what nobody has asked for and whose failure nobody can be told of."""
        try:
            work(*arguments)
        except BaseException as error:  # rules and data sources are user code
            if isinstance(error, KeyboardInterrupt) and not self.reactor.is_here:
                raise  # Ctrl-C is the caller's
            self.fail(error)

    # -- for the class that derives from this ------------------------------------------------------------------------

    @abstractmethod
    def fileno(self) -> int:
        """The descriptor to wait on, -1 when there is none."""

    @abstractmethod
    def fail(self, error: BaseException) -> None:
        """Something went wrong that the session cannot go on after."""

    @abstractmethod
    def _outlook(self) -> tuple[float | None, int]:
        """When `due` is to be called, and what the reactor is to wait for: READ, WRITE, both or nothing."""

    @abstractmethod
    def _pump(self) -> None:
        """Read and write what can be read and written."""

    @abstractmethod
    def _check_time(self, now: float) -> None:
        """See to what is due."""
