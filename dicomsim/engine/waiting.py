"""Waiting for the peer, and what happens when it takes too long: every timeout of an association is looked at here."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from dicomsim.dimse.exchange import Operation
from dicomsim.engine.handler import Job
from dicomsim.engine.poller import READ
from dicomsim.engine.pump import Pump
from dicomsim.engine.reactor import Reactor
from dicomsim.engine.timeouts import Timeouts
from dicomsim.engine.witness import Observer
from dicomsim.errors import StateError
from dicomsim.events import Side, TimerExpired
from dicomsim.outcome import timed_out
from dicomsim.upper_layer.table import State

AT_ONCE = 0.005
"""Seconds that a caller waits for an answer before it lends the session; others have to wait that long for it at most,
and a timeout ends that much late at most."""

AWAITING = frozenset((State.STA5, State.STA7, State.STA10, State.STA11))
"""States in which the peer owes us an ACSE PDU, and for which PS3.8 §9.1.5 has no timer."""


@dataclass(slots=True, eq=False)
class Task:
    """User code that answers a request."""

    operation: Operation
    """The request."""
    job: Job
    """What is to be done, without owning the session."""
    deadline: float | None = None
    """When it is to have ended, or to have given its next answer."""


Meanwhile = Callable[[Callable[[], bool]], None]
"""Told what `pump_until` waits for."""

Limit = tuple[float, str, float]
"""When a timeout runs out, its name and its value."""


class Waiting(Pump):
    """A pump that a thread can wait with; every method is for the owner."""

    __slots__ = ("jobs",)

    def __init__(
        self, side: Side, reactor: Reactor, timeouts: Timeouts, association_number: int, observer: Observer | None
    ) -> None:
        super().__init__(side, reactor, timeouts, association_number, observer)
        self.jobs: list[Task] = []
        """What those who wait can do meanwhile."""

    def comes_at_once(self, ready: Callable[[], bool]) -> bool:
        """Wait a moment for what peers that are near give at once, without all that `pump_until` has to look at.

        False when that is needed: nothing came, or not enough, or more than the peer's answer is at work here.
        """
        transport = self.transport
        if (
            transport is None
            or not self.is_quiet()
            or self._waiters
            or self._callers  # who would get nothing of a session that is taken again as soon as it is given back
            or self._receiving
            or self.reactor.is_here
            or not transport.wait(AT_ONCE)
        ):
            return False
        self._pump_or_break(ready)
        return ready()

    def pump_until(
        self,
        ready: Callable[[], bool],
        name: str = "",
        seconds: float | None = None,
        meanwhile: Meanwhile | None = None,
    ) -> None:
        """Send, read and wait in the calling thread until `ready`, the end, or the timeout of that name.

        The timeout counts anew from whatever the peer takes and from each message that comes. While it waits, others
        may own the session; `meanwhile` does the `jobs` that they leave to it. Raises `StateError` in the reactor's
        thread and in callbacks of the state machine, which cannot wait, and what rules and data sources raise, after
        aborting.
        """
        over_before = self.outcome is not None

        def done() -> bool:
            return ready() or not self.is_open or (self.outcome is not None and not over_before)

        self._progress = self.clock.monotonic()
        while not done() and not (self.flush() and done()):
            if self._receiving or self.reactor.is_here:
                raise StateError("what the reactor or the state machine calls cannot wait for the peer")
            deadline = self._deadline()
            if self._wait(self._left(deadline, self._own_limit(name, seconds))):
                self._pump_or_break(done)
                self.wake_waiters()
            now, limit = self.clock.monotonic(), self._own_limit(name, seconds)
            if limit is not None and now >= limit[0] and not done():
                self.time_out(*limit[1:])
                return
            if deadline is not None and now >= deadline:
                self._check_time(now)
            if meanwhile is not None:
                meanwhile(done)

    def _wait(self, seconds: float | None) -> bool:
        transport, reads, writes = self.transport, self._reads(), self._has_output()
        assert transport is not None
        if reads and transport.pending():
            return True
        return self.wait_lent(transport, seconds, writes, reads)

    def _pump_or_break(self, enough: Callable[[], bool]) -> None:
        try:
            self._pump(enough)
        except KeyboardInterrupt:  # Ctrl-C is the caller's
            raise
        except BaseException as error:  # what rules and data sources raise is the caller's, but the peer must not wait
            self.break_off(error)
            raise

    def _left(self, deadline: float | None, limit: Limit | None) -> float | None:
        """Seconds until something is due."""
        if limit is not None and (deadline is None or limit[0] < deadline):
            deadline = limit[0]
        return None if deadline is None else deadline - self.clock.monotonic()

    # -- timeouts ----------------------------------------------------------------------------------------------------

    def _own_limit(self, name: str, seconds: float | None) -> Limit | None:
        """The timeout of `pump_until`; nothing is awaited while a rule holds back what is to be sent."""
        if seconds is None or (self.detour is not None and not self.detour.lanes_empty):
            return None
        return self._progress + seconds, name, seconds

    def _limit(self) -> Limit | None:
        """Which of the timeouts that nobody has to ask for runs out next."""
        limits, running = self.timeouts, []
        artim = self.upper.deadline()
        if artim is not None:
            running.append((artim, "artim", self.upper.artim))
        if self._blocked_since is not None and limits.send is not None:
            running.append((self._blocked_since + limits.send, "send", limits.send))
        if self.outcome is None:
            if self.state is State.STA6 and (network := self._network_limit()) is not None:
                running.append((self._activity + network, "network", network))
            elif self.state in AWAITING and limits.acse is not None and self.all_sent():
                running.append((max(self._asked, self._written) + limits.acse, "acse", limits.acse))
        return min(running, default=None)

    def _network_limit(self) -> float | None:
        """The network timeout, while it counts: when we are at work, silence says nothing about the peer."""
        return None if self.serving else self.timeouts.network

    @abstractmethod
    def is_quiet(self) -> bool:
        """Whether the association is open, and nothing is under way but the peer's next message."""

    def _deadline(self) -> float | None:
        if not self.is_open or self.transport is None:
            return None
        if self._wanted() & READ and self.transport.pending():
            return self._activity
        limit = self._limit()
        deadline = None if limit is None else limit[0]
        resume_at = None if self.detour is None else self.detour.resume_at
        return resume_at if deadline is None or (resume_at is not None and resume_at < deadline) else deadline

    def _check_time(self, now: float) -> None:
        limit = self._limit() if self.is_open else None
        if limit is not None and now >= limit[0]:
            self.time_out(*limit[1:])
        if self.is_open:
            self._pump()

    def time_out(self, name: str, seconds: float) -> None:
        """A named timeout ran out: tell the peer if it can be told."""
        self.emit(TimerExpired, name, seconds)
        self.finish(timed_out(name, seconds, **self.circumstances()))
        if name == "artim":
            self.upper.handle_timer(self.clock.monotonic())
            self.settle()
        elif name == "send":
            self.hang_up(reset=True)
        else:
            self.give_up()
